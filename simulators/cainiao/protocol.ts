import { createHash } from 'node:crypto';
import type { CourierStep } from '../courier/courier.ts';
import type { CourierProtocol } from '../courier/protocol.ts';
import { underFaults } from '../courier/start-courier.ts';

const ACTIONS: Record<CourierStep, string> = {
  picked_up: 'GOT', in_transit: 'TRANSPORT', customs: 'CC_HO', out_for_delivery: 'SENT_SCAN', ready_for_pickup: 'STA_INBOUND', attempt_failed: 'FAILED', exception: 'EXCEPTION', returning: 'RETURN', returned: 'RETURN_SIGN', delivered: 'SIGN',
};
const chinese = (ms: number): string => new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
function digest(content: string, secret: string): string {
  const hash = createHash('md5');
  hash.update(Buffer.from(content, 'utf8'));
  hash.update(Buffer.from(secret, 'utf8'));
  return Buffer.from(hash.digest('hex'), 'hex').toString('base64');
}
type Wanted = { cpCode?: string; mailNo?: string; waybillCode?: string; sender?: { name?: string }; tradeOrderInfoDtos?: { objectId?: string; templateUrl?: string; recipient?: Record<string, unknown> }[] };

/** LINK: one address, one signed form for everything, both ways. Numbers come from a pool that ends. */
export const cainiao: CourierProtocol = {
  batch: 1, retries: [60_000, 120_000, 300_000], deadlineMs: 5_000, word: (step) => ACTIONS[step],
  acknowledged: (status, body) => {
    try {
      return status === 200 && (JSON.parse(body) as { success?: unknown }).success === 'true';
    } catch {
      return false;
    }
  },
  push([event], host, { bad }) {
    if (!event?.parcel.followed) return null;
    const { parcel } = event;
    const content = JSON.stringify({ mailNo: parcel.no, cpCode: parcel.carrier, traceList: parcel.routes.map((r) => ({ time: chinese(r.at), action: ACTIONS[r.step], desc: r.remark, city: r.place })) });
    const body = new URLSearchParams({ msg_type: 'CNTECH_LV_LOGISTICS_DETAIL_PUSH', logistic_provider_id: 'CAINIAO', to_code: String(host.settings['providerId']), logistics_interface: content, data_digest: digest(content, bad === 'forged' ? 'guess' : String(host.settings['secret'])) }).toString();
    return { headers: { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' }, body: bad === 'truncated' ? body.slice(0, -10) : body };
  },
  routes(app, host) {
    const { courier, settings } = host;
    let left = 1_000;
    const bad = (errorCode: string, errorMsg: string): object => ({ success: 'false', errorCode, errorMsg });
    app.post('/gateway/link.do', (request) => {
      const form = new URLSearchParams(String(request.body));
      const [type, content] = [form.get('msg_type') ?? '', form.get('logistics_interface') ?? ''];
      if (form.get('data_digest') !== digest(content, String(settings['secret'])) || form.get('logistic_provider_id') !== settings['providerId']) return bad('S02', 'illegal digest');
      return underFaults<object>(host, type === 'TMS_WAYBILL_GET', { down: () => bad('SYSTEM_ERROR', 'down'), throttled: () => bad('FLOW_LIMIT', 'too fast') }, () => {
        const w = JSON.parse(content) as Wanted;
        switch (type) {
          case 'TMS_WAYBILL_GET': {
            const order = w.tradeOrderInfoDtos?.[0];
            if (!w.cpCode || !w.sender?.name || !order?.objectId || !order.templateUrl || !order.recipient) return bad('B01', 'parameter');
            let parcel = courier.byOrder.get(order.objectId);
            if (!parcel) {
              if (left === 0) return bad('B02', 'no numbers left');
              left -= 1;
              parcel = courier.issue(w.cpCode, w.cpCode, order.objectId, { request: w });
              parcel.extra['printData'] = JSON.stringify({ encryptedData: `AES:${Buffer.from(parcel.no).toString('base64')}`, signature: 'MD:sim', templateURL: order.templateUrl, ver: 'waybill_print_secret_version_1' });
            }
            return { success: 'true', waybillCloudPrintResponseList: [{ objectId: order.objectId, waybillCode: parcel.no, printData: parcel.extra['printData'] }] };
          }
          case 'TMS_WAYBILL_DISCARD': {
            const parcel = courier.parcels.get(w.waybillCode ?? '');
            if (!parcel || parcel.carrier !== w.cpCode) return bad('B03', 'unknown waybill');
            if (parcel.status === 'issued') {
              parcel.status = 'cancelled';
              left += 1;
            }
            return { success: 'true', discardResult: parcel.status === 'cancelled' };
          }
          case 'TMS_WAYBILL_SUBSCRIPTION_QUERY': return { success: 'true', waybillApplySubscriptionCols: Object.values((settings['carriers'] ?? {}) as Record<string, string>).map((cpCode) => ({ cpCode, cpType: 2, branchAccountCols: [{ branchCode: 'B-1', branchName: 'branch', quantity: left }] })) };
          case 'CNTECH_LV_LOGISTICS_DETAIL_SUBSCRIBE': {
            const parcel = courier.parcels.get(w.mailNo ?? '');
            if (parcel) parcel.followed = true;
            return parcel ? { success: 'true' } : bad('B03', 'unknown waybill');
          }
          default: return bad('S04', `no API ${type}`);
        }
      });
    });
  },
};

import { randomUUID } from 'node:crypto';
import type { CourierProtocol } from '../courier/protocol.ts';
import { underFaults } from '../courier/start-courier.ts';
import { callSignature, isCanonical, readTimestamp } from '../douyin/signing.ts';

type Contact = { address?: { province_name?: string; detail_address?: string }; contact?: { name?: string; mobile?: string } };
type Params = { logistics_code?: string; track_no?: string; sender_info?: Contact; order_infos?: { order_id?: string; pack_id?: string; receiver_info?: Contact }[]; waybill_applies?: { track_no?: string }[] };
const SKEW_MS = 600_000;

/** 抖店's waybill calls as general knowledge has them, under the signature and the answers of its API. It pushes nothing: its orders are followed by the carriers. */
export const douyinWaybill: CourierProtocol = {
  batch: 1, retries: [60_000], deadlineMs: 5_000, word: () => null, acknowledged: () => true, push: () => null,
  routes(app, host) {
    const { courier, settings } = host;
    let left = 500;
    const good = (data: unknown): object => ({ code: 10000, msg: 'success', sub_code: '', sub_msg: '', log_id: randomUUID(), data });
    const bad = (code: number, sub_code: string, sub_msg: string): object => ({ code, msg: 'error', sub_code, sub_msg, log_id: randomUUID(), data: {} });
    app.post('/logistics/:name', (request) => {
      const q = request.query as Record<string, string>;
      const json = String(request.body);
      const { name } = request.params as { name: string };
      const signed = { appKey: q['app_key'] ?? '', method: q['method'] ?? '', json, timestamp: q['timestamp'] ?? '' };
      if (signed.method !== `logistics.${name}` || !isCanonical(json)) return bad(40004, 'isv.parameter-invalid:method', 'method or param_json');
      if (!(Math.abs(host.clock() - readTimestamp(signed.timestamp)) <= SKEW_MS)) return bad(40004, 'isv.parameter-invalid:timestamp', 'timestamp');
      if (signed.appKey !== settings['appKey'] || q['sign'] !== callSignature(String(settings['appSecret']), q['sign_method'] ?? '', signed)) return bad(40003, 'isv.signature-invalid', 'sign');
      if (q['access_token'] !== 'shop-token') return bad(40003, 'isv.access-token-expired', 'access_token');
      return underFaults<object>(host, name === 'newCreateOrder', { down: () => bad(20000, 'isp.service-error:1', 'down'), throttled: () => bad(20000, 'isp.api-limit', 'too fast') }, () => {
        const p = JSON.parse(json) as Params;
        switch (name) {
          case 'newCreateOrder': {
            const order = p.order_infos?.[0];
            if (!p.logistics_code || !p.sender_info?.contact?.name || !order?.pack_id || !order.receiver_info?.contact?.name || !order.receiver_info.address?.detail_address) return bad(40002, 'isv.missing-parameter:order_infos', 'parameter');
            let parcel = courier.byOrder.get(order.pack_id);
            if (!parcel) {
              left -= 1;
              parcel = courier.issue('DYT', p.logistics_code, order.pack_id, { request: p });
              parcel.extra['recipient'] = { name: order.receiver_info.contact.name, mobile: order.receiver_info.contact.mobile, address: order.receiver_info.address.detail_address };
            }
            return good({ ebill_infos: [{ track_no: parcel.no, order_id: order.order_id, pack_id: order.pack_id }], err_infos: [] });
          }
          case 'waybillApply': {
            const parcel = courier.parcels.get(p.waybill_applies?.[0]?.track_no ?? '');
            if (!parcel) return bad(50002, 'isv.business-failed:404', 'track_no');
            return good({ waybill_infos: [{ track_no: parcel.no, print_data: `DOUYIN:${Buffer.from(parcel.no).toString('base64')}`, sign: 'sig', params: 'access_token=1' }] });
          }
          case 'cancelOrder': {
            const parcel = courier.parcels.get(p.track_no ?? '');
            if (parcel?.status === 'issued') {
              parcel.status = 'cancelled';
              left += 1;
            }
            return parcel?.status === 'cancelled' ? good({ cancel_result: { success: true } }) : bad(50002, 'isv.business-failed:409', 'picked up');
          }
          case 'listShopNetsite': return good({ netsites: [{ netsite_code: 'N-1', netsite_name: 'branch', amount: String(left) }] });
          default: return bad(40004, 'isv.parameter-invalid:method', name);
        }
      });
    });
  },
};

import { createHmac } from 'node:crypto';
import type { CourierProtocol } from '../courier/protocol.ts';
import { underFaults } from '../courier/start-courier.ts';

/** The platform's side of the signature: every field of the form but `sign`, in order, and the secret at the end. */
export function expectedSign(form: URLSearchParams, secret: string): string {
  const names = [...new Set(form.keys())].filter((k) => k !== 'sign').sort();
  return createHmac('sha256', secret).update([...names.map((k) => [k, form.get(k) ?? ''].join('=')), ['signSecret', secret].join('=')].join('&'), 'utf8').digest('base64');
}
type Request = { requestId?: string; expressCompanyCode?: string; templateUrl?: string; senderContract?: { name?: string }; receiverContract?: { name?: string; mobile?: string }; receiverAddress?: { detailAddress?: string } };
type Param = { getEbillOrderRequest?: Request[]; waybillCode?: string; expressCompanyCode?: string };

/** 快手's waybill calls as general knowledge has them, under the signature and the answers of its API. */
export const kuaishouWaybill: CourierProtocol = {
  batch: 1, retries: [60_000], deadlineMs: 5_000, word: () => null, acknowledged: () => true, push: () => null,
  routes(app, host) {
    const { courier, settings } = host;
    let left = 300;
    const good = (more: object): object => ({ result: 1, code: '1', msg: 'success', ...more });
    const bad = (result: number, code: string, error_msg: string): object => ({ result, code, error_msg });
    app.post('/open/express/*', (request) => {
      const form = new URLSearchParams(String(request.body));
      const method = form.get('method') ?? '';
      if (form.get('appkey') !== settings['appKey'] || form.get('sign') !== expectedSign(form, String(settings['signSecret']))) return bad(21, '21', '签名错误');
      if (form.get('access_token') !== 'shop-token') return bad(28, '28', 'access_token 已失效');
      if (`/${method.replaceAll('.', '/')}` !== request.url.split('?')[0]) return bad(22, '22', 'method');
      return underFaults<object>(host, method === 'open.express.ebill.get', { down: () => bad(0, '500', '系统错误'), throttled: () => bad(23, '802001', '请求超过qps限制') }, () => {
        const p = JSON.parse(form.get('param') ?? '{}') as Param;
        switch (method) {
          case 'open.express.ebill.get': {
            const wanted = p.getEbillOrderRequest?.[0];
            if (!wanted?.requestId || !wanted.expressCompanyCode || !wanted.templateUrl || !wanted.senderContract?.name || !wanted.receiverContract?.name || !wanted.receiverAddress?.detailAddress) return bad(24, '24', '参数错误');
            let parcel = courier.byOrder.get(wanted.requestId);
            if (!parcel) {
              left -= 1;
              parcel = courier.issue('KST', wanted.expressCompanyCode, wanted.requestId, { request: p });
              parcel.extra['recipient'] = { name: wanted.receiverContract.name, mobile: wanted.receiverContract.mobile, address: wanted.receiverAddress.detailAddress };
            }
            return good({ data: [{ requestId: wanted.requestId, baseResponse: { result: 1 }, data: [{ waybillCode: parcel.no, printData: `KS:${Buffer.from(parcel.no).toString('base64')}`, signature: 'sig', key: 'v1' }] }] });
          }
          case 'open.express.ebill.cancel': {
            const parcel = courier.parcels.get(p.waybillCode ?? '');
            if (parcel?.status === 'issued') {
              parcel.status = 'cancelled';
              left += 1;
            }
            return parcel?.status === 'cancelled' ? good({}) : bad(25, '25', '已揽收');
          }
          case 'open.express.subscribe.query': return good({ data: [{ expressCompanyCode: p.expressCompanyCode, netSiteCode: 'K-1', availableQuantity: left }] });
          default: return bad(22, '22', 'method');
        }
      });
    });
  },
};

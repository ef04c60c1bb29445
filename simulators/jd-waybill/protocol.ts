import { createHash } from 'node:crypto';
import type { CourierProtocol } from '../courier/protocol.ts';
import { underFaults } from '../courier/start-courier.ts';

/** The gateway's side of the signature: every field of the form but `sign`, in order, between two secrets. */
export function expectedSign(form: URLSearchParams, secret: string): string {
  let input = secret;
  for (const name of [...new Set(form.keys())].filter((n) => n !== 'sign').sort()) input += name + (form.get(name) ?? '');
  return createHash('md5').update(Buffer.from(input + secret, 'utf8')).digest('hex').toUpperCase();
}

type Address = { provinceName?: string; cityName?: string; address?: string; contact?: string; mobile?: string };
type Content = { waybillType?: number; waybillCount?: number; providerCode?: string; branchCode?: string; settlementCode?: string; platformOrderNo?: string; vendorOrderCode?: string; vendorCode?: string; vendorName?: string; fromAddress?: Address; toAddress?: Address };
type Param = { content?: Content; providerCode?: string; waybillCode?: string; param1?: { objectId?: string; cpCode?: string; parameters?: { eCustomerCode?: string }; wayBillInfos?: { wayBillCode?: string }[] } };
const SKEW_MS = 600_000;
const whole = (a: Address | undefined): boolean => Boolean(a?.provinceName && a.cityName && a.address && a.contact && a.mobile);
const atChina = (text: string): number => Date.parse(`${text.replace(' ', 'T')}+08:00`);

/** 京东's waybill calls (无界电子面单, 云打印) under its gateway's signature. One number per `vendorOrderCode`. */
export const jdWaybill: CourierProtocol = {
  batch: 1, retries: [60_000], deadlineMs: 5_000, word: () => null, acknowledged: () => true, push: () => null,
  routes(app, host) {
    const { courier, settings } = host;
    let left = 700;
    const bad = (code: string, zh_desc: string): object => ({ error_response: { code, zh_desc, en_desc: zh_desc } });
    app.post('/routerjson', (request) => {
      const form = new URLSearchParams(String(request.body));
      const method = form.get('method') ?? '';
      if (form.get('app_key') !== settings['appKey'] || form.get('v') !== '2.0') return bad('61', '无效app_key');
      if (!(Math.abs(host.clock() - atChina(form.get('timestamp') ?? '')) <= SKEW_MS)) return bad('62', '时间戳无效');
      if (form.get('sign') !== expectedSign(form, String(settings['appSecret']))) return bad('65', '无效签名');
      if (form.get('access_token') !== 'shop-token') return bad('19', 'access_token已过期');
      const good = (more: object): object => ({ [`${method.replaceAll('.', '_')}_responce`]: { code: '0', ...more } });
      const refused = (statusMessage: string): object => good({ resultInfo: { statusCode: 1, statusMessage } });
      return underFaults<object>(host, method === 'jingdong.ldop.alpha.waybill.receive', { down: () => bad('67', '平台连接后端服务不可用'), throttled: () => bad('21', '接口调用次数超限, limit') }, () => {
        const p = JSON.parse(form.get('360buy_param_json') ?? '{}') as Param;
        switch (method) {
          case 'jingdong.ldop.alpha.waybill.receive': {
            const c = p.content;
            if (!c?.providerCode || c.waybillType !== 1 || c.waybillCount !== 1 || (!c.branchCode && !c.settlementCode) || !c.platformOrderNo || !c.vendorOrderCode || c.vendorCode !== settings['vendorCode'] || !c.vendorName || !whole(c.fromAddress) || !whole(c.toAddress)) return refused('参数不完整');
            let parcel = courier.byOrder.get(c.vendorOrderCode);
            if (!parcel) {
              left -= 1;
              parcel = courier.issue('JDT', c.providerCode, c.vendorOrderCode, { request: p });
              parcel.extra['recipient'] = { name: c.toAddress?.contact, mobile: c.toAddress?.mobile, address: c.toAddress?.address };
            }
            return good({ resultInfo: { statusCode: 0, statusMessage: '成功', data: { platformOrderNo: c.platformOrderNo, waybillCodeList: [parcel.no] } } });
          }
          case 'jingdong.printing.printData.pullData': {
            const { objectId, cpCode, parameters, wayBillInfos } = p.param1 ?? {};
            const parcel = courier.parcels.get(wayBillInfos?.[0]?.wayBillCode ?? '');
            if (!objectId || objectId.length > 20 || !cpCode || parameters?.eCustomerCode !== settings['vendorCode'] || !parcel) return good({ returnType: { code: '0', message: '参数错误', prePrintDatas: [] } });
            return good({ returnType: { code: '1', message: 'success', objectId, prePrintDatas: [{ wayBillNo: parcel.no, code: '1', msg: 'success', perPrintData: `JD:${Buffer.from(parcel.no).toString('base64')}` }] } });
          }
          case 'jingdong.ldop.alpha.waybill.api.unbind': {
            const parcel = courier.parcels.get(p.waybillCode ?? '');
            if (parcel?.status === 'issued' && parcel.carrier === p.providerCode) {
              parcel.status = 'cancelled';
              left += 1;
            }
            return parcel?.status === 'cancelled' ? good({ resultInfo: { statusCode: 0, statusMessage: '成功' } }) : refused('运单已揽收');
          }
          case 'jingdong.ldop.alpha.vendor.stock.queryByProviderCode': return good({ resultInfo: { statusCode: 0, statusMessage: '成功', data: [{ providerCode: p.providerCode, branchCode: 'A0001', vendorCode: settings['vendorCode'], amount: left }] } });
          default: return bad('24', '无效方法');
        }
      });
    });
  },
};

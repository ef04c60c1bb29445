import type { CourierProtocol } from '../courier/protocol.ts';
import { underFaults } from '../courier/start-courier.ts';

type Person = { name?: string; mobile?: string; province?: string; city?: string; address?: string };
type Body = {
  ewaybill_order_id?: string; delivery_id?: string; shop_id?: string; ewaybill_acct_id?: string; site_code?: string; template_id?: string; waybill_id?: string; remark?: string; sender?: Person; receiver?: Person;
  ec_order_list?: { goods_list?: { good_name?: string; good_count?: number }[] }[];
};
const whole = (p: Person | undefined): boolean => Boolean(p?.name && p.mobile && p.province && p.city && p.address);

/** 视频号小店's waybill calls: what is wanted is checked and named first; under one name there is one number, however often it is asked for. */
export const wechatWaybill: CourierProtocol = {
  batch: 1, retries: [60_000], deadlineMs: 5_000, word: () => null, acknowledged: () => true, push: () => null,
  routes(app, host) {
    const { courier, settings } = host;
    let left = 600;
    const good = (more: object = {}): object => ({ errcode: 0, errmsg: 'ok', ...more });
    const bad = (errcode: number, errmsg: string, more: object = {}): object => ({ errcode, errmsg, ...more });
    /** by its name: for whom */
    const prepared = new Map<string, string>();
    app.post('/channels/ec/logistics/ewaybill/biz/:group/:name', (request) => {
      const { group, name } = request.params as { group: string; name: string };
      const path = `${group}/${name}`;
      if ((request.query as Record<string, string>)['access_token'] !== 'shop-token') return bad(40001, 'invalid credential, access_token is invalid or not latest');
      return underFaults<object>(host, path === 'order/create', { down: () => bad(-1, 'system error'), throttled: () => bad(45011, 'api minute-quota reach limit, please retry next minute') }, () => {
        let p: Body;
        try {
          p = JSON.parse(String(request.body)) as Body;
        } catch {
          return bad(47001, 'data format error');
        }
        const complete = p.delivery_id && p.shop_id === settings['shopId'] && p.ewaybill_acct_id && whole(p.sender) && whole(p.receiver) && p.ec_order_list?.[0]?.goods_list?.[0]?.good_count;
        switch (path) {
          case 'order/precreate': {
            if (!complete) return bad(9710001, 'invalid param');
            const id = `EB${courier.serial()}-${prepared.size}`;
            prepared.set(id, p.remark ?? id);
            return good({ ewaybill_order_id: id });
          }
          case 'order/create': {
            const id = p.ewaybill_order_id ?? '';
            const orderId = prepared.get(id);
            if (!complete || orderId === undefined) return bad(9710001, 'invalid param');
            let parcel = [...courier.parcels.values()].find((x) => x.extra['id'] === id);
            if (!parcel) {
              left -= 1;
              parcel = courier.issue('WXT', p.delivery_id ?? '', orderId, { request: p, id });
              parcel.extra['recipient'] = { name: p.receiver?.name, mobile: p.receiver?.mobile, address: p.receiver?.address };
            }
            return good({ ewaybill_order_id: id, waybill_id: parcel.no, delivery_error_msg: '' });
          }
          case 'print/get': {
            const parcel = [...courier.parcels.values()].find((x) => x.extra['id'] === p.ewaybill_order_id);
            return parcel && p.template_id ? good({ print_info: `WX:${Buffer.from(parcel.no).toString('base64')}` }) : bad(9710002, 'ewaybill order not exist');
          }
          case 'order/cancel': {
            const parcel = [...courier.parcels.values()].find((x) => x.extra['id'] === p.ewaybill_order_id);
            if (parcel?.status === 'issued') {
              parcel.status = 'cancelled';
              left += 1;
            }
            return parcel?.status === 'cancelled' ? good({ delivery_error_msg: '' }) : bad(9710003, 'cancel failed', { delivery_error_msg: '已揽收' });
          }
          case 'account/get': return good({ total_num: 1, account_list: [{ delivery_id: p.delivery_id, shop_id: settings['shopId'], acct_id: 'acct-1', acct_type: 0, status: 3, available: left, allocated: 600 - left, site_info: { site_code: 'S-1', site_name: 'branch' } }] });
          default: return bad(48001, 'api unauthorized');
        }
      });
    });
  },
};

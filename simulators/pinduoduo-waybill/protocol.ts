import { randomUUID } from 'node:crypto';
import type { CourierProtocol } from '../courier/protocol.ts';
import { underFaults } from '../courier/start-courier.ts';
import { expectedSign } from '../pinduoduo/signing.ts';

type Address = { province?: string; city?: string; district?: string; detail?: string };
type Person = { name?: string; mobile?: string; address?: Address };
type Order = { object_id?: string; template_url?: string; user_id?: number; order_info?: { order_channels_type?: string; trade_order_list?: string[] }; package_info?: { items?: { count?: number; name?: string }[] }; recipient?: Person };
type Wanted = { wp_code?: string; sender?: Person; trade_order_info_dtos?: Order[] };
const SKEW_S = 600;
const whole = (p: Person | undefined): boolean => Boolean(p?.name && p.address?.province && p.address.city && p.address.detail);

/** 拼多多's waybill calls as its documentation has them, under the gateway's signature. One number per `object_id`. */
export const pinduoduoWaybill: CourierProtocol = {
  batch: 1, retries: [60_000], deadlineMs: 5_000, word: () => null, acknowledged: () => true, push: () => null,
  routes(app, host) {
    const { courier, settings } = host;
    let left = 800;
    const bad = (error_code: number, error_msg: string, sub_msg = ''): object => ({ error_response: { error_code, error_msg, sub_code: sub_msg === '' ? null : String(error_code), sub_msg, request_id: randomUUID() } });
    app.post('/api/router', (request) => {
      const p = new URLSearchParams(String(request.body));
      const type = p.get('type') ?? '';
      if (p.get('client_id') !== settings['clientId']) return bad(10016, 'client下线或者clientId不正确');
      if (!(Math.abs(host.clock() / 1000 - Number(p.get('timestamp'))) <= SKEW_S)) return bad(10001, '公共参数错误:timestamp');
      if (p.get('sign') !== expectedSign(p.entries(), String(settings['clientSecret']))) return bad(20004, '签名sign校验失败');
      if (p.get('access_token') !== 'shop-token') return bad(10019, 'access_token已过期');
      return underFaults<object>(host, type === 'pdd.waybill.get', { down: () => bad(52001, '网关业务服务错误'), throttled: () => bad(52101, '当前接口被限流，请稍后重试') }, () => {
        switch (type) {
          case 'pdd.waybill.get': {
            const wanted = JSON.parse(p.get('param_waybill_cloud_print_apply_new_request') ?? '{}') as Wanted;
            const order = wanted.trade_order_info_dtos?.[0];
            if (!wanted.wp_code || !whole(wanted.sender) || !order?.object_id || !order.template_url || !Number.isInteger(order.user_id) || !order.order_info?.order_channels_type || !order.order_info.trade_order_list?.length || !order.package_info?.items?.[0]?.count || !whole(order.recipient)) return bad(21002, '请求参数不能为空');
            let parcel = courier.byOrder.get(order.object_id);
            if (!parcel) {
              left -= 1;
              parcel = courier.issue('PDT', wanted.wp_code, order.object_id, { request: wanted });
              parcel.extra['recipient'] = { name: order.recipient?.name, mobile: order.recipient?.mobile, address: order.recipient?.address?.detail };
              parcel.extra['printData'] = JSON.stringify({ encryptedData: `PDD:${Buffer.from(parcel.no).toString('base64')}`, signature: 'sig', templateUrl: order.template_url, ver: '3' });
            }
            return { pdd_waybill_get_response: { modules: [{ object_id: order.object_id, parent_waybill_code: '', print_data: parcel.extra['printData'], waybill_code: parcel.no }] } };
          }
          case 'pdd.waybill.cancel': {
            const parcel = courier.parcels.get(p.get('waybill_code') ?? '');
            if (parcel?.status === 'issued' && parcel.carrier === p.get('wp_code')) {
              parcel.status = 'cancelled';
              left += 1;
            }
            return { pdd_waybill_cancel_response: { cancel_result: parcel?.status === 'cancelled' } };
          }
          case 'pdd.waybill.search': return { pdd_waybill_search_response: { waybill_apply_subscription_cols: [{ wp_code: p.get('wp_code'), wp_type: 2, branch_account_cols: [{ branch_code: 'P-1', branch_name: 'branch', quantity: left, allocated_quantity: 800 - left, shipp_address_cols: [] }] }] } };
          default: return bad(10017, 'type不正确');
        }
      });
    });
  },
};

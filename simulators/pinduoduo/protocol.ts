import { randomUUID } from 'node:crypto';
import type { Platform, Protocol } from '../platform/protocol.ts';
import { ShopError } from '../platform/shop.ts';
import { underFaults } from '../platform/start-platform.ts';
import { message, messages } from './messages.ts';
import { bare, clock as beijing, listAfterSale, NO_EXTRA, showAfterSale, showOrder, type Extra } from './show.ts';
import { expectedSign } from './signing.ts';

const TOKEN_S = 86_400;
const REFRESH_S = 30 * 86_400;
const SKEW_S = 600;
/** What changed less long ago may not be listed yet. */
const LAG_MS = 180_000;
const WINDOW_S = 1_800;
const MONTHS_S = 90 * 86_400;

class Refusal extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
type Params = URLSearchParams;
type Method = { writes: boolean; reply: string | null; run: (p: Params) => Record<string, unknown> };
/** What the platform keeps of an order beside the shop's state, with what is changed of it; a test puts an order under review here. */
export function extraOf(platform: Platform, orderId: string, change: Partial<Extra> = {}): Extra {
  const all = platform.memory<Record<string, Extra>>('extras', {});
  return (all[orderId] = { ...NO_EXTRA, ...all[orderId], ...change });
}

/** 拼多多 as protocols.md (A4.3) and its documentation give it: one address for all calls, signed forms, messages over a WebSocket, lists that are behind and that must be paged from their end. */
export const pinduoduo: Protocol = {
  restores: 'unpaid', batch: 1, deadlineMs: 30_000, retries: [60_000, 300_000, 600_000, 1_800_000], signsTries: true, lineId: (item) => item.sku, stream: messages,
  acknowledged: (status) => status === 200,
  push: ([event], platform, { bad }) => (event ? message(event, platform, bad) : null),

  routes(app, platform: Platform) {
    const { shop, settings, clock } = platform;
    const tokens = platform.memory('tokens', { access: '', refresh: '', until: 0, refreshUntil: 0, code: String(settings['code']) });
    const issue = (): Record<string, unknown> => {
      Object.assign(tokens, { access: randomUUID(), refresh: randomUUID(), until: clock() + TOKEN_S * 1000, refreshUntil: clock() + REFRESH_S * 1000 });
      platform.counts['tokens'] = (platform.counts['tokens'] ?? 0) + 1;
      return { access_token: tokens.access, expires_in: TOKEN_S, refresh_token: tokens.refresh, refresh_token_expires_in: REFRESH_S, owner_id: String(settings['mallId']), owner_name: 'pdd-sim', scope: ['pdd.order.information.get'] };
    };
    const need = (p: Params, ...names: string[]): string[] => names.map((name) => { const value = p.get(name); if (value === null || value === '') throw new Refusal('21002', `${name} 不能为空`); return value; });
    const window = (p: Params): { from: number; to: number; page: number; size: number } => {
      const [from, to] = need(p, 'start_updated_at', 'end_updated_at').map(Number) as [number, number];
      const [page, size] = [Number(p.get('page') ?? 1), Number(p.get('page_size') ?? 100)];
      if (!(to > from) || to - from > WINDOW_S) throw new Refusal('21001', '开始时间结束时间间距不超过30分钟');
      if (from < clock() / 1000 - MONTHS_S || page < 1 || size > 100) throw new Refusal('21001', '请求参数错误');
      return { from: from * 1000, to: to * 1000, page, size };
    };
    /** Orders are shown from their conclusion on. */
    const concluded = (sn: string): ReturnType<typeof shop.order> => {
      const order = shop.order(sn);
      if (order.paidAt === null) throw new ShopError('no_order', 'not concluded');
      return order;
    };
    const listed = (at: number, from: number, to: number): boolean => at >= from && at <= to && at <= clock() - LAG_MS;
    const carried = (p: Params, name: string): Record<string, unknown> => { try { return JSON.parse((p.get(name) ?? '').replace(/([:[,])(\d{16,})(?=[,\]}])/g, '$1"$2"')) as Record<string, unknown>; } catch { throw new Refusal('21001', `${name} 不是JSON`); } };
    const track = (carrier: string, number: string): void => { if (!/^\d+$/.test(carrier) || number === '') throw new Refusal('21001', '快递公司编号或快递单号错误'); };
    const agree = (p: Params, kind: 'refund' | 'return'): Record<string, unknown> => {
      const request = carried(p, 'request');
      const { order, afterSale } = shop.afterSale(String(request['after_sales_id']));
      if (order.id !== request['order_sn'] || afterSale.kind !== kind) throw new Refusal('50001', '售后单与订单或售后类型不匹配');
      if (kind === 'return' && typeof request['return_address_id'] !== 'string') throw new Refusal('21002', 'return_address_id 不能为空');
      if (afterSale.status !== 'requested') return { success: false, error_code: 50001, error_msg: '售后单状态不允许该操作' };
      shop.moveAfterSale(afterSale.id, 'agreed', 'shop');
      return { success: true, error_code: 0, error_msg: '', result: { success: true } };
    };
    const methods: Record<string, Method> = {
      'pdd.pop.auth.token.create': { writes: false, reply: 'pop_auth_token_create_response', run: (p) => {
        if (p.get('code') !== tokens.code || tokens.code === '') throw new Refusal('50001', 'code 已使用或不正确');
        tokens.code = '';
        return issue();
      } },
      'pdd.pop.auth.token.refresh': { writes: false, reply: 'pop_auth_token_refresh_response', run: (p) => {
        if (p.get('refresh_token') !== tokens.refresh || clock() > tokens.refreshUntil) throw new Refusal('50001', 'refresh_token 已失效');
        return issue();
      } },
      'pdd.pmc.user.permit': { writes: false, reply: 'pmc_user_permit_response', run: () => { platform.counts['permits'] = (platform.counts['permits'] ?? 0) + 1; return { is_success: true }; } },
      'pdd.order.information.get': { writes: false, reply: 'order_info_get_response', run: (p) => { const [sn] = need(p, 'order_sn') as [string]; return { order_info: showOrder(concluded(sn), extraOf(platform, sn)) }; } },
      'pdd.order.number.list.increment.get': { writes: false, reply: 'order_sn_increment_get_response', run: (p) => {
        const { from, to, page, size } = window(p);
        const all = shop.changed(0, Number.MAX_SAFE_INTEGER).filter((o) => o.paidAt !== null && listed(o.updatedAt, from, to));
        return { total_count: all.length, order_sn_list: all.slice((page - 1) * size, page * size).map((o) => ({ order_sn: o.id, updated_at: beijing(o.updatedAt), order_status: 1, refund_status: 1 })) };
      } },
      'pdd.refund.list.increment.get': { writes: false, reply: 'refund_increment_get_response', run: (p) => {
        need(p, 'after_sales_status', 'after_sales_type');
        const { from, to, page, size } = window(p);
        const sn = p.get('order_sn') ?? '';
        const all = (sn === '' ? [...shop.orders.values()] : [shop.order(sn)]).flatMap((o) => o.afterSales.map((a) => ({ o, a }))).filter(({ a }) => sn !== '' || listed(a.updatedAt, from, to));
        return { total_count: all.length, refund_list: all.slice((page - 1) * size, page * size).map(({ o, a }) => listAfterSale(o, a)) };
      } },
      'pdd.refund.information.get': { writes: false, reply: null, run: (p) => {
        const [sn, which] = need(p, 'order_sn', 'after_sales_id') as [string, string];
        const { order, afterSale } = shop.afterSale(which);
        if (order.id !== sn) throw new Refusal('50001', '售后单不属于该订单');
        return showAfterSale(order, afterSale);
      } },
      'pdd.refund.agree': { writes: true, reply: 'response', run: (p) => agree(p, 'refund') },
      'pdd.refund.returngoods.agree': { writes: true, reply: 'response', run: (p) => agree(p, 'return') },
      'pdd.goods.information.get': { writes: false, reply: 'goods_info_get_response', run: (p) => {
        const [goods] = need(p, 'goods_id') as [string];
        const skus = [...shop.items.values()].filter((i) => i.itemId === goods);
        if (skus.length === 0) throw new Refusal('50001', '商品不存在');
        return { goods_info: { goods_id: `@${goods}`, goods_name: skus[0]?.title, is_onsale: 1, sku_list: skus.map((i) => ({ sku_id: /^\d+$/.test(i.sku) ? `@${i.sku}` : i.sku, outer_id: i.merchantCode, sku_quantity: i.stock, group_price: (i.price / 100).toFixed(2), is_sku_onsale: 1 })) } };
      } },
      'pdd.goods.quantity.update': { writes: true, reply: 'goods_quantity_update_response', run: (p) => {
        const [goods, sku, quantity] = need(p, 'goods_id', 'sku_id', 'quantity') as [string, string, string];
        if (shop.item(sku).itemId !== goods || !/^-?\d+$/.test(quantity)) throw new Refusal('21001', '请求参数错误');
        if (p.get('update_type') === '2') shop.addStock(sku, Number(quantity), null);
        else shop.setStock(sku, Number(quantity), null);
        return { is_success: true };
      } },
      'pdd.logistics.online.send': { writes: true, reply: 'logistics_online_send_response', run: (p) => {
        const [sn, carrier, number] = need(p, 'order_sn', 'logistics_id', 'tracking_number') as [string, string, string];
        track(carrier, number);
        const order = shop.order(sn);
        const { review, paused } = extraOf(platform, sn);
        if (order.status !== 'to_ship' || review || paused) throw new Refusal('50001', '订单状态不可发货');
        shop.ship(sn, { key: number, carrier, number, lines: null });
        return { is_success: true };
      } },
      'pdd.order.upload.extra.logistics': { writes: true, reply: 'upload_extra_logistics_response', run: (p) => {
        const [sn] = need(p, 'order_sn', 'extra_track_list') as [string];
        const order = shop.order(sn);
        if (order.status !== 'shipped' && order.status !== 'done') throw new Refusal('50001', '订单未发货');
        const more = JSON.parse(p.get('extra_track_list') ?? '[]') as Extra['tracks'];
        for (const t of more) track(String(t.shipping_id), t.tracking_number);
        extraOf(platform, sn, { tracks: [...extraOf(platform, sn).tracks, ...more] });
        return { success: true };
      } },
    };

    const no = (code: string, error_msg: string, sub_msg = ''): string => JSON.stringify({ error_response: { error_code: Number(code), error_msg, sub_code: sub_msg === '' ? null : code, sub_msg, request_id: randomUUID() } });
    app.post('/api/router', async (request, reply) => {
      reply.header('content-type', 'application/json');
      const p = new URLSearchParams((request.body as Buffer | null)?.toString('utf8') ?? '');
      const method = methods[p.get('type') ?? ''];
      if (!(request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded') || p.get('client_id') === null || !/^\d{10}$/.test(p.get('timestamp') ?? '')) return no('10001', '公共参数错误');
      if (!method) return no('10017', 'type不正确');
      if (p.get('client_id') !== settings['clientId']) return no('10016', 'client下线或者clientId不正确');
      if (Math.abs(clock() / 1000 - Number(p.get('timestamp'))) > SKEW_S) return no('10001', '公共参数错误:timestamp');
      if (p.get('sign') !== expectedSign(p.entries(), String(settings['clientSecret']))) return no('20004', '签名sign校验失败');
      const auth = (p.get('type') ?? '').startsWith('pdd.pop.auth.');
      if (!auth && (p.get('access_token') !== tokens.access || clock() > tokens.until)) return no('10019', 'access_token已过期');
      const answer = (): string => {
        try {
          const data = method.run(p);
          return bare(JSON.stringify(method.reply === null ? data : { [method.reply]: data }));
        } catch (error) {
          if (error instanceof Refusal) return no(error.code, '业务服务错误', error.message);
          if (error instanceof ShopError) return no('50001', '业务服务错误', error.code === 'no_order' ? '订单不存在' : error.code === 'not_enough' ? '库存不能小于0' : error.message);
          throw error;
        }
      };
      if (auth) return answer();
      return underFaults(platform, method.writes, {
        down: () => reply.code(502).send('bad gateway') as unknown as string, throttled: () => no('52101', '当前接口被限流，请稍后重试'), error: () => no('52001', '网关业务服务错误'),
      }, answer);
    });
  },
};

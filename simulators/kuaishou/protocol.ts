import { randomUUID } from 'node:crypto';
import type { Platform, Protocol, PushRequest } from '../platform/protocol.ts';
import { ShopError } from '../platform/shop.ts';
import { underFaults } from '../platform/start-platform.ts';
import { bare, base, detail, refundStatus, showRefund, STATUS, WAY } from './show.ts';
import { expectedSign, seal } from './signing.ts';

const TOKEN_S = 172_800;
const REFRESH_MS = 180 * 86_400_000;
const DAY_MS = 86_400_000;
/** Fewer than a caller may ask for: a short page is not the last one. */
const MOST_LISTED = 20;
const EVENTS = { created: 'addOrder', paid: 'paySuccess', cancelled: 'orderFail', shipped: 'deliverySuccess', done: 'orderSuccess' } as const;

class Refusal extends Error {
  readonly result: number;
  readonly code: string;
  constructor(result: number, code: string, message: string) {
    super(message);
    this.result = result;
    this.code = code;
  }
}

const message = (settings: Platform['settings'], plain: string, key = String(settings['messageKey'])): PushRequest => ({ method: 'POST', query: '', headers: { 'content-type': 'text/plain;charset=utf-8' }, body: seal(plain, key) });

type Params = Record<string, unknown>;
const t = (value: unknown): string => String(value as string | number);

/** 快手小店 as protocols.md gives it (A2): form calls signed with the sign secret, messages encrypted whole, a heartbeat whose failure pauses them, stock that moves by increments without a key. */
export const kuaishou: Protocol = {
  restores: 'unpaid', batch: 1, deadlineMs: 3_000, retries: [300_000, 600_000, 1_200_000, 1_800_000, 3_600_000], pauses: true,
  acknowledged(status, body) {
    try {
      return status === 200 && (JSON.parse(body) as { result?: unknown }).result === 1;
    } catch {
      return false;
    }
  },

  /** No event tells another address: the order's update time does. */
  push([event], { settings }, { bad }) {
    const { order, afterSale, kind } = event ?? {};
    if (!event || !order || !kind || kind === 'address' || kind === 'stock') return null;
    const part = kind === 'shipped' && order.status === 'part_shipped';
    const name = afterSale ? `kwaishop_aftersales_${afterSale.status === 'requested' ? 'addRefund' : 'updateRefund'}` : `kwaishop_order_${part ? 'delivering' : EVENTS[kind as keyof typeof EVENTS]}`;
    const info = afterSale
      ? { orderId: `@${order.id}`, refundId: `@${afterSale.id}`, handlingWay: WAY[afterSale.kind], specialRefundType: 0, status: refundStatus(afterSale), createTime: afterSale.updatedAt }
      : { oid: `@${order.id}`, sellerId: '@12342323', status: STATUS[order.status], updateTime: order.updatedAt };
    const plain = bare(JSON.stringify({ eventId: event.id, bizId: `@${afterSale?.id ?? order.id}`, userId: 12_342_323, openId: 'seller-open-id', appKey: settings['appKey'], event: name, info: bare(JSON.stringify(info)), createTime: event.at, test: false }));
    const request = message(settings, plain, bad === 'forged' ? Buffer.from('another message!').toString('base64') : undefined);
    return bad === 'truncated' ? { ...request, body: request.body.slice(0, -7) } : request;
  },

  probe: ({ settings }) => ({ request: message(settings, '{"test":true}'), good: (status, body) => status === 200 && body.replaceAll(' ', '') === '{"result":1}' }),

  routes(app, platform: Platform) {
    const { shop, settings, clock } = platform;
    const tokens = platform.memory('tokens', { access: '', refresh: '', until: 0, refreshUntil: 0, code: String(settings['code']) });
    const issue = (): Record<string, unknown> => {
      Object.assign(tokens, { access: randomUUID(), refresh: randomUUID(), until: clock() + TOKEN_S * 1000 });
      platform.counts['tokens'] = (platform.counts['tokens'] ?? 0) + 1;
      return { result: 1, access_token: tokens.access, expires_in: TOKEN_S, refresh_token: tokens.refresh, refresh_token_expires_in: Math.floor((tokens.refreshUntil - clock()) / 1000), open_id: 'seller-open-id', scopes: ['merchant_order', 'merchant_item'] };
    };
    const oauth: Record<string, (p: URLSearchParams) => Record<string, unknown>> = {
      '/oauth2/access_token': (p) => {
        // A code is good once.
        if (p.get('grant_type') !== 'code' || p.get('code') !== tokens.code) return { result: 100200100, error: 'invalid_code', error_msg: 'the code was used or is unknown' };
        Object.assign(tokens, { code: '', refreshUntil: clock() + REFRESH_MS });
        return issue();
      },
      '/oauth2/refresh_token': (p) => (p.get('grant_type') !== 'refresh_token' || p.get('refresh_token') !== tokens.refresh || clock() > tokens.refreshUntil
        ? { result: 100200101, error: 'refreshToken.discarded', error_msg: 'the refresh token was used or is unknown' } : issue()),
    };
    const methods: Record<string, { writes: boolean; run: (p: Params) => unknown }> = {
      'open.order.detail': { writes: false, run: (p) => { const order = shop.orders.get(t(p['oid'])); return order ? detail(order) : {}; } },
      'open.order.cursor.list': { writes: false, run: (p) => {
        const [from, to] = [Number(p['beginTime']), Number(p['endTime'])];
        if (!(to > from)) throw new Refusal(2001, '807000', 'endTime 不合法');
        if (to - from > 7 * DAY_MS) throw new Refusal(2001, '300004', 'SEARCH TIME RANGE EXPAND 7 DAYS');
        if (from < clock() - 90 * DAY_MS) throw new Refusal(2001, '300005', 'CAN NOT SEARCH BEFORE 90 DAYS');
        const after = Number(Buffer.from(t(p['cursor']), 'base64').toString()) || 0;
        const all = shop.changed(from, to + 1);
        const page = all.slice(after, after + Math.min(Number(p['pageSize']), MOST_LISTED));
        const end = after + page.length;
        return { orderList: page.map((o) => ({ orderBaseInfo: base(o) })), cursor: end >= all.length ? 'nomore' : Buffer.from(String(end)).toString('base64') };
      } },
      'open.seller.order.refund.detail': { writes: false, run: (p) => { const { order, afterSale } = shop.afterSale(t(p['refundId'])); return showRefund(order, afterSale); } },
      'open.seller.order.refund.approve': { writes: true, run: (p) => decide(p, 'refund', true) },
      'open.seller.order.refund.returngoods.approve': { writes: true, run: (p) => decide(p, 'return', true) },
      'open.seller.order.refund.disagree.refund': { writes: true, run: (p) => decide(p, null, false) },
      'open.seller.order.goods.deliver': { writes: true, run: (p) => {
        const order = shop.order(t(p['orderId']));
        if (order.status !== 'to_ship') throw new Refusal(11, '11', 'order operation reject');
        if (!Number.isInteger(p['expressCode'])) throw new Refusal(2001, '2001', 'expressCode 不合法');
        shop.ship(order.id, { key: t(p['expressNo']), carrier: t(p['expressCode']), number: t(p['expressNo']), lines: null });
        return {};
      } },
      'open.order.goods.split.deliver': { writes: true, run: (p) => {
        const packs = p['deliveryItemInfoList'] as { expressCode: number; expressNo: string; deliveryGoodsInfoList: { oid: string | number; deliveryNum: number }[] }[];
        const order = shop.order(t(p['mainOrderId']));
        for (const pack of packs) {
          // No key: the same parcel twice is refused as more than there is to ship.
          if (order.parcels.some((x) => x.number === pack.expressNo)) throw new Refusal(11, '11', 'order operation reject');
          shop.ship(order.id, { key: pack.expressNo, carrier: t(pack.expressCode), number: pack.expressNo, lines: pack.deliveryGoodsInfoList.map((x) => ({ lineId: t(x.oid), quantity: x.deliveryNum })) });
        }
        return {};
      } },
      'open.item.sku.list.get': { writes: false, run: (p) => [...shop.items.values()].filter((i) => i.itemId === t(p['kwaiItemId'])).map((i) => ({ kwaiSkuId: /^\d+$/.test(i.sku) ? `@${i.sku}` : i.sku, relSkuId: 0, skuNick: i.merchantCode, skuStock: i.stock, skuSalePrice: i.price, isValid: 1 })) },
      'open.item.sku.stock.update': { writes: true, run: (p) => {
        const change = Number(p['skuChangeStock']);
        if (!Number.isInteger(change) || change <= 0 || change >= 9_999_999 || (p['changeType'] !== 1 && p['changeType'] !== 2)) throw new Refusal(2001, '2001', 'skuChangeStock 不合法');
        if (shop.item(t(p['skuId'])).itemId !== t(p['kwaiItemId'])) throw new ShopError('no_item', 'the item has no such SKU');
        return { stock: shop.addStock(t(p['skuId']), p['changeType'] === 1 ? change : -change, null).stock };
      } },
    };
    function decide(p: Params, kind: 'refund' | 'return' | null, approved: boolean): Record<string, unknown> {
      const { afterSale } = shop.afterSale(t(p['refundId']));
      if (kind !== null && afterSale.kind !== kind) throw new Refusal(2001, '300008', 'HANDING WAY ERROR');
      if (afterSale.status !== 'requested') throw new Refusal(2001, '300010', 'REFUND ORDER STATUS ERROR');
      if (approved && Number(p['refundAmount']) <= 0) throw new Refusal(2001, '300009', 'REFUND AMOUNT IS ZERO');
      shop.moveAfterSale(afterSale.id, approved ? 'agreed' : 'refused', 'shop');
      return {};
    }

    const ok = (data: unknown): string => bare(JSON.stringify({ result: 1, code: 1, msg: 'success', error_msg: 'SUCCESS', data }));
    const no = (result: number, code: string, error_msg: string): string => JSON.stringify({ result, code, error_msg, sub_code: '', sub_msg: '' });
    app.route({ method: ['GET', 'POST'], url: '/*', handler: async (request, reply) => {
      reply.header('content-type', 'application/json');
      const url = new URL(request.url, 'http://x');
      const form = request.method === 'GET' ? url.searchParams : new URLSearchParams((request.body as Buffer | null)?.toString('utf8') ?? '');
      const grant = oauth[url.pathname];
      if (grant) return form.get('app_id') === settings['appKey'] && form.get('app_secret') === settings['appSecret'] ? JSON.stringify(grant(form)) : no(100200102, 'invalid_app', 'appKey or appSecret is wrong');
      const method = form.get('method') ?? '';
      const found = methods[method];
      if (!found || url.pathname !== `/${method.replaceAll('.', '/')}`) return no(12, '12', 'the method does not exist');
      if (request.method === 'POST' && !(request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')) return no(13, '13', 'only forms are taken');
      if (found.writes !== (request.method === 'POST')) return no(14, '14', 'reads are GET, writes are POST');
      if (form.get('appkey') !== settings['appKey'] || form.get('version') !== '1' || form.get('sign') !== expectedSign(new Map(form.entries()), String(settings['signSecret']))) return no(10, '10', '验签失败');
      if (form.get('access_token') !== tokens.access || clock() > tokens.until) return no(28, '28', '鉴权失败 access_token');
      return underFaults(platform, found.writes, {
        down: () => reply.code(502).send('bad gateway') as unknown as string, throttled: () => no(1017, '1017', 'Exceed qps limit 50 MAX_QPS'), error: () => no(0, '0', '系统异常，请稍后再试'),
      }, () => {
        try {
          return ok(found.run(JSON.parse((form.get('param') ?? '{}').replace(/([:[,])(-?\d{16,})(?=[,\]}])/g, '$1"$2"')) as Params));
        } catch (error) {
          if (error instanceof Refusal) return no(error.result, error.code, error.message);
          if (error instanceof ShopError) return error.code === 'not_enough' ? no(21, '21', '当前库存不足，请减少预留数量') : no(2001, error.code === 'no_after_sale' ? '300011' : '2001', error.message);
          throw error;
        }
      });
    } });
  },
};

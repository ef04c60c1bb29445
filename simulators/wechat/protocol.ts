import { randomInt, randomUUID } from 'node:crypto';
import type { Platform, Protocol } from '../platform/protocol.ts';
import type { Item } from '../platform/order.ts';
import { poolsOf, ShopError } from '../platform/shop.ts';
import { underFaults } from '../platform/start-platform.ts';
import { bare, claimStatus, s, showClaim, showOrder } from './show.ts';
import { digest, wrap } from './signing.ts';

const TOKEN_S = 7_200;
/** Fewer than a caller may ask for: `has_more` says whether there is more, not the length of a page. */
const MOST_LISTED = 20;
const WEEK_S = 7 * 86_400;

class Refusal extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

type Params = Record<string, unknown>;
const t = (value: unknown): string => String(value as string | number);
const EVENTS = { created: 'new', paid: 'pay', cancelled: 'cancel', shipped: 'deliver', done: 'confirm', address: 'ext_info_update' } as const;

/** 视频号小店 as protocols.md gives it (A3): events encrypted and signed by msg_signature, an echostr to answer, errcode under HTTP 200, stock in differences without a key, units locked by unpaid orders. */
export const wechat: Protocol = {
  restores: 'unpaid', batch: 1, deadlineMs: 5_000, retries: [0, 0, 10_000, 60_000, 300_000, 1_800_000, 3_600_000, 3_600_000, 3_600_000],
  lineId: (item) => `${item.itemId}/${item.sku}`,
  acknowledged: (status, body) => status === 200 && (body === 'success' || body === ''),

  push([event], { settings, clock }, { bad, at }) {
    if (!event) return null;
    const { order, afterSale, item, kind } = event;
    const payload = item ? { Event: 'channels_ec_stock_no_enough', product_id: item.itemId, sku_id: item.sku, remaining_stock_amount: item.stock }
      : !order ? null
        : afterSale ? { Event: 'channels_ec_aftersale_update', finder_shop_aftersale_status_update: { status: claimStatus(afterSale), after_sale_order_id: afterSale.id, order_id: order.id } }
          : {
            Event: `channels_ec_order_${EVENTS[kind as keyof typeof EVENTS]}`, order_info: {
              order_id: `@${order.id}`, ...(kind === 'paid' ? { pay_time: s(order.paidAt ?? 0) } : {}), ...(kind === 'cancelled' ? { cancel_type: 1 } : {}), ...(kind === 'shipped' ? { finish_delivery: order.status === 'shipped' ? 1 : 0 } : {}),
              ...(kind === 'done' ? { confirm_type: 1 } : {}), ...(kind === 'address' ? { type: 1 } : {}),
            },
          };
    if (!payload) return null;
    const message = bare(JSON.stringify({ ToUserName: 'gh_97417a04a28d', FromUserName: 'o9AgO5Kd5ggOC-bXrbNODIiE3bGY', CreateTime: s(event.at), MsgType: 'event', ...payload }));
    const encrypted = wrap(message, String(settings['appId']), String(settings['encodingAesKey']));
    const [timestamp, nonce] = [String(s(at ?? clock())), String(randomInt(1_000_000_000))];
    const token = bad === 'forged' ? 'somebody else' : String(settings['token']);
    const query = new URLSearchParams({ signature: digest([token, timestamp, nonce]), timestamp, nonce, openid: 'o9AgO5Kd5ggOC-bXrbNODIiE3bGY', encrypt_type: 'aes', msg_signature: digest([token, timestamp, nonce, encrypted]) });
    return { method: 'POST', query: query.toString(), headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ToUserName: 'gh_97417a04a28d', Encrypt: bad === 'truncated' ? encrypted.slice(0, -24) : encrypted }) };
  },

  probe({ settings, clock }) {
    const [timestamp, nonce, echostr] = [String(s(clock())), String(randomInt(1_000_000_000)), String(4_375_120_948_345_356_249n)];
    const query = new URLSearchParams({ signature: digest([String(settings['token']), timestamp, nonce]), timestamp, nonce, echostr });
    return { request: { method: 'GET', query: query.toString(), headers: {}, body: '' }, good: (status, body) => status === 200 && body === echostr };
  },

  routes(app, platform: Platform) {
    const { shop, settings, clock } = platform;
    const token = platform.memory('token', { access: '', until: 0 });
    const flow: { product_id: string; sku_id: string; diff: number; op_type: number; create_time: number }[] = [];
    /** An item by its product and SKU. */
    const item = (p: Params): Item => {
      const found = shop.items.get(t(p['sku_id']));
      if (found?.itemId !== t(p['product_id'])) throw new Refusal(10020052, 'the SKU was not found');
      return found;
    };
    const warehouse = settings['warehouseId'] as string | undefined;
    /** Common stock falls when an order is placed; a warehouse's number stays and says how much of it is locked until the order is paid. */
    const stockOf = (i: Item): Params => ({
      normal_stock_num: warehouse === undefined ? poolsOf(i).normal : 0, limited_discount_stock_num: poolsOf(i).campaign, finder_total_num: poolsOf(i).channel, total_stock_num: i.stock + (warehouse === undefined ? 0 : i.held),
      warehouse_stocks: warehouse === undefined ? [] : [{ out_warehouse_id: warehouse, num: poolsOf(i).normal + i.held, lock_stock: i.held }],
    });
    const update = (p: Params): Params => {
      const found = item(p);
      const num = Number(p['num']);
      const type = Number(p['diff_type']);
      if (!Number.isInteger(num) || num < 0 || ![1, 2, 3].includes(type)) throw new Refusal(10020055, 'a parameter is wrong');
      if (num === 0 && type !== 3) throw new Refusal(10020218, 'the difference is 0');
      const diff = type === 1 ? num : type === 2 ? -num : num - found.stock;
      shop.addStock(found.sku, diff, null);
      flow.push({ product_id: found.itemId, sku_id: found.sku, diff, op_type: type, create_time: s(clock()) });
      return {};
    };
    const methods: Record<string, { writes: boolean; run: (p: Params) => Params }> = {
      'order/get': { writes: false, run: (p) => {
        const order = shop.orders.get(t(p['order_id']));
        if (!order) throw new Refusal(10060002, 'the order does not exist');
        return { order: showOrder(order, p['encode_sensitive_info'] === true) };
      } },
      'order/list/get': { writes: false, run: (p) => {
        const range = (p['update_time_range'] ?? {}) as { start_time?: number; end_time?: number };
        const [from, to] = [Number(range.start_time), Number(range.end_time)];
        if (!(to >= from) || to - from > WEEK_S || Number(p['page_size']) > 100) throw new Refusal(40097, 'the time range or page_size is wrong');
        const after = Number(Buffer.from(t(p['next_key'] ?? ''), 'base64').toString()) || 0;
        const all = shop.changed(from * 1000, to * 1000 + 1000);
        const page = all.slice(after, after + Math.min(Number(p['page_size']), MOST_LISTED));
        return { order_id_list: page.map((o) => o.id), next_key: Buffer.from(String(after + page.length)).toString('base64'), has_more: after + page.length < all.length };
      } },
      'order/delivery/send': { writes: true, run: (p) => {
        const order = shop.order(t(p['order_id']));
        for (const d of p['delivery_list'] as { delivery_id: string; waybill_id: string; product_infos: { product_id: string; sku_id: string; product_cnt: number }[] }[]) {
          if (order.parcels.some((x) => x.number === d.waybill_id)) throw new Refusal(10060022, 'the waybill is there already');
          shop.ship(order.id, { key: d.waybill_id, carrier: d.delivery_id, number: d.waybill_id, lines: d.product_infos.map((x) => ({ lineId: order.lines.find((l) => l.itemId === x.product_id && l.sku === x.sku_id)?.lineId ?? '', quantity: x.product_cnt })) });
        }
        return {};
      } },
      'aftersale/getaftersaleorder': { writes: false, run: (p) => { const { order, afterSale } = shop.afterSale(t(p['after_sale_order_id'])); return { after_sale_order: showClaim(order, afterSale) }; } },
      'aftersale/acceptapply': { writes: true, run: (p) => decide(p, true) },
      'aftersale/rejectapply': { writes: true, run: (p) => decide(p, false) },
      'product/stock/get': { writes: false, run: (p) => ({ data: stockOf(item(p)) }) },
      'product/stock/getflow': { writes: false, run: (p) => { const found = item(p); return { data: { stock_flow_info_list: flow.filter((f) => f.sku_id === found.sku && f.create_time >= Number(p['begin_time']) && f.create_time <= Number(p['end_time'])), next_key: '' } }; } },
      'product/stock/update': { writes: true, run: (p) => { if (warehouse !== undefined) throw new Refusal(10020091, 'the SKU is sold from warehouses'); return update(p); } },
      'warehouse/stock/update': { writes: true, run: (p) => { if (p['out_warehouse_id'] !== warehouse || warehouse === undefined) throw new Refusal(10020091, 'there is no such warehouse'); return update(p); } },
    };
    function decide(p: Params, approved: boolean): Params {
      const { afterSale } = shop.afterSale(t(p['after_sale_order_id']));
      if (afterSale.status !== 'requested') throw new Refusal(10070006, 'the state does not allow that');
      if (approved && afterSale.kind !== 'refund' && p['address_id'] === undefined) throw new Refusal(10070011, 'address_id is missing');
      shop.moveAfterSale(afterSale.id, approved ? 'agreed' : 'refused', 'shop');
      return {};
    }

    const no = (errcode: number, errmsg: string): string => JSON.stringify({ errcode, errmsg: `${errmsg} rid: ${randomUUID()}` });
    app.post('/cgi-bin/stable_token', (request, reply) => {
      reply.header('content-type', 'application/json');
      const p = JSON.parse((request.body as Buffer).toString('utf8')) as Params;
      if (platform.faults.down) return reply.code(502).send('bad gateway');
      if (p['appid'] !== settings['appId'] || p['secret'] !== settings['appSecret'] || p['grant_type'] !== 'client_credential') return no(40001, 'invalid credential');
      // The same one while it lasts, whoever asks.
      if (p['force_refresh'] === true || clock() > token.until - 300_000) {
        Object.assign(token, { access: randomUUID(), until: clock() + TOKEN_S * 1000 });
        platform.counts['tokens'] = (platform.counts['tokens'] ?? 0) + 1;
      }
      return JSON.stringify({ access_token: token.access, expires_in: Math.floor((token.until - clock()) / 1000) });
    });
    app.route({ method: ['GET', 'POST'], url: '/channels/ec/*', handler: async (request, reply) => {
      reply.header('content-type', 'application/json');
      if (request.method !== 'POST') return no(43002, 'require POST method');
      const path = new URL(request.url, 'http://x').pathname.slice('/channels/ec/'.length);
      const found = methods[path];
      if (!found) return no(40066, 'invalid url');
      const access = (request.query as Record<string, string>)['access_token'];
      if (access === undefined) return no(41001, 'access_token missing');
      if (access !== token.access) return no(40001, 'invalid credential, access_token is invalid or not latest');
      if (clock() > token.until) return no(42001, 'access_token expired');
      const json = (request.body as Buffer | null)?.toString('utf8') ?? '';
      if (json === '') return no(44002, 'empty post data');
      let params: Params;
      try {
        params = JSON.parse(json) as Params;
      } catch {
        return no(47001, 'data format error');
      }
      return underFaults(platform, found.writes, {
        down: () => reply.code(502).send('bad gateway') as unknown as string, throttled: () => (path.endsWith('stock/update') ? no(10020112, 'the SKU is updated too often') : no(45011, 'api minute-quota reach limit')), error: () => no(-1, 'system error'),
      }, () => {
        try {
          return bare(JSON.stringify({ errcode: 0, errmsg: 'ok', ...found.run(params) }));
        } catch (error) {
          if (error instanceof Refusal) return no(error.code, error.message);
          if (error instanceof ShopError) return no({ no_order: 10060002, no_item: 10020052, not_enough: 10020219, state: 10060015, invalid: 10020055, no_after_sale: 10070001 }[error.code], error.message);
          throw error;
        }
      });
    } });
  },
};

import { randomUUID } from 'node:crypto';
import type { Platform, Protocol } from '../platform/protocol.ts';
import type { AfterSale, Order } from '../platform/order.ts';
import { poolsOf, ShopError } from '../platform/shop.ts';
import { underFaults } from '../platform/start-platform.ts';
import { callSignature, eventSignature, isCanonical, readTimestamp } from './signing.ts';

const SKEW_MS = 600_000;
const TOKEN_MS = 604_800_000;
const s = (ms: number): number => Math.floor(ms / 1000);
const TAGS = { created: '100', paid: '101', cancelled: '106', address: '105', shipped: '102', done: '103', after_sale: '200', stock: '417' } as const;
const STATUS = { unpaid: 1, to_ship: 2, part_shipped: 101, shipped: 3, cancelled: 4, done: 5 } as const;
const AFTER_SALE = { requested: 6, agreed: 7, goods_sent: 11, done: 12, refused: 27, closed: 28 } as const;
const KIND: Record<AfterSale['kind'], number> = { return: 0, refund: 2, exchange: 3 };
/** Ids go out as bare JSON numbers: marked while the text is made. */
const bare = (json: string): string => json.replace(/"@(\d+)"/g, '$1');
const seal = (text: string): string => `#${Buffer.from(text).toString('base64')}#`;

function detail(order: Order, warehouse: number): Record<string, unknown> {
  const claim = order.afterSales.at(-1);
  // What it takes off an order it takes off its last line, and bears itself.
  const off = (l: Order['lines'][number]): number => (l === order.lines.at(-1) ? order.discount : 0);
  return {
    order_id: order.id, order_status: STATUS[order.status], main_status: STATUS[order.status], order_type: 0, pay_type: 2, create_time: s(order.createdAt), update_time: s(order.updatedAt), pay_time: order.paidAt === null ? 0 : s(order.paidAt),
    exp_ship_time: s(order.createdAt) + 172_800, order_amount: order.lines.reduce((sum, l) => sum + l.unitPrice * l.quantity, 0) + order.freight - order.discount, post_amount: order.freight, buyer_words: order.remark, doudian_open_id: order.buyerId,
    open_address_id: `oa-${Buffer.from(order.buyerId + order.address.street).toString('base64url')}`,
    encrypt_post_receiver: seal(order.address.name), encrypt_post_tel: seal(order.address.phone), mask_post_receiver: `${order.address.name.slice(0, 1)}**`, mask_post_tel: `${order.address.phone.slice(0, 3)}****${order.address.phone.slice(-4)}`,
    post_addr: { province: { id: '33', name: order.address.province }, city: { id: '3301', name: order.address.city }, town: { id: '330106', name: order.address.district }, street: { id: '', name: '' }, encrypt_detail: seal(order.address.street) },
    mask_post_addr: { detail: '***' }, logistics_info: order.parcels.map((p) => ({ tracking_no: p.number, company: p.carrier, ship_time: s(order.updatedAt) })),
    sku_order_list: order.lines.map((l) => ({
      order_id: l.lineId, parent_order_id: order.id, product_id: `@9${l.itemId.padStart(18, '0')}`, sku_id: l.sku, code: l.merchantCode, product_name: l.title, item_num: l.quantity, origin_amount: l.unitPrice,
      sum_amount: l.unitPrice * l.quantity, pay_amount: l.unitPrice * l.quantity - off(l), promotion_platform_amount: off(l), given_product_type: l.unitPrice === 0 ? 1 : 0, reduce_stock_type: l.takenWhenPaid ? 2 : 1, order_status: STATUS[order.status], inventory_list: [{ count: l.quantity, inventory_type: order.fulfilledBy === 'platform' ? warehouse : 1 }],
      after_sale_info: claim ? { after_sale_status: AFTER_SALE[claim.status], after_sale_type: KIND[claim.kind], refund_status: claim.status === 'done' ? 3 : 1 } : { after_sale_status: 0, after_sale_type: 0, refund_status: 0 },
    })),
  };
}

/** Error words that the connector must tell apart. */
class Refusal extends Error {
  readonly code: number;
  readonly sub: string;
  constructor(code: number, sub: string, message: string) {
    super(message);
    this.code = code;
    this.sub = sub;
  }
}

type Tokens = { access: string; refresh: string; until: number; before?: { refresh: string; until: number } };
const FETCHED_AGAIN_MS = 3_600_000;

/** 抖店 as protocols.md gives it (A1): signed calls, tokens whose refresh is good once, pushes in batches, pre-held stock, deltas under a key. */
export const douyin: Protocol = {
  restores: 'unpaid', batch: 20, deadlineMs: 5_000, retries: [1_000, 10_000, 60_000, 300_000],
  acknowledged(status, body) {
    if (status !== 200) return false;
    try {
      return (JSON.parse(body) as { code?: number }).code === 0;
    } catch {
      return false;
    }
  },

  push(events, { settings }, { bad }) {
    const messages = events.flatMap((event) => {
      const { order, afterSale } = event;
      if (!order) return [];
      const data = bare(JSON.stringify({
        p_id: `@${order.id}`, s_ids: order.lines.map((l) => `@${l.lineId}`), shop_id: 95250, order_status: STATUS[order.status], order_type: 0, biz: 2, update_time: s(order.updatedAt), create_time: s(order.createdAt),
        ...(afterSale ? { s_id: `@${afterSale.lines[0]?.lineId ?? order.id}`, aftersale_id: `@${afterSale.id}`, aftersale_status: AFTER_SALE[afterSale.status], aftersale_type: KIND[afterSale.kind], refund_amount: afterSale.amount, apply_time: s(afterSale.updatedAt) } : {}),
      }));
      const tag = event.kind === 'address' && order.wantedAddress ? '111' : event.kind === 'shipped' && order.status === 'part_shipped' ? '108' : TAGS[event.kind];
      return [{ tag, msg_id: `${s(event.at)}${randomUUID()}`, data }];
    });
    if (messages.length === 0) return null;
    const body = JSON.stringify(messages);
    const sign = eventSignature(String(settings['appKey']), body, bad === 'forged' ? 'somebody-else' : String(settings['appSecret']));
    return { method: 'POST', query: '', headers: { 'content-type': 'application/json', 'app-id': String(settings['appKey']), 'event-sign': sign }, body: bad === 'truncated' ? body.slice(0, -12) : body };
  },

  probe({ settings }) {
    const body = '[{"tag":"0","msg_id":"0","data":"2020-09-10T16:28:27"}]';
    return {
      request: { method: 'POST', query: '', headers: { 'content-type': 'application/json', 'app-id': String(settings['appKey']), 'event-sign': eventSignature(String(settings['appKey']), body, String(settings['appSecret'])) }, body },
      good: (status, answer) => status === 200 && (JSON.parse(answer) as { code: number }).code === 0,
    };
  },

  routes(app, platform: Platform) {
    const { shop, settings, clock } = platform;
    const tokens = platform.memory<Tokens>('tokens', { access: '', refresh: 'first-refresh', until: 0 });
    /** All its SKUs are regional ones of this warehouse. */
    const region = settings['warehouseId'] as string | undefined;
    const issue = (): Record<string, unknown> => {
      Object.assign(tokens, { access: randomUUID(), refresh: randomUUID(), until: clock() + TOKEN_MS, before: { refresh: tokens.refresh, until: clock() + FETCHED_AGAIN_MS } });
      platform.counts['tokens'] = (platform.counts['tokens'] ?? 0) + 1;
      return grant();
    };
    const grant = (): Record<string, unknown> => ({ access_token: tokens.access, expires_in: TOKEN_MS / 1000, refresh_token: tokens.refresh, scope: 'SCOPE', shop_id: settings['shopId'], shop_name: 'simulated' });
    type Params = Record<string, unknown>;
    const t = (value: unknown): string => String(value as string | number);
    const methods: Record<string, { writes: boolean; run: (p: Params) => unknown }> = {
      '/token/create': { writes: false, run: () => issue() },
      '/token/refresh': { writes: false, run: (p) => {
        // A refresh token that was used is dead at once; who has not got its answer may fetch it again for an hour.
        if (tokens.before?.refresh === t(p['refresh_token']) && clock() <= tokens.before.until) return grant();
        if (t(p['refresh_token']) !== tokens.refresh) throw new Refusal(40004, 'isv.parameter-invalid:refresh_token', 'refresh token is used or unknown');
        return issue();
      } },
      '/order/orderDetail': { writes: false, run: (p) => ({ shop_order_detail: detail(shop.order(t(p['shop_order_id'])), 4) }) },
      '/order/searchList': { writes: false, run: (p) => {
        const [size, page] = [Number(p['size']), Number(p['page'])];
        if (size > 100 || size * page > 50_000) throw new Refusal(40004, 'isv.parameter-invalid:page', 'size is at most 100 and page * size 50000');
        const all = shop.changed(Number(p['update_time_start']) * 1000, Number(p['update_time_end']) * 1000 + 1000);
        return { page, size, total: all.length, shop_order_list: all.slice(page * size, page * size + size).map((o) => ({ order_id: o.id, order_status: STATUS[o.status], update_time: s(o.updatedAt), create_time: s(o.createdAt) })) };
      } },
      '/afterSale/List': { writes: false, run: (p) => ({
        items: shop.order(t(p['order_id'])).afterSales.map((a) => ({
          aftersale_info: { aftersale_id: `@${a.id}`, aftersale_type: KIND[a.kind], aftersale_status: AFTER_SALE[a.status], refund_amount: a.amount, reason_text: a.reason, update_time: s(a.updatedAt) },
          order_info: { shop_order_id: t(p['order_id']), related_order_info: a.lines.map((l) => ({ sku_order_id: l.lineId, aftersale_item_num: l.quantity })) },
        })),
      }) },
      '/afterSale/Detail': { writes: false, run: (p) => { const { afterSale } = shop.afterSale(t(p['after_sale_id'])); return { process_info: { after_sale_info: { after_sale_id: afterSale.id, after_sale_type: KIND[afterSale.kind], after_sale_status: AFTER_SALE[afterSale.status] } } }; } },
      '/afterSale/operate': { writes: true, run: (p) => {
        const items = p['items'] as { aftersale_id: string }[];
        for (const item of items) {
          const { afterSale } = shop.afterSale(t(item.aftersale_id));
          if (afterSale.status !== 'requested') throw new Refusal(50002, 'isv.business-failed:20309541', 'the state does not allow that');
          shop.moveAfterSale(afterSale.id, [101, 111, 201].includes(Number(p['type'])) ? 'agreed' : 'refused', 'shop');
        }
        return { items: items.map((i) => ({ aftersale_id: i.aftersale_id, status_code: 0 })) };
      } },
      '/order/addressConfirm': { writes: true, run: (p) => {
        if (shop.order(t(p['order_id'])).wantedAddress === null) throw new Refusal(50002, 'isv.business-failed:20309541', 'the state does not allow that');
        shop.answerAddress(t(p['order_id']), Number(p['is_approved']) === 0);
        return {};
      } },
      '/order/logisticsAddMultiPack': { writes: true, run: (p) => shop.once(`request ${t(p['request_id'])}`, () => {
        const packs = p['pack_list'] as { shipped_order_info: { shipped_order_id: string; shipped_num: number }[]; logistics_code: string; company_code: string }[];
        packs.forEach((pack, i) => { shop.ship(t(p['order_id']), { key: `${t(p['request_id'])}-${i}`, carrier: pack.company_code, number: pack.logistics_code, lines: pack.shipped_order_info.map((x) => ({ lineId: t(x.shipped_order_id), quantity: x.shipped_num })) }); });
        return { pack_list: packs.map((_pack, i) => ({ pack_id: `${t(p['request_id'])}-${i}` })) };
      }) },
      '/sku/syncStock': { writes: true, run: (p) => {
        const change = Number(p['stock_num']);
        if (p['out_warehouse_id'] !== region) throw new Refusal(50002, 'isv.business-failed:2010307', region === undefined ? 'the SKU has no warehouses' : 'the SKU is sold from warehouses');
        if (p['incremental'] !== true) return { stock: shop.setStock(t(p['sku_id']), change, null).stock };
        const key = t(p['idempotent_id'] ?? '');
        if (key === '') throw new Refusal(40002, 'isv.missing-parameter:idempotent_id', 'a delta needs a key');
        if (shop.done.has(`stock ${key}`)) throw new Refusal(40004, 'isv.parameter-invalid:40010', 'this idempotent_id has been executed');
        return shop.once(`stock ${key}`, () => ({ stock: shop.addStock(t(p['sku_id']), change, key).stock }));
      } },
      '/sku/stockNum': { writes: false, run: (p) => {
        const item = shop.item(t(p['sku_id']));
        const { normal, campaign, channel } = poolsOf(item);
        const pools = { prom_stock_num: campaign, channel_stock_num: channel };
        if (region === undefined) return { sku_type: 0, stock_num: item.stock, prehold_stock_num: item.held, ...pools, normal_stock_num: normal };
        return { sku_type: 1, stock_num: 0, prehold_stock_num: 0, ...pools, normal_stock_num: 0, stock_num_map: { [region]: normal }, prehold_stock_map: { [region]: item.held } };
      } },
    };
    const answer = (code: number, sub: string, msg: string, data: unknown = {}): string => bare(JSON.stringify({ code, msg, sub_code: sub, sub_msg: msg, log_id: randomUUID(), data }));
    app.post('/*', async (request, reply) => {
      reply.header('content-type', 'application/json');
      const path = new URL(request.url, 'http://x').pathname;
      const q = request.query as Record<string, string>;
      const json = (request.body as Buffer | null)?.toString('utf8') ?? '';
      const found = methods[path];
      if (!found || q['method'] !== path.slice(1).replaceAll('/', '.')) return answer(40004, 'isv.parameter-invalid:method', 'there is no such method');
      const at = readTimestamp(q['timestamp'] ?? '');
      if (!(Math.abs(at - clock()) <= SKEW_MS)) return answer(40004, 'isv.parameter-invalid:timestamp', 'more than ten minutes from the time of the server');
      const sign = callSignature(String(settings['appSecret']), q['sign_method'] ?? 'md5', { appKey: q['app_key'] ?? '', method: q['method'] ?? '', json, timestamp: q['timestamp'] ?? '' });
      if (q['app_key'] !== settings['appKey'] || q['v'] !== '2' || q['sign'] !== sign || !isCanonical(json)) return answer(40003, 'isv.invalid-signature', 'the signature is wrong');
      if (!path.startsWith('/token/') && (q['access_token'] !== tokens.access || clock() > tokens.until)) return answer(40003, 'isv.access-token-expired', 'the access token is no good');
      return underFaults(platform, found.writes, {
        down: () => reply.code(502).send('bad gateway') as unknown as string, throttled: () => answer(40003, 'isv.flow-limit', 'too fast'), error: () => answer(20000, 'isp.service-error:2010001', 'system busy'),
      }, () => {
        try {
          return answer(10_000, '', 'success', found.run(JSON.parse(json.replace(/([:[,])(-?\d{16,})(?=[,\]}])/g, '$1"$2"')) as Params));
        } catch (error) {
          if (error instanceof Refusal) return answer(error.code, error.sub, error.message);
          if (error instanceof ShopError) return answer(50002, `isv.business-failed:${error.code === 'not_enough' ? '2010012' : error.code === 'no_item' ? '5' : error.code}`, error.message);
          throw error;
        }
      });
    });
  },
};

import { randomUUID } from 'node:crypto';
import type { Platform, Protocol } from '../platform/protocol.ts';
import type { AfterSale, Item, Order } from '../platform/order.ts';
import { ShopError } from '../platform/shop.ts';
import { underFaults } from '../platform/start-platform.ts';
import { Queue } from './queue.ts';
import { bare, beijing, brief, phase, refund, sku, trade, yuan } from './show.ts';
import { topSignature } from './signing.ts';

const TOKEN_S = 86_400;
const REFRESH_MS = 30 * 86_400_000;
const SKEW_MS = 600_000;
const DAY_MS = 86_400_000;
const NOT_THERE: Partial<Record<ShopError['code'], string>> = { no_order: 'isv.trade-not-exist', no_item: 'isv.item-not-exist', no_after_sale: 'isv.refund-not-exist' };

class Refusal extends Error {
  readonly code: number;
  readonly sub: string;
  constructor(code: number, sub: string, message: string) {
    super(message);
    this.code = code;
    this.sub = sub;
  }
}
const invalid = (name: string): Refusal => new Refusal(41, `isv.invalid-parameter:${name}`, `${name} 不合法`);

/** `app`: no session is asked for. */
type Method = { writes?: boolean; app?: boolean; run: (p: Record<string, string>) => Record<string, unknown> };

const queues = new WeakMap<Platform, Queue>();
function queueOf(platform: Platform): Queue {
  let queue = queues.get(platform);
  if (!queue) queues.set(platform, (queue = new Queue()));
  return queue;
}

/** TOP as protocols.md gives it (A4.1): signed forms, HTTP 200 with `error_response`, messages that wait in a queue, lists from the latest change to the first, stock by differences that stop at nothing. */
export const taobao: Protocol = {
  restores: 'unpaid', batch: 1, deadlineMs: 5_000, retries: [], acknowledged: () => false,
  push: () => null,
  enqueue: (events, platform) => { queueOf(platform).add(events); },

  routes(app, platform: Platform) {
    const { settings, clock } = platform;
    const queue = queueOf(platform);
    const methods = { ...tokenMethods(platform), ...messageMethods(queue, clock), ...orderMethods(platform), ...refundMethods(platform), ...itemMethods(platform) };
    const fail = (code: number, msg: string, sub_code = '', sub_msg = ''): string => JSON.stringify({ error_response: { code, msg, sub_code, sub_msg, request_id: randomUUID() } });

    app.post('/router/rest', async (request, reply) => {
      reply.header('content-type', 'text/javascript;charset=UTF-8');
      const form = new URLSearchParams((request.body as Buffer | null)?.toString('utf8') ?? '');
      const method = form.get('method') ?? '';
      const found = methods[method];
      if (!found) return fail(22, 'Invalid Method');
      if (form.get('app_key') !== settings['appKey']) return fail(29, 'Invalid App Key', 'isv.appkey-not-exists');
      const at = Date.parse(`${(form.get('timestamp') ?? '').replace(' ', 'T')}+08:00`);
      if (!(Math.abs(clock() - at) <= SKEW_MS)) return fail(31, 'Invalid Timestamp');
      if (form.get('v') !== '2.0' || form.get('sign') !== topSignature(form, String(settings['appSecret']))) return fail(25, 'Invalid Signature');
      if (found.app !== true && !sessions(platform).good(form.get('session') ?? '', clock())) return fail(form.get('session') === null ? 26 : 27, 'Invalid session', 'invalid-sessionkey', 'SessionKey非法');
      return underFaults(platform, found.writes === true, {
        down: () => reply.code(502).send('bad gateway') as unknown as string,
        throttled: () => fail(7, 'App Call Limited', 'accesscontrol.limited-by-api-access-count', 'This ban will last for 1 more seconds'), error: () => fail(15, 'Remote service error', 'isp.remote-service-timeout', '服务超时'),
      }, () => {
        try {
          return bare({ [`${method.replace(/^taobao\./, '').replaceAll('.', '_')}_response`]: { ...found.run(Object.fromEntries(form.entries())), request_id: randomUUID() } });
        } catch (error) {
          if (error instanceof Refusal) return fail(error.code, 'Invalid arguments', error.sub, error.message);
          if (error instanceof ShopError) return fail(15, 'Remote service error', NOT_THERE[error.code] ?? `isv.${error.code}-error`, error.message);
          throw error;
        }
      });
    });
  },
};

type Sessions = { access: string; refresh: string; until: number; refreshUntil: number; code: string; good(session: string, now: number): boolean };
const kept = new WeakMap<Platform, Sessions>();
function sessions(platform: Platform): Sessions {
  let own = kept.get(platform);
  if (!own) {
    own = { access: '', refresh: '', until: 0, refreshUntil: 0, code: String(platform.settings['code']), good(session, now) { return session !== '' && session === this.access && now <= this.until; } };
    kept.set(platform, own);
  }
  return own;
}

/** A code is good once, a refresh token, too. */
function tokenMethods(platform: Platform): Record<string, Method> {
  const { clock } = platform;
  const own = sessions(platform);
  const issue = (): Record<string, unknown> => {
    Object.assign(own, { access: randomUUID(), refresh: randomUUID(), until: clock() + TOKEN_S * 1000 });
    platform.counts['tokens'] = (platform.counts['tokens'] ?? 0) + 1;
    return { token_result: JSON.stringify({ access_token: own.access, refresh_token: own.refresh, expires_in: TOKEN_S, re_expires_in: Math.floor((own.refreshUntil - clock()) / 1000), token_type: 'Bearer', taobao_user_id: '263664221', taobao_user_nick: 'simulated' }) };
  };
  return {
    'taobao.top.auth.token.create': { app: true, run: (p) => {
      if (own.code === '' || p['code'] !== own.code) throw new Refusal(15, 'isv.invalid-code', 'the code was used or is unknown');
      Object.assign(own, { code: '', refreshUntil: clock() + REFRESH_MS });
      return issue();
    } },
    'taobao.top.auth.token.refresh': { app: true, run: (p) => {
      if (own.refresh === '' || p['refresh_token'] !== own.refresh || clock() > own.refreshUntil) throw new Refusal(15, 'isv.invalid-refresh-token', 'the refresh token was used or is unknown');
      return issue();
    } },
  };
}

function messageMethods(queue: Queue, clock: () => number): Record<string, Method> {
  return {
    'taobao.tmc.user.permit': { run: () => ({ is_success: true }) },
    'taobao.tmc.messages.consume': { app: true, run: (p) => {
      const quantity = Number(p['quantity']);
      if (!(quantity >= 10 && quantity <= 200)) throw invalid('quantity');
      return { messages: { tmc_message: queue.take(quantity, clock()).map(({ id, topic, content, pub_time }) => ({ id: `@${id}`, topic, content, pub_time, pub_app_key: '12497914', user_id: '@263664221', user_nick: 'simulated' })) } };
    } },
    'taobao.tmc.messages.confirm': { app: true, writes: true, run: (p) => {
      const ids = (p['s_message_ids'] ?? '').split(',').filter((id) => id !== '');
      if (ids.length === 0 || ids.length > 200) throw invalid('s_message_ids');
      queue.confirm(new Set(ids));
      return { is_success: true };
    } },
  };
}

function orderMethods({ shop }: Platform): Record<string, Method> {
  const shippable = (order: Order, waybill: string): void => {
    if (order.parcels.some((p) => p.number === waybill)) throw new Refusal(15, 'isv.consign-duplicate', '该运单号已用于此交易发货');
    if (order.paused || (order.status !== 'to_ship' && order.status !== 'part_shipped')) throw new Refusal(15, 'isv.logistics-offline-service-error:P03', '订单状态不可发货');
  };
  return {
    'taobao.trade.fullinfo.get': { run: (p) => ({ trade: trade(shop.order(p['tid'] ?? '')) }) },
    'taobao.trades.sold.increment.get': { run: (p) => {
      const [from, to] = ['start_modified', 'end_modified'].map((name) => Date.parse(`${(p[name] ?? '').replace(' ', 'T')}+08:00`)) as [number, number];
      if (!(to > from) || to - from > DAY_MS) throw invalid('end_modified');
      const size = Number(p['page_size'] ?? 40);
      if (!(size >= 1 && size <= 100)) throw invalid('page_size');
      // Whole seconds, both ends within; the latest change first.
      const all = shop.changed(0, Number.MAX_SAFE_INTEGER).filter((o) => { const at = Math.floor(o.updatedAt / 1000) * 1000; return at >= from && at <= to; }).reverse();
      const page = Number(p['page_no'] ?? 1);
      const shown = all.slice((page - 1) * size, page * size);
      return { ...(p['use_has_next'] === 'true' ? { has_next: page * size < all.length } : { total_results: all.length }), ...(shown.length > 0 ? { trades: { trade: shown.map(brief) } } : {}) };
    } },
    'taobao.logistics.offline.send': { writes: true, run: (p) => {
      const order = shop.order(p['tid'] ?? '');
      const waybill = p['out_sid'] ?? '';
      shippable(order, waybill);
      const subs = p['is_split'] === '1' ? (p['sub_tid'] ?? '').split(',') : null;
      // A sub-order leaves whole.
      const lines = subs?.map((lineId) => { const l = order.lines.find((x) => x.lineId === lineId); return { lineId, quantity: l ? l.quantity - l.cancelled - l.shipped : 0 }; }) ?? null;
      shop.ship(order.id, { key: waybill, carrier: p['company_code'] ?? '', number: waybill, lines });
      return { shipping: { is_success: true } };
    } },
    'alibaba.ascp.logistics.offline.send': { writes: true, run: (p) => {
      const order = shop.order(p['tid'] ?? '');
      const parcels = JSON.parse(p['consign_pkgs'] ?? '[]') as { out_sid: string; company_code: string; goods: { sub_tid: string; num: number }[] }[];
      const flags = JSON.parse(p['consign_status'] ?? '[]') as { sub_tid: string; is_part_consign: boolean }[];
      if (p['consign_type'] !== '1' || parcels.length === 0) throw invalid('consign_type');
      for (const parcel of parcels) {
        shippable(order, parcel.out_sid);
        for (const g of parcel.goods) {
          const l = order.lines.find((x) => x.lineId === g.sub_tid);
          const flag = flags.find((f) => f.sub_tid === g.sub_tid);
          if (!l || !flag || flag.is_part_consign !== l.shipped + g.num < l.quantity - l.cancelled) throw invalid('consign_status');
        }
        shop.ship(order.id, { key: parcel.out_sid, carrier: parcel.company_code, number: parcel.out_sid, lines: parcel.goods.map((g) => ({ lineId: g.sub_tid, quantity: g.num })) });
      }
      return { result: { success: true } };
    } },
  };
}

function refundMethods({ shop, settings }: Platform): Record<string, Method> {
  const reviewed = new Set<string>();
  const open = (id: string, version: string | undefined, of: string | undefined): { order: Order; afterSale: AfterSale } => {
    const found = shop.afterSale(id);
    if (found.afterSale.status !== 'requested') throw new Refusal(15, 'isv.refund-status-error', '退款状态不正确');
    if (version !== String(found.afterSale.updatedAt)) throw new Refusal(15, 'isv.refund-version-error', '退款版本号不正确');
    if (of !== phase(found.order)) throw new Refusal(15, 'isv.refund-phase-error', '退款阶段不正确');
    return found;
  };
  return {
    'taobao.refund.get': { run: (p) => { const { order, afterSale } = shop.afterSale(p['refund_id'] ?? ''); return { refund: refund(order, afterSale) }; } },
    'taobao.rp.refund.review': { writes: true, run: (p) => { reviewed.add(open(p['refund_id'] ?? '', p['refund_version'], p['refund_phase']).afterSale.id); return { is_success: true }; } },
    'taobao.rp.refunds.agree': { writes: true, run: (p) => {
      const [id = '', amount, version, of] = (p['refund_infos'] ?? '').split('|');
      const { afterSale } = open(id, version, of);
      const no = (message: string): Record<string, unknown> => ({ succ: false, msg_code: 'OP_FAILURE_UE', message, results: { refund_mapping_result: [{ refund_id: `@${id}`, succ: false, message }] } });
      if (Number(amount) !== afterSale.amount) return no(`退款金额应为 ${yuan(afterSale.amount)}`);
      if (afterSale.kind === 'return') return no('买家尚未退货');
      if (settings['reviewer'] !== undefined && !reviewed.has(id)) return no('退款单未审核');
      shop.moveAfterSale(id, 'agreed', 'shop');
      return { succ: true, msg_code: 'OP_SUCC', results: { refund_mapping_result: [{ refund_id: `@${id}`, succ: true, message: '操作成功' }] } };
    } },
    'taobao.rp.returngoods.agree': { writes: true, run: (p) => {
      if (open(p['refund_id'] ?? '', p['refund_version'], p['refund_phase']).afterSale.kind !== 'return') throw new Refusal(15, 'isv.refund-type-error', '仅退款无需退货');
      shop.moveAfterSale(p['refund_id'] ?? '', 'agreed', 'shop');
      return { is_success: true };
    } },
    'taobao.refund.refuse': { writes: true, run: (p) => {
      const { order, afterSale } = open(p['refund_id'] ?? '', p['refund_version'], p['refund_phase']);
      if (p['tid'] !== order.id || p['oid'] !== afterSale.lines[0]?.lineId || (p['refuse_message'] ?? '').length < 2) throw invalid('oid');
      shop.moveAfterSale(afterSale.id, 'refused', 'shop');
      return { is_success: true, refund: { refund_id: `@${afterSale.id}`, status: 'SELLER_REFUSE_BUYER', modified: beijing(afterSale.updatedAt) } };
    } },
  };
}

function itemMethods({ shop }: Platform): Record<string, Method> {
  const of = (itemId: string): Item[] => {
    const found = [...shop.items.values()].filter((i) => i.itemId === itemId);
    if (found.length === 0) throw new ShopError('no_item', `item ${itemId} does not exist`);
    return found;
  };
  /** Type 1 sets, 2 adds; below nothing it simply stays at nothing. */
  const change = (item: Item, type: string | undefined, value: number): void => {
    const shown = item.stock + item.held;
    const next = type === '2' ? Math.max(0, shown + value) : value;
    if (!Number.isInteger(next) || next < 0) throw invalid('quantity');
    item.stock = next - item.held;
    item.flow.push({ key: null, change: next - shown, at: shop.now() });
  };
  const listed = (ids: string | undefined, most: number): string[] => {
    const all = (ids ?? '').split(',').filter((id) => id !== '');
    if (all.length === 0 || all.length > most) throw invalid('num_iids');
    return all;
  };
  return {
    'taobao.item.skus.get': { run: (p) => ({ skus: { sku: listed(p['num_iids'], 40).flatMap(of).map(sku) } }) },
    'taobao.items.seller.list.get': { run: (p) => ({ items: { item: listed(p['num_iids'], 20).flatMap(of).map((i) => ({ num_iid: `@${i.itemId}`, num: i.stock + i.held, with_hold_quantity: i.held })) } }) },
    'taobao.skus.quantity.update': { writes: true, run: (p) => {
      const items = of(p['num_iid'] ?? '');
      const changes = (p['skuid_quantities'] ?? '').split(';').map((part) => { const at = part.lastIndexOf(':'); return { item: items.find((i) => i.sku === part.slice(0, at)), value: Number(part.slice(at + 1)) }; });
      if (changes.length > 20) throw invalid('skuid_quantities');
      if (changes.some((c) => !c.item)) throw new ShopError('no_item', 'the item has no such SKU');
      for (const c of changes) change(c.item as Item, p['type'], c.value);
      return { item: { num_iid: `@${p['num_iid'] ?? ''}`, modified: beijing(shop.now()), skus: { sku: changes.map((c) => sku(c.item as Item)) } } };
    } },
    'taobao.item.quantity.update': { writes: true, run: (p) => {
      const [item] = of(p['num_iid'] ?? '');
      if (!item || item.sku !== item.itemId) throw new Refusal(15, 'isv.item-has-skus', '请修改SKU库存');
      change(item, p['type'], Number(p['quantity']));
      return { item: { num_iid: `@${item.itemId}`, num: item.stock + item.held, modified: beijing(shop.now()) } };
    } },
  };
}

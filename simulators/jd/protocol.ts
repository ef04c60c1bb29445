import { randomUUID } from 'node:crypto';
import type { Platform, Protocol } from '../platform/protocol.ts';
import type { AfterSale, Order } from '../platform/order.ts';
import { ShopError } from '../platform/shop.ts';
import { underFaults } from '../platform/start-platform.ts';
import { application, bare, brief, detail, isApplication, service, stateOf, stock } from './show.ts';
import { josSignature } from './signing.ts';

const TOKEN_S = 30 * 86_400;
const SKEW_MS = 600_000;
const MONTH_MS = 31 * 86_400_000;

class Refusal extends Error {}

type P = Record<string, unknown>;
type Method = { writes?: boolean; run: (p: P) => Record<string, unknown> };
const t = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');
const time = (value: unknown): number => Date.parse(`${t(value).replace(' ', 'T')}+08:00`);
const GOOD = { success: true, numberCode: 0, chineseErrCode: '', englishErrCode: '' };

/** JSON whose long numbers stay exact. */
const parse = (json: string): P => JSON.parse(json.replace(/([:[,]\s*)(-?\d{16,})(?=\s*[,\]}])/g, '$1"$2"')) as P;

/** JOS as protocols.md gives it (A4.2): signed forms with JSON inside, answers under a name that is misspelt, HTTP 200 with `error_response`, no pushes, unpaid orders unseen, stock that holds what is ordered. */
export const jd: Protocol = {
  restores: 'cancelled', batch: 1, deadlineMs: 5_000, retries: [], acknowledged: () => false, lineId: (item) => item.sku,
  push: () => null,

  routes(app, platform: Platform) {
    const { settings, clock } = platform;
    const tokens = { access: '', refresh: '', until: 0, code: String(settings['code']) };
    const fail = (code: string, zh_desc: string, en_desc: string): string => JSON.stringify({ error_response: { code, zh_desc, en_desc } });
    const methods = { ...orderMethods(platform), ...afterSaleMethods(platform), ...stockMethods(platform) };

    for (const path of ['access_token', 'refresh_token'] as const) app.post(`/oauth2/${path}`, (request, reply) => {
      reply.header('content-type', 'application/json');
      const form = new URLSearchParams((request.body as Buffer | null)?.toString('utf8') ?? '');
      const no = (msg: string): string => JSON.stringify({ code: 400, msg, requestId: randomUUID() });
      if (form.get('app_key') !== settings['appKey'] || form.get('app_secret') !== settings['appSecret']) return reply.send(no('app_key or app_secret is wrong'));
      // A code is good once, a refresh token, too.
      if (path === 'access_token' ? tokens.code === '' || form.get('code') !== tokens.code : tokens.refresh === '' || form.get('refresh_token') !== tokens.refresh) return reply.send(no(`the ${path === 'access_token' ? 'code' : 'refresh token'} was used or is unknown`));
      Object.assign(tokens, { code: '', access: randomUUID(), refresh: randomUUID(), until: clock() + TOKEN_S * 1000 });
      platform.counts['tokens'] = (platform.counts['tokens'] ?? 0) + 1;
      return reply.send(JSON.stringify({ access_token: tokens.access, refresh_token: tokens.refresh, expires_in: TOKEN_S, time: clock(), scope: 'snsapi_base', open_id: 'simulated', xid: 'simulated' }));
    });

    app.post('/routerjson', async (request, reply) => {
      reply.header('content-type', 'application/json;charset=utf-8');
      const form = new URLSearchParams((request.body as Buffer | null)?.toString('utf8') ?? '');
      const method = form.get('method') ?? '';
      const found = methods[method];
      if (!found) return fail('12', `不存在的方法名:${method}`, 'Invalid method');
      if (form.get('app_key') !== settings['appKey']) return fail('21', '无效app_key', 'Invalid app_key');
      if (!(Math.abs(clock() - time(form.get('timestamp'))) <= SKEW_MS)) return fail('18', '无效时间戳', 'Invalid timestamp');
      if (form.get('v') !== '2.0' || form.get('sign') !== josSignature(form, String(settings['appSecret']))) return fail('25', '无效签名', 'Invalid signature');
      if (form.get('access_token') !== tokens.access || tokens.access === '' || clock() > tokens.until) return fail('19', 'token已过期或者不存在，请重新授权', 'access_token invalid');
      return underFaults(platform, found.writes === true, {
        down: () => reply.code(502).send('bad gateway') as unknown as string, throttled: () => fail('22', '平台限流，请降低调用频率', 'api rate limit'), error: () => fail('67', '系统错误，请稍后重试', 'system error'),
      }, () => bare({ [`${method.replaceAll('.', '_')}_responce`]: { code: '0', ...found.run(parse(form.get('360buy_param_json') ?? '{}')) } }));
    });
  },
};

/** What is refused is refused inside of a good answer. */
function judged(run: () => Record<string, unknown>): Record<string, unknown> {
  try {
    return { ...run(), ...GOOD };
  } catch (error) {
    if (error instanceof ShopError || error instanceof Refusal) return { ...GOOD, success: false, numberCode: 10100, chineseErrCode: error.message, englishErrCode: error.message };
    throw error;
  }
}

function orderMethods({ shop }: Platform): Record<string, Method> {
  const shippable = (id: string, waybills: readonly string[]): Order => {
    const order = shop.order(id);
    if (order.parcels.some((p) => waybills.includes(p.number))) throw new Refusal('该订单已出库，请勿重复出库');
    if (stateOf(order) !== 'WAIT_SELLER_STOCK_OUT') throw new Refusal(`订单状态 ${stateOf(order)} 不允许出库`);
    return order;
  };
  return {
    'jingdong.pop.order.get': { run: (p) => {
      if (t(p['optional_fields']) === '') throw new Refusal('optional_fields 不能为空');
      const order = shop.orders.get(t(p['order_id']));
      // An order that is not paid is shown to nobody.
      return { orderDetailInfo: { apiResult: GOOD, ...(order && order.paidAt !== null ? { orderInfo: detail(order) } : {}) } };
    } },
    'jingdong.pop.order.search': { run: (p) => {
      const no = (chineseErrCode: string): Record<string, unknown> => ({ searchorderinfo_result: { apiResult: { ...GOOD, success: false, numberCode: 10002, chineseErrCode }, orderTotal: 0, orderInfoList: [] } });
      const [from, to, size, page] = [time(p['start_date']), time(p['end_date']), Number(p['page_size']), Number(p['page'])];
      if (!(to > from) || to - from > MONTH_MS) return no('开始时间和结束时间，不得相差超过1个月');
      if (!(size >= 1 && size <= 100) || t(p['order_state']) === '' || t(p['optional_fields']) === '') return no('参数不合法');
      const states = new Set(t(p['order_state']).split(','));
      const all = shop.changed(0, Number.MAX_SAFE_INTEGER).filter((o) => { const at = Math.floor((p['dateType'] === 1 ? o.createdAt : o.updatedAt) / 1000) * 1000; return o.paidAt !== null && states.has(stateOf(o)) && at >= from && at <= to; });
      if (p['sortType'] === 1) all.reverse();
      return { searchorderinfo_result: { apiResult: GOOD, orderTotal: all.length, orderInfoList: all.slice((page - 1) * size, page * size).map(brief) } };
    } },
    'jingdong.pop.order.shipment': { writes: true, run: (p) => ({ sopjosshipment_result: judged(() => {
      const [carriers, groups] = [t(p['logiCoprId']).split('|'), t(p['logiNo']).split('|')];
      const order = shippable(t(p['orderId']), groups.flatMap((g) => g.split(',')));
      if (carriers.length !== groups.length || groups.some((g) => g === '')) throw new Refusal('运单号与物流公司数量不一致');
      // One or many: the whole order is out.
      shop.ship(order.id, { key: t(p['logiNo']), carrier: t(p['logiCoprId']), number: t(p['logiNo']), lines: null });
      return {};
    }) }) },
    'jingdong.pop.order.partial.outship': { writes: true, run: (p) => ({ result: judged(() => {
      const { data, belongType } = p['request'] as { belongType?: number; data: { orderIds: string[]; deliveryType?: number; deliveryNumberDtoList: { deliveryId: string | number; deliveryNums: string[]; partialShipmentGoodsList: { skuId: string | number; num: number }[] }[] }[] };
      if (belongType === undefined || data.some((d) => d.deliveryType === undefined)) throw new Refusal('belongType、deliveryType 不能为空');
      for (const { orderIds: [id], deliveryNumberDtoList } of data) for (const d of deliveryNumberDtoList) {
        const order = shippable(t(id), d.deliveryNums);
        shop.ship(order.id, { key: d.deliveryNums.join(','), carrier: t(d.deliveryId), number: d.deliveryNums.join(','), lines: d.partialShipmentGoodsList.map((g) => ({ lineId: t(g.skuId), quantity: g.num })) });
      }
      return {};
    }) }) },
  };
}

function afterSaleMethods({ shop }: Platform): Record<string, Method> {
  const all = (): { order: Order; a: AfterSale }[] => [...shop.orders.values()].flatMap((order) => order.afterSales.map((a) => ({ order, a })));
  /** Of an order, or in a time that is not too long. */
  const listed = (p: P, kind: 'application' | 'service', [made, decided]: [[string, string], [string, string]]): { order: Order; a: AfterSale }[] => {
    const found = all().filter(({ a }) => isApplication(a) === (kind === 'application'));
    if (t(p['orderId']) !== '') return found.filter(({ order }) => order.id === t(p['orderId']));
    const [names, only] = t(p[made[0]]) === '' ? [decided, true] : [made, false];
    const [from, to] = [time(p[names[0]]), time(p[names[1]])];
    if (!(to > from) || to - from > (only ? 10 : 7) * 86_400_000) throw new Refusal('时间范围不合法');
    return found.filter(({ a }) => { const at = Math.floor(a.updatedAt / 1000) * 1000; return (!only || a.decidedBy !== null) && at >= from && at <= to; });
  };
  const paged = <T>(rows: readonly T[], page: number, size: number): { rows: T[]; totalCount: number } => {
    if (!(page >= 1 && size >= 1 && size <= 50)) throw new Refusal('分页参数不合法');
    return { rows: rows.slice((page - 1) * size, page * size), totalCount: rows.length };
  };
  return {
    'jingdong.pop.afs.soa.refundapply.queryPageList': { run: (p) => ({ queryResult: judged(() => {
      const { rows, totalCount } = paged(listed(p, 'application', [['applyTimeStart', 'applyTimeEnd'], ['checkTimeStart', 'checkTimeEnd']]), Number(p['pageIndex']), Number(p['pageSize']));
      return { totalCount, result: rows.map(({ order, a }) => application(order, a, p['showSku'] === true)) };
    }) }) },
    'jingdong.asc.serviceAndRefund.view': { run: (p) => ({ pageResult: judged(() => {
      const { rows, totalCount } = paged(listed(p, 'service', [['applyTimeBegin', 'applyTimeEnd'], ['approveTimeBegin', 'approveTimeEnd']]), Number(p['pageNumber']), Number(p['pageSize']));
      return { totalCount, pageNumber: p['pageNumber'], data: rows.map(({ order, a }) => service(order, a)) };
    }) }) },
    'jingdong.pop.afs.soa.refundapply.replyRefund': { writes: true, run: (p) => ({ replyResult: judged(() => {
      const { afterSale } = shop.afterSale(t(p['id']));
      if (!isApplication(afterSale) || afterSale.status !== 'requested') throw new Refusal('退款单状态不允许审核');
      if (t(p['checkUserName']) === '' || t(p['remark']) === '' || (p['status'] === 2 && p['rejectType'] === undefined)) throw new Refusal('审核人、审核备注不能为空');
      shop.moveAfterSale(afterSale.id, p['status'] === 1 ? 'agreed' : 'refused', 'shop');
      return {};
    }) }) },
  };
}

function stockMethods({ shop }: Platform): Record<string, Method> {
  const wrong = (errorMessage: string): Record<string, unknown> => ({ returnType: { success: false, errorMessage } });
  return {
    'jingdong.ware.stock.sku.query': { run: (p) => {
      const item = shop.items.get(t(p['skuId']));
      return item ? { returnType: { success: true, obj: { skuId: `@${item.sku}`, stockModel: p['stockModel'], skuStockInfos: [stock(item, shop.orders.values())] } } } : wrong('SKU不存在');
    } },
    'jingdong.ware.stock.sku.set': { writes: true, run: (p) => {
      const { updateModel, skuStocks } = p['req'] as { updateModel: string; skuStocks: { skuId: string | number; incrStockNum?: number; stockNum?: number }[] };
      if (updateModel !== 'incrStockIn' && updateModel !== 'fullStockIn') return wrong('updateModel 不合法');
      if (skuStocks.length > 20) return wrong('单次最多20个SKU');
      const updateStockResult = skuStocks.map((x) => {
        const sku = t(x.skuId);
        const item = shop.items.get(sku);
        const no = (message: string): Record<string, unknown> => ({ data: `@${sku}`, storeId: 0, success: false, message });
        if (!item) return no('SKU不存在');
        const now = Number(stock(item, shop.orders.values())['stockNum']);
        const change = updateModel === 'incrStockIn' ? Number(x.incrStockNum) : Number(x.stockNum) - now;
        // What is ordered cannot be taken away.
        if (!Number.isInteger(change) || item.stock + change < 0) return no('库存不足，存在预占');
        shop.addStock(sku, change, null);
        return { data: `@${sku}`, storeId: 0, success: true, message: '' };
      });
      return { returnType: { success: true, obj: { updateStockResult } } };
    } },
  };
}

import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import { refusesThis, says } from '../caller.ts';
import type { ChangedOrder, ChannelConnector, ChannelIo, SeenStock, Shop, StockAnswer } from '../channel.ts';
import { bag, list, long, text, whole, type Bag } from '../safe-json.ts';
import { allEnded, readSteadily } from '../steady.ts';
import { PinduoduoClient, PinduoduoError } from './client.ts';
import { hasAfterSale, mapOrder, time, versionOf, waybills, type Claim } from './map.ts';
import { heartbeat, readFrame } from './push.ts';
import type { PinduoduoSettings } from './settings.ts';
import { streamPath } from './sign.ts';

const GATEWAY = 'https://gw-api.pinduoduo.com';
const MESSAGES = 'wss://message-api.pinduoduo.com';
const PAGE = 100;
/** The longest window of a listing, s; further back than three months nothing is listed. */
const WINDOW_S = 1_800;
const LISTED_S = 89 * 86_400;
const [ALL_ORDERS, ALL_REFUNDS, ANY_LUCK] = [5, 5, 0];
const EVERY = 1; // after_sales_status and after_sales_type of the list of after-sales
const INCREMENT = 2;
const SPLIT_PARCEL = 1;

/** A shop of 拼多多 (open.pinduoduo.com). */
export function connect(shop: Shop, io: ChannelIo): ChannelConnector {
  const s = shop.settings as unknown as PinduoduoSettings;
  const client = new PinduoduoClient(shop, io);
  const secret = shop.secrets['clientSecret'] ?? '';
  const messages = s.messageUrl ?? (s.baseUrl === GATEWAY ? MESSAGES : s.baseUrl.replace(/^http/, 'ws'));

  const detail = async (externalId: string): Promise<Bag | null> => {
    try {
      const order = bag((await client.call('pdd.order.information.get', { order_sn: externalId }, 'order'))['order_info']);
      return text(order['order_sn']) === null ? null : order;
    } catch (error) {
      if (error instanceof PinduoduoError && says(error.words, s.unknownOrderErrors)) return null;
      throw error;
    }
  };
  const refund = (externalId: string, afterSaleId: string): Promise<Bag> => client.call('pdd.refund.information.get', { order_sn: externalId, after_sales_id: long(afterSaleId) }, 'after_sale');
  const refundList = (from: number, to: number, page: number, orderSn?: string): Promise<Bag> => client.call('pdd.refund.list.increment.get', {
    after_sales_status: EVERY, after_sales_type: EVERY, start_updated_at: from, end_updated_at: to, page, page_size: PAGE, order_sn: orderSn,
  }, 'after_sale');
  /** All that an order has had; the times are wanted and mean nothing then. */
  const claims = async (externalId: string): Promise<Claim[]> => {
    const now = Math.floor(io.now() / 1000);
    const listed = list((await refundList(now - WINDOW_S, now, 1, externalId))['refund_list']).map(bag);
    return allEnded(listed.map(async (one) => ({ listed: one, full: await refund(externalId, text(one['id']) ?? '') })));
  };
  const logisticsId = (carrier: string): number => {
    const id = s.carriers[carrier];
    if (id === undefined) throw new PartnerRefused(200, `carrier "${carrier}" has no logistics_id: add it to the setting carriers`);
    return id;
  };
  const done = (answer: Bag, field: string, type: string): void => {
    if (answer[field] === false) throw new PartnerRefused(200, `${type}: the platform says that it did not succeed${text(answer['error_msg']) === null ? '' : `: ${text(answer['error_msg']) ?? ''}`}`);
  };

  return {
    stream: {
      key: `pinduoduo:${s.clientId}`, owner: s.mallId, heartbeatMs: s.heartbeatMs, silenceMs: s.silenceMs, heartbeat, read: readFrame,
      address: (now) => `${messages}${streamPath(s.clientId, secret, now)}`,
      async permit() { done(await client.call('pdd.pmc.user.permit', s.topics.length === 0 ? {} : { topics: s.topics.join(',') }, 'message'), 'is_success', 'pdd.pmc.user.permit'); },
    },
    nextToken: (last) => client.nextToken(last),

    async fetchOrder(externalId) {
      const first = await detail(externalId);
      if (first === null || !hasAfterSale(first)) return first && mapOrder(first, [], s);
      let known: Bag | null = first;
      const read = await readSteadily(`order ${externalId}`, async () => { const head = known ?? await detail(externalId); known = null; return head; }, versionOf, (head) => (hasAfterSale(head) ? claims(externalId) : Promise.resolve([])));
      return read && mapOrder(read.head, read.rest, s);
    },

    /**
     * Orders, then after-sales. `page`: which list, and a page of it from the back, after a first question of how many there are: what changes meanwhile leaves the window, and what stands
     * behind it moves up. From the front one would be passed over, from the back one is met twice.
     */
    async changedOrders(window, page) {
      const from = Math.max(Math.floor(window.from / 1000), Math.floor(io.now() / 1000) - LISTED_S);
      // Whole seconds, and never more than the longest window: what that cuts off the next one overlaps.
      const to = Math.min(Math.ceil(window.to / 1000), from + WINDOW_S);
      if (from >= to) return { orders: [], next: null };
      const [which, number] = (page ?? 'orders:').split(':');
      const orders = which === 'orders';
      const at = Number(number) || 1;
      const data = await (orders ? client.call('pdd.order.number.list.increment.get', {
        is_lucky_flag: ANY_LUCK, order_status: ALL_ORDERS, refund_status: ALL_REFUNDS, start_updated_at: from, end_updated_at: to, page: at, page_size: PAGE, use_has_next: false,
      }, 'order') : refundList(from, to, at));
      const last = Math.ceil((whole(data['total_count']) ?? 0) / PAGE);
      if (number === '' && last > 1) return { orders: [], next: `${which ?? ''}:${last}` };
      const rows = list(orders ? data['order_sn_list'] : data['refund_list']).map(bag);
      return {
        orders: rows.flatMap((o): ChangedOrder[] => { const externalId = text(o['order_sn']); return externalId === null ? [] : [{ externalId, version: time(orders ? o['updated_at'] : o['updated_time']) }]; }),
        next: at > 1 ? `${which ?? ''}:${at - 1}` : orders ? 'refunds:' : null,
      };
    },

    async readStock(listings) {
      const byGoods = new Map<string, string[]>();
      for (const l of listings) if (l.itemId !== null) byGoods.set(l.itemId, [...byGoods.get(l.itemId) ?? [], l.platformSku]);
      const read = await allEnded([...byGoods].map(async ([goodsId, wanted]): Promise<SeenStock[]> => {
        const goods = await client.call('pdd.goods.information.get', { goods_id: long(goodsId) }, 'goods').catch((error: unknown): Bag => {
          if (refusesThis(error)) return {};
          throw error;
        });
        return list(bag(goods['goods_info'])['sku_list']).map(bag).flatMap((sku) => {
          const [platformSku, sellable] = [text(sku['sku_id']), whole(sku['sku_quantity'])];
          return platformSku === null || sellable === null || !wanted.includes(platformSku) ? [] : [{ platformSku, sellable, held: null }]; // nor does it say what buyers hold who have not paid
        });
      }));
      return read.flat();
    },

    // By difference and without a key: a full figure would give back what is sold on its way to us. What was sent and not answered is read back before anything else is sent.
    pushStock: (pushes) => allEnded(pushes.map(async ({ itemId, platformSku, delta }): Promise<StockAnswer> => {
      if (delta === 0) return { outcome: 'done' };
      if (itemId === null) return { outcome: 'refused', reason: 'the listing has no item id: the platform changes stock by goods and SKU' };
      try {
        done(await client.call('pdd.goods.quantity.update', { goods_id: long(itemId), sku_id: long(platformSku), quantity: delta, update_type: INCREMENT }, 'stock'), 'is_success', 'pdd.goods.quantity.update');
        return { outcome: 'done' };
      } catch (error) {
        if (!(error instanceof PartnerRefused) || error.account) throw error;
        return { outcome: 'refused', reason: error.message };
      }
    })),

    /** The first parcel ships the whole order there, further ones are told as extra waybills (分包发货). One that the order shows was told before: its answer was lost. */
    async reportShipment({ externalId, carrier, waybillNo }) {
      const now = await detail(externalId);
      if (now === null) throw new PartnerRefused(200, `the platform has no order ${externalId}`);
      const told = waybills(now);
      if (told.some((w) => w.number === waybillNo)) return;
      if (told.length === 0) {
        const type = 'pdd.logistics.online.send';
        done(await client.call(type, { order_sn: externalId, logistics_id: logisticsId(carrier), tracking_number: waybillNo, refund_address_id: s.refundAddressId }, 'shipment'), 'is_success', type);
        return;
      }
      const type = 'pdd.order.upload.extra.logistics';
      done(await client.call(type, { order_sn: externalId, extra_track_type: SPLIT_PARCEL, extra_track_list: [{ shipping_id: logisticsId(carrier), tracking_number: waybillNo }] }, 'shipment'), 'success', type);
    },

    /** What is decided already, by an attempt whose answer was lost, is not decided again. The platform takes no refusal by API. */
    async answerAfterSale(externalId, afterSaleId, { approved, reason }) {
      const now = await refund(externalId, afterSaleId);
      const status = s.afterSaleStatus[text(now['after_sales_status']) ?? ''];
      if (status === undefined) throw new PartnerUnavailable(`after-sale ${afterSaleId} shows no status that is known`);
      if (approved ? status === 'agreed' || status === 'goods_sent' || status === 'done' : status === 'refused' || status === 'closed') return;
      if (!approved) throw new PartnerRefused(200, 'Pinduoduo takes no refusal of an after-sale by API: refuse it in its back office');
      const request = { after_sales_id: long(afterSaleId), order_sn: externalId, operate_desc: reason.slice(0, 200) };
      const kind = text(now['after_sales_type']);
      if (kind === '1') done(await client.call('pdd.refund.agree', { request }, 'after_sale'), 'success', 'pdd.refund.agree');
      else if (kind === '2') {
        if (s.refundAddressId === undefined) throw new PartnerRefused(200, 'agreed returns need an address: set refundAddressId');
        done(await client.call('pdd.refund.returngoods.agree', { request: { ...request, return_address_id: s.refundAddressId } }, 'after_sale'), 'success', 'pdd.refund.returngoods.agree');
      } else throw new PartnerRefused(200, 'Pinduoduo takes agreement by API to refunds and returns only: agree to this one in its back office');
    },
  };
}

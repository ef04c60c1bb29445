import { PartnerRefused } from '../../domain/http-port.ts';
import { refusesThis } from '../caller.ts';
import type { ChannelConnector, ChannelIo, SeenStock, Shop, StockAnswer } from '../channel.ts';
import { bag, list, long, text, whole, type Bag } from '../safe-json.ts';
import { allEnded, readSteadily } from '../steady.ts';
import { KuaishouClient } from './client.ts';
import { mapOrder, refundIds, versionOf, waybills } from './map.ts';
import { receive } from './push.ts';
import type { KuaishouSettings } from './settings.ts';

const PAGE = 50;
const NO_MORE = 'nomore';
/** Further back nothing is listed; no window is longer than seven days. */
const LISTED_MS = 90 * 86_400_000 - 60_000;
/** Most units of one change of stock. */
const MOST = 9_999_998;
const BY_UPDATE = 2;
const RETURN = '1';
const REFUND = '10';
const ALL_ORDERS = 1;

/** A shop of 快手小店 (open.kwaixiaodian.com). */
export function connect(shop: Shop, io: ChannelIo): ChannelConnector {
  const s = shop.settings as unknown as KuaishouSettings;
  const client = new KuaishouClient(shop, io);
  const detail = async (externalId: string): Promise<Bag | null> => {
    const data = bag(await client.call('GET', 'open.order.detail', { oid: long(externalId) }, 'order'));
    return text(bag(data['orderBaseInfo'])['oid']) === null ? null : data;
  };
  const refund = async (id: string): Promise<Bag> => bag(await client.call('GET', 'open.seller.order.refund.detail', { refundId: long(id) }, 'after_sale'));

  return {
    receive: (push) => receive(push, s.appKey, shop.secrets['messageKey'] ?? ''),
    nextToken: (last) => client.nextToken(last),

    async fetchOrder(externalId) {
      const first = await detail(externalId);
      if (first === null || refundIds(first).length === 0) return first && mapOrder(first, [], s);
      let known: Bag | null = first;
      const read = await readSteadily(`order ${externalId}`, async () => { const head = known ?? await detail(externalId); known = null; return head; }, versionOf, (head) => Promise.all(refundIds(head).map(refund)));
      return read && mapOrder(read.head, read.rest, s);
    },

    orderOfAfterSale: async (afterSaleId) => { const r = await refund(afterSaleId); return text(r['oid']) ?? text(r['orderId']); },

    /** `page`: the platform's cursor. It ends with the word "nomore" only: a short page is none. */
    async changedOrders(window, page) {
      const from = Math.max(window.from, io.now() - LISTED_MS);
      if (from >= window.to) return { orders: [], next: null };
      const data = bag(await client.call('GET', 'open.order.cursor.list', { orderViewStatus: ALL_ORDERS, pageSize: PAGE, sort: 1, queryType: BY_UPDATE, beginTime: from, endTime: window.to, cpsType: 0, cursor: page ?? '' }, 'order'));
      const orders = list(data['orderList']).map(bag).flatMap((o) => { const externalId = text(bag(o['orderBaseInfo'])['oid']); return externalId === null ? [] : [{ externalId, version: versionOf(o) || null }]; });
      const next = text(data['cursor']);
      return { orders, next: next === NO_MORE || next === page ? null : next };
    },

    async readStock(listings) {
      const byItem = group(listings);
      const read = await allEnded([...byItem].map(async ([itemId, wanted]): Promise<SeenStock[]> => {
        const skus = list(await client.call('GET', 'open.item.sku.list.get', { kwaiItemId: long(itemId ?? '') }, 'item').catch((error: unknown) => {
          if (refusesThis(error)) return [];
          throw error;
        })).map(bag);
        return wanted.flatMap(({ platformSku }) => {
          const sku = skus.find((x) => (text(x['kwaiSkuId']) ?? text(x['skuId'])) === platformSku);
          const left = s.stockFields.map((f) => whole(sku?.[f])).find((n) => n !== null);
          return left === undefined || left === null ? [] : [{ platformSku, sellable: left, held: 0 }];
        });
      }));
      return read.flat();
    },

    // Increments only, and no key: what was sent and not answered is read back before anything else is sent.
    pushStock: (pushes) => allEnded(pushes.map(async ({ itemId, platformSku, delta }): Promise<StockAnswer> => {
      if (delta === 0) return { outcome: 'done' };
      if (itemId === null) return { outcome: 'refused', reason: 'the listing has no item id: the platform changes stock by item and SKU' };
      if (Math.abs(delta) > MOST) return { outcome: 'refused', reason: `${delta} units at once are more than the platform takes` };
      try {
        await client.call('POST', 'open.item.sku.stock.update', { kwaiItemId: long(itemId), skuId: long(platformSku), skuChangeStock: Math.abs(delta), changeType: delta > 0 ? 1 : 2 }, 'item');
        return { outcome: 'done' };
      } catch (error) {
        if (!refusesThis(error)) throw error;
        return { outcome: 'refused', reason: error.message };
      }
    })),

    /** A parcel that the order shows was told before: its answer was lost. The whole order in one parcel is one call, parts name their sub-orders. */
    async reportShipment({ externalId, carrier, waybillNo, lines, last, parcels }) {
      const now = await detail(externalId);
      if (now === null) throw new PartnerRefused(200, `the platform has no order ${externalId}`);
      if (waybills(now).some((w) => w.number === waybillNo)) return;
      const expressCode = s.carriers[carrier] ?? s.otherCarrier;
      if (last && parcels.length === 1) {
        await client.call('POST', 'open.seller.order.goods.deliver', { orderId: long(externalId), expressNo: waybillNo, expressCode, ...(s.returnAddressId === undefined ? {} : { returnAddressId: long(s.returnAddressId) }) }, 'order');
        return;
      }
      await client.call('POST', 'open.order.goods.split.deliver', {
        mainOrderId: long(externalId), deliveryItemInfoList: [{ expressCode, expressNo: waybillNo, deliveryGoodsInfoList: lines.map((l) => ({ oid: long(l.lineId), deliveryNum: l.quantity })) }],
        deliveryStatus: lines.map((l) => ({ oid: long(l.lineId), confirmDeliveryStatus: last ? s.splitStatus.all : s.splitStatus.part })),
      }, 'order');
    },

    /** What is decided already, by an attempt whose answer was lost, is not decided again. */
    async answerAfterSale(_externalId, afterSaleId, { approved, reason }) {
      const now = await refund(afterSaleId);
      const status = s.refundStatus[text(now['status']) ?? ''];
      if (approved ? status === 'agreed' || status === 'done' || status === 'goods_sent' : status === 'closed' || whole(now['negotiateStatus']) === 3) return;
      const state = { refundId: long(afterSaleId), status: whole(now['status']) ?? 0, negotiateStatus: whole(now['negotiateStatus']) ?? 1 };
      const refundAmount = whole(now['refundFee']) ?? 0;
      const way = text(now['handlingWay']) ?? '';
      if (way !== RETURN && way !== REFUND) throw new PartnerRefused(200, `after-sale ${afterSaleId} is neither refund nor return (handlingWay ${way}): decide it at the platform's desk`);
      if (!approved) await client.call('POST', 'open.seller.order.refund.disagree.refund', { ...state, sellerDisagreeReason: s.refuseReason, sellerDisagreeDesc: reason.slice(0, 200) }, 'after_sale');
      else if (way === RETURN) {
        if (s.returnAddressId === undefined) throw new PartnerRefused(200, 'agreed returns need an address: set returnAddressId');
        await client.call('POST', 'open.seller.order.refund.returngoods.approve', { refundId: long(afterSaleId), refundAmount, addressId: long(s.returnAddressId) }, 'after_sale');
      } else await client.call('POST', 'open.seller.order.refund.approve', { ...state, refundAmount, desc: reason.slice(0, 200), refundHandingWay: Number(way) }, 'after_sale');
    },
  };
}

function group<T extends { itemId: string | null }>(listings: readonly T[]): Map<string | null, T[]> {
  const groups = new Map<string | null, T[]>();
  for (const l of listings) if (l.itemId !== null) groups.set(l.itemId, [...groups.get(l.itemId) ?? [], l]);
  return groups;
}

import { PlatformError } from '../caller.ts';
import type { ChannelConnector, ChannelIo, Shop, StockAnswer } from '../channel.ts';
import { bag, list, text, whole } from '../safe-json.ts';
import { DouyinClient } from './client.ts';
import { mapOrder } from './map.ts';
import { receive } from './push.ts';
import type { DouyinSettings } from './settings.ts';

const PAGE = 100;
/** Pages reach no further than this. */
const MOST_LISTED = 50_000;
/** "idempotent_id has been executed": the earlier call succeeded. */
const DONE_BEFORE = /:40010$/;

/** A shop of 抖店 (op.jinritemai.com). */
export function connect(shop: Shop, io: ChannelIo): ChannelConnector {
  const s = shop.settings as unknown as DouyinSettings;
  const client = new DouyinClient(shop, io);
  return {
    receive: (push) => receive(push, s.appKey, shop.secrets['appSecret'] ?? ''),
    nextToken: (last) => client.nextToken(last),

    async fetchOrder(externalId, topics) {
      const detail = bag((await client.call('/order/orderDetail', { shop_order_id: externalId }, 'order'))['shop_order_detail']);
      if (text(detail['order_id']) === null) return null;
      const claims = list(detail['sku_order_list']).some((l) => (whole(bag(bag(l)['after_sale_info'])['after_sale_status']) ?? 0) !== 0);
      const afterSales = claims ? list((await client.call('/afterSale/List', { order_id: externalId, page: 0, size: 100 }, 'after_sale'))['items']) : [];
      // The platform warehouse's orders are ours to count, not to ship; without a location for it they are held, never shipped twice.
      return mapOrder(detail, afterSales, topics, true);
    },

    /** `page`: from:to:page in seconds; a window that lists more than the platform pages through is halved. */
    async changedOrders(window, page) {
      const [from, to, at] = page === null ? [Math.floor(window.from / 1000), Math.ceil(window.to / 1000), 0] : page.split(':').map(Number) as [number, number, number];
      const last = Math.ceil(window.to / 1000);
      const data = await client.call('/order/searchList', { size: PAGE, page: at, update_time_start: from, update_time_end: to, order_by: 'update_time', order_asc: true }, 'order');
      if ((whole(data['total']) ?? 0) > MOST_LISTED && to - from > 1) return { orders: [], next: `${from}:${from + Math.floor((to - from) / 2)}:0` };
      const orders = list(data['shop_order_list']).map(bag).flatMap((o) => {
        const externalId = text(o['order_id']);
        return externalId === null ? [] : [{ externalId, version: (whole(o['update_time']) ?? 0) * 1000 }];
      });
      const more = (at + 1) * PAGE < (whole(data['total']) ?? 0);
      return { orders, next: more ? `${from}:${to}:${at + 1}` : to < last ? `${to}:${last}:0` : null };
    },

    readStock: (listings) => Promise.all(listings.map(async ({ platformSku }) => {
      try {
        const data = await client.call('/sku/stockNum', { sku_id: platformSku }, 'stock');
        // What it can still sell: free units, those locked to a campaign, those kept for one livestreamer. Pre-held ones are off already.
        const sellable = (whole(data['normal_stock_num']) ?? whole(data['stock_num']) ?? 0) + (whole(data['prom_stock_num']) ?? 0) + (whole(data['channel_stock_num']) ?? 0);
        return [{ platformSku, sellable, held: whole(data['prehold_stock_num']) ?? 0 }];
      } catch (error) {
        if (error instanceof PlatformError) return [];
        throw error;
      }
    })).then((all) => all.flat()),

    // Deltas under a key: a full figure would give back what is pre-held and sold on the way to us.
    pushStock: (pushes) => Promise.all(pushes.map(async ({ itemId, platformSku, delta, key }): Promise<StockAnswer> => {
      if (delta === 0) return { outcome: 'done' };
      try {
        await client.call('/sku/syncStock', { ...(itemId === null ? {} : { product_id: itemId }), sku_id: platformSku, incremental: true, idempotent_id: key, stock_num: delta }, 'stock');
        return { outcome: 'done' };
      } catch (error) {
        if (!(error instanceof PlatformError)) throw error;
        return DONE_BEFORE.test(error.code) ? { outcome: 'done' } : { outcome: 'refused', reason: error.message };
      }
    })),

    // request_id makes the first success the answer to every repetition.
    async reportShipment({ externalId, key, carrier, waybillNo, lines }) {
      await client.call('/order/logisticsAddMultiPack', {
        order_id: externalId, request_id: key,
        pack_list: [{ shipped_order_info: lines.map((l) => ({ shipped_order_id: l.lineId, shipped_num: l.quantity })), logistics_code: waybillNo, company_code: s.carriers[carrier] ?? carrier }],
      }, 'shipment');
    },

    async answerAddressChange(externalId, approved) { await client.call('/order/addressConfirm', { order_id: externalId, is_approved: approved ? 0 : 1001 }, 'order'); },

    async answerAfterSale(_externalId, afterSaleId, { approved, reason }) {
      const detail = bag((await client.call('/afterSale/Detail', { after_sale_id: afterSaleId }, 'after_sale'))['process_info']);
      const returns = text(bag(detail['after_sale_info'])['after_sale_type']) === '0';
      const { agreeRefund, refuseRefund, agreeReturn, refuseReturn } = s.afterSaleTypes;
      const type = returns ? (approved ? agreeReturn : refuseReturn) : approved ? agreeRefund : refuseRefund;
      await client.call('/afterSale/operate', { type, items: [{ aftersale_id: afterSaleId, reason }] }, 'after_sale');
    },
  };
}

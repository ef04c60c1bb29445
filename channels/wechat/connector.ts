import { PartnerRefused } from '../../domain/http-port.ts';
import { PlatformError, refusesThis } from '../caller.ts';
import type { ChannelConnector, ChannelIo, Shop, StockAnswer } from '../channel.ts';
import { bag, list, text, whole, type Bag } from '../safe-json.ts';
import { allEnded, readSteadily } from '../steady.ts';
import { WechatClient } from './client.ts';
import { afterSaleIds, afterSaleStatus, mapOrder, productOf, versionOf, waybills } from './map.ts';
import { receive } from './push.ts';
import type { WechatSettings } from './settings.ts';

const PAGE = 100;
const NO_ORDER = new Set(['10020052', '10020101', '10060002']);
/** "update failed": what it shows must be read before another try. */
const READ_FIRST = '10020054';
const NOTHING_TO_ADD = '10020218';

/** A shop of 视频号小店 (developers.weixin.qq.com/doc/store). */
export function connect(shop: Shop, io: ChannelIo): ChannelConnector {
  const s = shop.settings as unknown as WechatSettings;
  const client = new WechatClient(shop, io);
  const account = { appId: s.appId, token: shop.secrets['token'] ?? '', encodingAesKey: shop.secrets['encodingAesKey'] ?? '', windowS: s.replayWindowS };
  const get = async (externalId: string): Promise<Bag | null> => {
    try {
      const order = bag((await client.call('order/get', { order_id: externalId, encode_sensitive_info: s.encodeSensitive }, 'order'))['order']);
      return text(order['order_id']) === null ? null : order;
    } catch (error) {
      if (error instanceof PlatformError && NO_ORDER.has(error.code)) return null;
      throw error;
    }
  };
  const claim = async (id: string): Promise<Bag> => bag((await client.call('aftersale/getaftersaleorder', { after_sale_order_id: id }, 'after_sale'))['after_sale_order']);
  const where = s.warehouseId === undefined ? {} : { out_warehouse_id: s.warehouseId };

  return {
    receive: (push) => receive(push, account),
    nextToken: (last) => client.nextToken(last),

    async fetchOrder(externalId) {
      const first = await get(externalId);
      if (first === null || afterSaleIds(first).length === 0) return first && mapOrder(first, [], s);
      let known: Bag | null = first;
      const read = await readSteadily(`order ${externalId}`, async () => { const head = known ?? await get(externalId); known = null; return head; }, versionOf, (head) => Promise.all(afterSaleIds(head).map(claim)));
      return read && mapOrder(read.head, read.rest, s);
    },

    orderOfAfterSale: async (id) => text((await claim(id))['order_id']),

    /** Ids only, without a version. `has_more` says whether there is more; `next_key` is there on the last page, too. */
    async changedOrders(window, page) {
      const range = { start_time: Math.floor(window.from / 1000), end_time: Math.ceil(window.to / 1000) };
      const answer = await client.call('order/list/get', { update_time_range: range, page_size: PAGE, ...(page === null ? {} : { next_key: page }) }, 'order');
      return {
        orders: list(answer['order_id_list']).flatMap((id) => { const externalId = text(id); return externalId === null ? [] : [{ externalId, version: null }]; }),
        next: answer['has_more'] === true ? text(answer['next_key']) : null,
      };
    },

    readStock: (listings) => allEnded(listings.filter((l) => l.itemId !== null).map(async ({ itemId, platformSku }) => {
      try {
        const data = bag((await client.call('product/stock/get', { product_id: itemId, sku_id: platformSku }, 'stock'))['data']);
        const warehouses = list(data['warehouse_stocks']).map(bag);
        const held = warehouses.reduce((sum, w) => sum + (whole(w['lock_stock']) ?? 0), 0);
        const stored = warehouses.reduce((sum, w) => sum + (whole(w['num']) ?? 0), 0);
        // Common stock, what is kept for a discount and for one livestreamer, and what the warehouses have that nobody has ordered.
        const [normal, free] = [whole(data['normal_stock_num']) ?? 0, stored - (s.lockedWithin ? held : 0)];
        const sellable = normal + (whole(data['limited_discount_stock_num']) ?? 0) + (whole(data['finder_total_num']) ?? 0) + free;
        return [{ platformSku, sellable, held, loose: s.warehouseId === undefined ? normal : free }];
      } catch (error) {
        if (refusesThis(error)) return [];
        throw error;
      }
    })).then((all) => all.flat()),

    // Differences, and no key: "set" would give back what was sold and locked on its way to us. What was sent and not answered is read back first.
    pushStock: (pushes) => allEnded(pushes.map(async ({ itemId, platformSku, delta }): Promise<StockAnswer> => {
      if (delta === 0) return { outcome: 'done' };
      if (itemId === null) return { outcome: 'refused', reason: 'the listing has no product id: the platform changes stock by product and SKU' };
      try {
        await client.call(`${s.warehouseId === undefined ? 'product' : 'warehouse'}/stock/update`, { product_id: itemId, sku_id: platformSku, ...where, diff_type: delta > 0 ? 1 : 2, num: Math.abs(delta) }, 'stock');
        return { outcome: 'done' };
      } catch (error) {
        if (!refusesThis(error)) throw error;
        if (error.code === NOTHING_TO_ADD) return { outcome: 'done' };
        return error.code === READ_FIRST ? { outcome: 'stale' } : { outcome: 'refused', reason: error.message };
      }
    })),

    /** A parcel that the order shows was told before: its answer was lost. */
    async reportShipment({ externalId, carrier, waybillNo, lines }) {
      const order = await get(externalId);
      if (order === null) throw new PartnerRefused(200, `the platform has no order ${externalId}`);
      if (waybills(order).some((w) => w.number === waybillNo)) return;
      await client.call('order/delivery/send', {
        order_id: externalId, delivery_list: [{ delivery_id: s.carriers[carrier] ?? carrier, waybill_id: waybillNo, deliver_type: s.deliverType, product_infos: lines.map((l) => ({ ...productOf(l.lineId), product_cnt: l.quantity })) }],
      }, 'order');
    },

    /** What is decided already, by an attempt whose answer was lost, is not decided again. */
    async answerAfterSale(_externalId, id, { approved, reason }) {
      const now = await claim(id);
      const status = afterSaleStatus(now);
      if (approved ? status === 'agreed' || status === 'goods_sent' || status === 'done' : status === 'refused') return;
      const type = text(now['type']) ?? '';
      if (type !== 'REFUND' && type !== 'RETURN') throw new PartnerRefused(200, `after-sale ${id} is neither refund nor return (${type}): decide it at the platform's desk`);
      if (!approved) await client.call('aftersale/rejectapply', { after_sale_order_id: id, reject_reason: reason.slice(0, 200) }, 'after_sale');
      else {
        const returns = type === 'RETURN';
        if (returns && s.returnAddressId === undefined) throw new PartnerRefused(200, 'agreed returns need an address: set returnAddressId');
        await client.call('aftersale/acceptapply', { after_sale_order_id: id, ...(returns ? { address_id: s.returnAddressId } : {}) }, 'after_sale');
      }
    },
  };
}

import { PartnerRefused } from '../../domain/http-port.ts';
import { PlatformError, says } from '../caller.ts';
import type { ChannelConnector, ChannelIo, Shop } from '../channel.ts';
import { lastToFirst } from '../last-to-first.ts';
import { bag, list, text, whole } from '../safe-json.ts';
import { DouyinClient } from './client.ts';
import { afterSaleStatus, mapOrder } from './map.ts';
import { receive } from './push.ts';
import type { DouyinSettings } from './settings.ts';
import { DouyinStock } from './stock.ts';

const PAGE = 100;
/** Pages reach no further than this. */
const MOST_LISTED = 50_000;
/** aftersale_type that `afterSaleTypes` has a decision for; system cancellations and price protection are the platform's own. */
const DECIDED: Readonly<Record<string, string>> = { '0': 'Return', '1': 'Refund', '2': 'Refund', '3': 'Exchange', '7': 'Resend', '8': 'Repair' };

/** A shop of 抖店 (op.jinritemai.com). */
export function connect(shop: Shop, io: ChannelIo): ChannelConnector {
  const s = shop.settings as unknown as DouyinSettings;
  const client = new DouyinClient(shop, io);
  const stock = new DouyinStock(client, s.warehouseId);
  return {
    receive: (push) => receive(push, s.appKey, shop.secrets['appSecret'] ?? ''),
    nextToken: (last) => client.nextToken(last),

    async fetchOrder(externalId, topics) {
      const detail = bag((await client.call('/order/orderDetail', { shop_order_id: externalId }, 'order'))['shop_order_detail']);
      if (text(detail['order_id']) === null) return null;
      const claims = list(detail['sku_order_list']).some((l) => (whole(bag(bag(l)['after_sale_info'])['after_sale_status']) ?? 0) !== 0);
      const afterSales = claims ? list((await client.call('/afterSale/List', { order_id: externalId, page: 0, size: 100 }, 'after_sale'))['items']) : [];
      // The platform warehouse's orders are ours to count, not to ship; without a location for it they are held, never shipped twice.
      return mapOrder(detail, afterSales, topics, s.platformInventoryTypes);
    },

    /** `page`: from:to:page in seconds, without a page at first; a window that lists more than the platform pages through is halved. Its pages are from 0. */
    async changedOrders(window, page) {
      const [from, to, at] = page === null ? [Math.floor(window.from / 1000), Math.ceil(window.to / 1000), null] : readPage(page);
      const last = Math.ceil(window.to / 1000);
      let halved = false;
      const { orders, next } = await lastToFirst(at, PAGE, async (number) => {
        const data = await client.call('/order/searchList', { size: PAGE, page: number - 1, update_time_start: from, update_time_end: to, order_by: 'update_time', order_asc: true }, 'order');
        const total = whole(data['total']) ?? 0;
        halved = total > MOST_LISTED && to - from > 1;
        const listed = list(data['shop_order_list']).map(bag).flatMap((o) => { const externalId = text(o['order_id']); return externalId === null ? [] : [{ externalId, version: (whole(o['update_time']) ?? 0) * 1000 }]; });
        return { orders: listed, total };
      });
      if (halved) return { orders: [], next: `${from}:${from + Math.floor((to - from) / 2)}:` };
      return { orders, next: next !== null ? `${from}:${to}:${next}` : to < last ? `${to}:${last}:` : null };
    },

    readStock: (listings) => stock.read(listings),
    pushStock: (pushes) => stock.push(pushes),

    // request_id makes the first success the answer to every repetition.
    async reportShipment({ externalId, key, carrier, waybillNo, lines }) {
      await client.call('/order/logisticsAddMultiPack', {
        order_id: externalId, request_id: key,
        pack_list: [{ shipped_order_info: lines.map((l) => ({ shipped_order_id: l.lineId, shipped_num: l.quantity })), logistics_code: waybillNo, company_code: s.carriers[carrier] ?? carrier }],
      }, 'shipment');
    },

    /** Nothing is open to be answered any more: an attempt whose answer was lost has answered, or the buyer has withdrawn. */
    async answerAddressChange(externalId, approved) {
      try {
        await client.call('/order/addressConfirm', { order_id: externalId, is_approved: approved ? s.addressAnswers.agree : s.addressAnswers.refuse }, 'order');
      } catch (error) {
        if (!(error instanceof PlatformError) || !says([error.code, error.code.split(':').at(-1) ?? ''], s.answeredErrors)) throw error;
      }
    },

    /** What is decided already, by an attempt whose answer was lost, is not decided again. */
    async answerAfterSale(_externalId, afterSaleId, { approved, reason }) {
      const info = bag(bag((await client.call('/afterSale/Detail', { after_sale_id: afterSaleId }, 'after_sale'))['process_info'])['after_sale_info']);
      const status = afterSaleStatus(info['after_sale_status']);
      if (approved ? status === 'agreed' || status === 'goods_sent' || status === 'done' : status === 'refused' || status === 'closed') return;
      const kind = DECIDED[text(info['after_sale_type']) ?? ''];
      const type = kind === undefined ? undefined : s.afterSaleTypes[`${approved ? 'agree' : 'refuse'}${kind}`];
      if (type === undefined) throw new PartnerRefused(200, `after-sale ${afterSaleId} is of a kind (${text(info['after_sale_type']) ?? '?'}) that is not decided by API: decide it at the platform's desk, or set afterSaleTypes`);
      await client.call('/afterSale/operate', { type, items: [{ aftersale_id: afterSaleId, reason }] }, 'after_sale');
    },
  };
}

function readPage(page: string): [from: number, to: number, at: string | null] {
  const [from, to, at] = page.split(':');
  return [Number(from), Number(to), at === '' || at === undefined ? null : at];
}

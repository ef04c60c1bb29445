import { PartnerRefused } from '../../domain/http-port.ts';
import { PlatformError, says } from '../caller.ts';
import type { ChannelConnector, ChannelIo, Shop } from '../channel.ts';
import { chinaTime } from '../china-time.ts';
import { lastToFirst } from '../last-to-first.ts';
import { bag, list, long, text, whole, type Bag } from '../safe-json.ts';
import { readSteadily } from '../steady.ts';
import { JdAfterSales } from './after-sales.ts';
import { JdClient } from './client.ts';
import { afterSalesOf, mapOrder, versionOf, waybills } from './map.ts';
import { sendParcel } from './parcels.ts';
import type { JdSettings } from './settings.ts';
import { pushStock, readStock } from './stock.ts';

const PAGE = 100;
const FIELDS = 'orderId,orderType,payType,orderTotalPrice,orderSellerPrice,orderPayment,freightPrice,sellerDiscount,balanceUsed,orderState,orderStateRemark,orderRemark,venderRemark,orderStartTime,orderEndTime,modified,'
  + 'paymentConfirmTime,consigneeInfo,itemInfoList,couponDetailList,waybill,logisticsId,partialLogisticsInfoModel,storeOrder,parentOrderId,open_id_buyer';

/** A shop of JD (jos.jd.com, POP). It is asked for everything: orders, applications to cancel, services. */
export function connect(shop: Shop, io: ChannelIo): ChannelConnector {
  const s = shop.settings as unknown as JdSettings;
  const client = new JdClient(shop, io);
  const afterSales = new JdAfterSales(client, s);
  /** Null: the shop has none of that number, or not yet: it shows orders when they are paid. */
  async function orderOf(orderId: string): Promise<Bag | null> {
    const order = bag((await client.call('jingdong.pop.order.get', { order_id: long(orderId), optional_fields: FIELDS }, 'order', 'orderDetailInfo'))['orderInfo']);
    return text(order['orderId']) === null ? null : order;
  }

  return {
    nextToken: (last) => client.nextToken(last),

    async fetchOrder(externalId) {
      const read = await readSteadily(`order ${externalId}`, () => orderOf(externalId), versionOf, (order) => afterSales.of(externalId, afterSalesOf(order)));
      return read && mapOrder(read.head, read.rest, s);
    },

    /** Orders by the time of their change, then those with after-sales. `page`: o/number, then a/source:number. */
    async changedOrders(window, page) {
      if (page?.startsWith('a/')) {
        const { orders, next } = await afterSales.changed(window, page.slice(2));
        return { orders, next: next === null ? null : `a/${next}` };
      }
      const { orders, next } = await lastToFirst(page?.slice(2) ?? null, PAGE, async (at) => {
        const found = await client.call('jingdong.pop.order.search', {
          start_date: chinaTime(window.from), end_date: chinaTime(window.to + 999), order_state: s.orderStates.join(','), optional_fields: 'orderId,orderState,modified,orderStartTime,partialLogisticsInfoModel', page: String(at), page_size: String(PAGE),
          sortType: 0, dateType: 0,
        }, 'order', 'searchorderinfo_result');
        const listed = list(found['orderInfoList']).map(bag).flatMap((o) => { const externalId = text(o['orderId']); return externalId === null ? [] : [{ externalId, version: versionOf(o) || null }]; });
        return { orders: listed, total: whole(found['orderTotal']) ?? 0 };
      });
      return { orders, next: next === null ? 'a/0:1' : `o/${next}` };
    },

    readStock: (listings) => readStock(client, s, listings),
    pushStock: (pushes) => pushStock(client, s, pushes),

    /** A waybill that the order shows was told before: its answer was lost. */
    async reportShipment(report) {
      const order = await orderOf(report.externalId);
      if (order === null) throw new PartnerRefused(200, `JD has no order ${report.externalId}`);
      if (waybills(order).some((w) => w.number === report.waybillNo)) return;
      try {
        await sendParcel(client, s, report);
      } catch (error) {
        if (!(error instanceof PlatformError) || !says([error.code, error.message], s.sentErrors)) throw error;
      }
    },

    answerAfterSale: (externalId, afterSaleId, decision) => afterSales.decide(externalId, afterSaleId, decision),
  };
}

import { PartnerRefused } from '../../domain/http-port.ts';
import { PlatformError, says } from '../caller.ts';
import type { ChannelConnector, ChannelIo, Shop } from '../channel.ts';
import { chinaTime } from '../china-time.ts';
import { lastToFirst } from '../last-to-first.ts';
import { bag, list, text, whole, type Bag } from '../safe-json.ts';
import { readSteadily } from '../steady.ts';
import { TaobaoClient } from './client.ts';
import { mapOrder, refundIds, versionOf, waybills } from './map.ts';
import { hintOf } from './messages.ts';
import { sendParcel } from './parcels.ts';
import { decide } from './refunds.ts';
import type { TaobaoSettings } from './settings.ts';
import { TaobaoStock } from './stock.ts';

/** Pages of 40 to 50 are answered best. */
const PAGE = 50;
const MESSAGES = '100';
/** The receiver's token is given only beside all of name, mobile, address and creation. */
const FIELDS = 'tid,tid_str,status,type,created,modified,pay_time,consign_time,end_time,payment,post_fee,total_fee,discount_fee,step_trade_status,buyer_nick,buyer_open_uid,buyer_message,seller_memo,est_con_time,'
  + 'receiver_name,receiver_state,receiver_city,receiver_district,receiver_town,receiver_address,receiver_zip,receiver_mobile,receiver_phone,oaid,logistics_infos,orders';
const REFUND_FIELDS = 'refund_id,tid,oid,status,has_good_return,refund_fee,num,reason,desc,company_name,sid,created,modified,refund_phase,refund_version,operation_contraint';

/** A shop of Taobao or Tmall (open.taobao.com). */
export function connect(shop: Shop, io: ChannelIo): ChannelConnector {
  const s = shop.settings as unknown as TaobaoSettings;
  const client = new TaobaoClient(shop, io);
  const stock = new TaobaoStock(client);
  let permitted = false;

  async function tradeOf(tid: string): Promise<Bag | null> {
    try {
      const trade = bag((await client.call('taobao.trade.fullinfo.get', { tid, fields: FIELDS }, 'order'))['trade']);
      return text(trade['tid']) === null ? null : trade;
    } catch (error) {
      if (error instanceof PlatformError && says([error.code], s.noOrderErrors)) return null;
      throw error;
    }
  }
  const refundOf = async (id: string): Promise<Bag> => bag((await client.call('taobao.refund.get', { refund_id: id, fields: REFUND_FIELDS }, 'after_sale'))['refund']);

  return {
    nextToken: (last) => client.nextToken(last),

    async takeMessages() {
      if (!permitted) {
        await client.call('taobao.tmc.user.permit', { topics: s.topics.join(',') }, 'queue');
        permitted = true;
      }
      const group = { group_name: s.group };
      const taken = list(bag((await client.callApp('taobao.tmc.messages.consume', { ...group, quantity: MESSAGES }, 'queue'))['messages'])['tmc_message']).map(bag);
      // Another shop's are left for it: they come again.
      const ours = taken.filter((m) => s.sellerId === undefined || text(m['user_id']) === s.sellerId);
      return {
        hints: ours.flatMap((m) => hintOf(m) ?? []), more: ours.length > 0,
        async confirm() { if (ours.length > 0) await client.callApp('taobao.tmc.messages.confirm', { ...group, s_message_ids: ours.flatMap((m) => text(m['id']) ?? []).join(',') }, 'queue'); },
      };
    },

    async fetchOrder(externalId) {
      const first = await tradeOf(externalId);
      if (first === null || refundIds(first).length === 0) return first && mapOrder(first, [], s);
      let known: Bag | null = first;
      const read = await readSteadily(`order ${externalId}`, async () => { const head = known ?? await tradeOf(externalId); known = null; return head; }, versionOf, (head) => Promise.all(refundIds(head).map(refundOf)));
      return read && mapOrder(read.head, read.rest, s);
    },

    orderOfAfterSale: async (afterSaleId) => text((await refundOf(afterSaleId))['tid']),

    /** The list runs from the latest change to the first. */
    changedOrders: ({ from, to }, page) => lastToFirst(page, PAGE, async (at) => {
      const window = { start_modified: chinaTime(from), end_modified: chinaTime(to + 999), type: s.tradeTypes.join(',') };
      const answer = await client.call('taobao.trades.sold.increment.get', { ...window, fields: 'tid,status,consign_time,modified', page_no: String(at), page_size: String(PAGE) }, 'order');
      const orders = list(bag(answer['trades'])['trade']).map(bag).flatMap((t) => { const externalId = text(t['tid']); return externalId === null ? [] : [{ externalId, version: versionOf(t) || null }]; });
      return { orders, total: whole(answer['total_results']) ?? 0 };
    }),

    readStock: (listings) => stock.read(listings),
    pushStock: (pushes) => stock.push(pushes),

    /** A waybill that the order shows was told before: its answer was lost. */
    async reportShipment(report) {
      const trade = await tradeOf(report.externalId);
      if (trade === null) throw new PartnerRefused(200, `the platform has no order ${report.externalId}`);
      if (waybills(trade).some((w) => w.number === report.waybillNo)) return;
      try {
        await sendParcel(client, s, report, trade);
      } catch (error) {
        if (!(error instanceof PlatformError) || !says([error.code, error.message], s.sentErrors)) throw error;
      }
    },

    answerAfterSale: async (_externalId, afterSaleId, decision) => decide(client, s, await refundOf(afterSaleId), decision),
  };
}

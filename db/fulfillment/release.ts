import type { StockWriter } from '../stock-writer.ts';
import type { Network, Location, Carrier } from '../network.ts';
import type { Contact, Vault } from '../vault.ts';
import type { Way } from '../../domain/order/intake.ts';
import { afterOpen } from '../../domain/promising/hours.ts';
import { readyAt } from '../../domain/promising/ready.ts';
import type { Tx } from '../tx.ts';
import { encodeId } from '../../domain/ids.ts';
import { LEFT, TERMINAL, VOID, type FulfillmentStatus } from '../../domain/order/status.ts';
import { voidWaybills } from '../carriers/waybills.ts';
import { cashToCollect } from '../orders/cash-on-delivery.ts';
import { lockOrder, readFulfillments, readLines, refreshStatus } from '../orders/order.ts';
import { rejectFulfillment } from './reject.ts';
import { patience } from './reminder.ts';

/** What a location and a carrier need to know; in memory only, it holds personal data. */
export type Release = {
  fulfillmentOrderId: string; orderId: string; location: Location; carrier: Carrier | null; service: string; waybillNo: string | null; priority: number;
  shipBy: string; scheduledFrom: string | null; cashOnDelivery: { amount: number; currency: string } | null; shipTo: Contact['shipTo'];
  lines: { lineNo: number; sku: string; quantity: number; gift: boolean; weightG: number; volumeMm3: number; hazardous: boolean }[];
  /** in whose name a dealer or vendor sends: the parcel shows the channel, not the sender */
  onBehalfOf: string | null;
  /** the shop account it was ordered on, and its number there */
  channel: string | null; externalId: string | null;
  /** the customer fetches it */
  pickup: { way: Exclude<Way, 'ship'>; readyBy: string } | null; buyerRemark: string | null; sellerRemark: string | null;
};

/**
 * `routed → releasing`, committed before anybody is called: from here on the location may know of it. Null when there is nothing to
 * release any more (cancelled, held, refunded, or released before). Safe to run again after a crash: `releasing` is released again.
 */
export async function beginRelease(writer: StockWriter, network: Network, vault: Vault, orderId: string, fulfillmentOrderId: string): Promise<Release | null> {
  return writer.change(async (tx) => {
    const order = await lockOrder(tx, orderId);
    const f = (await readFulfillments(tx.client, orderId)).find((x) => x.id === fulfillmentOrderId);
    // An earlier try may have asked for a number that nobody has any use for.
    if (f && (VOID.has(f.status) || LEFT.has(f.status))) await voidWaybills(tx, encodeId('ful', f.id));
    if (!f || TERMINAL.has(order.status) || order.holdReason || f.cancelRequestedAt || (f.status !== 'routed' && f.status !== 'releasing')) return null;
    const location = network.locationById.get(f.locationId);
    if (!location) throw new Error(`location ${f.locationId} is not in the network yet`);
    const contact = await vault.readContact(tx.client, order.contactId);
    if (!contact) {
      await tx.query(`insert into order_holds (order_id, reason, detail, placed_at, placed_by) values ($1, 'person_erased', 'the receiver has been erased', $2, 'system')`, [orderId, tx.now]);
      await refreshStatus(tx, order, 'system');
      return null;
    }
    if (f.status === 'routed') {
      await tx.query(`update fulfillment_orders set status = 'releasing', contact_id = $4, released_at = $2, accept_by = $3 where id = $1`,
        [f.id, tx.now, afterOpen(location, tx.now, patience(network.channelById.get(order.channelId), location).acceptS * 1000), order.contactId]);
      await refreshStatus(tx, order, 'system');
    }
    const readyBy = order.way === 'ship' ? null : await readyDate(tx, f.id, readyAt(location, tx.now, (network.channelById.get(order.channelId)?.pickupReadyS ?? 7_200) * 1000));
    const units = new Map((await tx.query<{ line_no: number; units: number }>(
      'select line_no, quantity - short_quantity units from fulfillment_order_lines where fulfillment_order_id = $1', [f.id])).map((r) => [r.line_no, r.units]));
    const all = await readLines(tx.client, orderId);
    const cash = order.paymentStatus === 'cash_on_delivery' ? await cashToCollect(tx, order, f.id, all) : 0;
    const lines = all.filter((l) => (units.get(l.lineNo) ?? 0) > 0);
    const skus = await network.skusById(lines.flatMap((l) => l.skuId ?? []));
    return {
      fulfillmentOrderId: encodeId('ful', f.id), orderId: encodeId('ord', orderId), location, carrier: f.carrier === null ? null : network.carriers.get(f.carrier) ?? null,
      service: f.service, waybillNo: f.waybillNo, priority: order.priority, shipBy: (order.shipBy ?? tx.now).toISOString(), scheduledFrom: order.scheduledFrom?.toISOString() ?? null,
      // Collected once, with the first parcel, for all of the order that has not been cancelled; with the next one where that never leaves.
      cashOnDelivery: cash > 0 ? { amount: cash, currency: order.currency } : null,
      pickup: order.way === 'ship' || !readyBy ? null : { way: order.way, readyBy: readyBy.toISOString() },
      channel: network.channelById.get(order.channelId)?.code ?? null, externalId: order.externalId,
      onBehalfOf: location.kind === 'dealer' || location.kind === 'vendor' ? network.channelById.get(order.channelId)?.name ?? null : null,
      shipTo: contact.shipTo, buyerRemark: contact.buyerRemark, sellerRemark: contact.sellerRemark,
      lines: lines.map((l) => {
        const sku = l.skuId === null ? undefined : skus.get(l.skuId);
        return { lineNo: l.lineNo, sku: l.skuCode, quantity: units.get(l.lineNo) ?? 0, gift: l.gift, weightG: sku?.weightG ?? 0, volumeMm3: sku?.volumeMm3 ?? 0, hazardous: sku?.hazardous === true };
      }),
    };
  });
}

/** By when it must be ready; said once. */
async function readyDate(tx: Tx, fulfillmentOrderId: string, at: Date): Promise<Date> {
  return (await tx.one<{ at: Date }>('update fulfillment_orders set ready_by = coalesce(ready_by, $2) where id = $1 returning ready_by at', [fulfillmentOrderId, at]))?.at ?? at;
}

/**
 * The waybill that `carrier` issued; the first one written stays. What was cancelled or has left meanwhile has no use for it. Returns the one that stands. Throws where another carrier was asked in its place meanwhile:
 * a late answer is not that one's number.
 */
export async function recordWaybill(writer: StockWriter, fulfillmentOrderId: string, carrier: string, waybillNo: string): Promise<string> {
  return writer.change(async (tx) => {
    const row = await tx.one<{ waybill_no: string; status: FulfillmentStatus }>(
      'update fulfillment_orders set waybill_no = coalesce(waybill_no, $2) where id = $1 and carrier = $3 returning waybill_no, status', [fulfillmentOrderId, waybillNo, carrier]);
    if (!row) throw new Error(`another carrier than ${carrier} has this parcel by now: it is released with that one`);
    if (VOID.has(row.status) || LEFT.has(row.status)) await voidWaybills(tx, encodeId('ful', fulfillmentOrderId));
    return row.waybill_no;
  });
}

/** The location has taken the order in: `releasing → released`. News that came meanwhile stands. */
export async function finishRelease(writer: StockWriter, orderId: string, fulfillmentOrderId: string, partnerRef: string | null): Promise<void> {
  await writer.change(async (tx) => {
    const order = await lockOrder(tx, orderId);
    const changed = await tx.query(
      `update fulfillment_orders set status = case status when 'releasing' then 'released' else status end, partner_ref = coalesce(partner_ref, $2)
       where id = $1 and status in ('releasing', 'released', 'accepted', 'packed') returning 1`, [fulfillmentOrderId, partnerRef]);
    if (changed.length === 0) return;
    await tx.event(orderId, 'fulfillment.released', 'system', { fulfillmentOrder: encodeId('ful', fulfillmentOrderId) });
    await refreshStatus(tx, order, 'system');
  });
}

/** Until a release that nobody answered is tried again, seconds. */
export const RETRY_S = 60;

/** The location does not answer: the release is tried again later; the acceptance deadline runs on, so the order goes elsewhere in the end. */
export async function postponeRelease(writer: StockWriter, orderId: string, fulfillmentOrderId: string, reason: string): Promise<void> {
  await writer.change(async (tx) => {
    await lockOrder(tx, orderId);
    await tx.query(`update fulfillment_orders set release_retry_at = $2::timestamptz + make_interval(secs => $3) where id = $1 and status = 'releasing'`,
      [fulfillmentOrderId, tx.now, RETRY_S]);
    await tx.event(orderId, 'fulfillment.unreachable', 'system', { fulfillmentOrder: encodeId('ful', fulfillmentOrderId), reason });
  });
}

/** The location will never take it: the order goes elsewhere. */
export async function refuseRelease(writer: StockWriter, orderId: string, fulfillmentOrderId: string, reason: string): Promise<void> {
  await writer.change(async (tx) => {
    const order = await lockOrder(tx, orderId);
    const f = (await readFulfillments(tx.client, orderId)).find((x) => x.id === fulfillmentOrderId);
    if (f?.status !== 'releasing') return;
    await tx.event(orderId, 'fulfillment.refused', 'system', { fulfillmentOrder: encodeId('ful', f.id), reason });
    await rejectFulfillment(tx, order, f, 'refused', 'system');
    await refreshStatus(tx, order, 'system');
  });
}

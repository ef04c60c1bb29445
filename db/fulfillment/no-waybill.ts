import { encodeId } from '../../domain/ids.ts';
import type { Network } from '../network.ts';
import { lockOrder, readFulfillments, refreshStatus, type FulfillmentOrder, type Order } from '../orders/order.ts';
import { placeHold } from '../orders/place-hold.ts';
import { unplan } from '../orders/replan.ts';
import { addressRefusals, refusal } from '../routing/carrier-facts.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { rejectFulfillment } from './reject.ts';
import { RETRY_S } from './release.ts';

type Ref = { orderId: string; fulfillmentOrderId: string };
/** Before carriers of which some refused and the others did not answer are asked anew, seconds. */
const ANEW_S = 600;

/** A fulfillment order whose number is being asked for, under its order's lock; null where the order has moved on. */
async function lockReleasing(tx: Tx, { orderId, fulfillmentOrderId }: Ref): Promise<{ order: Order; f: FulfillmentOrder } | null> {
  const order = await lockOrder(tx, orderId);
  const f = (await readFulfillments(tx.client, orderId)).find((x) => x.id === fulfillmentOrderId);
  return f?.status === 'releasing' && !f.cancelRequestedAt && f.waybillNo === null ? { order, f } : null;
}

/**
 * No carrier answers: that is no silence of the location, which has not been told yet, so its time to accept begins later by as much. Asked again after a while; where there are other carriers which did not answer
 * before, it is planned anew after as long as a location has to accept, to begin with the best of them again. `refusing`: the last one asked refused, so that is done at once, and routed after a pause.
 */
export async function waitForCarrier(writer: StockWriter, ref: Ref, reason: string, refusing: boolean): Promise<void> {
  await writer.change(async (tx) => {
    const found = await lockReleasing(tx, ref);
    if (!found) return;
    const { order, f } = found;
    const row = await tx.one<{ first: boolean; anew: boolean }>(
      `select release_retry_at is null first, carriers_tried <> '{}' and $2::timestamptz - released_at >= accept_by - coalesce(release_retry_at, released_at) anew from fulfillment_orders where id = $1`, [f.id, tx.now]);
    const name = { fulfillmentOrder: encodeId('ful', f.id), carrier: f.carrier, reason };
    if (row?.first) await tx.event(order.id, 'fulfillment.unreachable', 'system', name);
    if (!refusing && row?.anew !== true) {
      await tx.query(
        `update fulfillment_orders f set release_retry_at = s.again, accept_by = f.accept_by + s.lost, reroute_at = f.reroute_at + s.lost
         from (select $2::timestamptz + make_interval(secs => $3) again, $2::timestamptz + make_interval(secs => $3) - coalesce(release_retry_at, released_at) lost from fulfillment_orders where id = $1) s where f.id = $1`,
        [f.id, tx.now, RETRY_S]);
      return;
    }
    await unplan(tx, order.id, [f], 'no carrier answers');
    if (refusing) await tx.query('update orders set route_after = $2::timestamptz + make_interval(secs => $3), routing_waits = $4 where id = $1', [order.id, tx.now, ANEW_S, `${f.carrier ?? ''}: ${reason}`]);
    await tx.event(order.id, 'fulfillment.planned_anew', 'system', name);
    await refreshStatus(tx, order, 'system');
    await tx.wake(order.id, order.shipBy);
  });
}

/**
 * Every carrier that could be asked refuses. Where one is left that might take it from elsewhere, the order goes to another location, once. Where none is, or where it was refused at another location, too, it is the
 * address or the parcel that nobody takes: no location's fault, so that its plan ends without a rejection, and a person decides.
 */
export async function refusedByCarriers(writer: StockWriter, network: Network, ref: Ref, postcode: string | undefined, reason: string): Promise<void> {
  await writer.change(async (tx) => {
    const found = await lockReleasing(tx, ref);
    if (!found) return;
    const { order, f } = found;
    const name = { fulfillmentOrder: encodeId('ful', f.id), carrier: f.carrier, reason };
    await tx.event(order.id, 'fulfillment.refused', 'system', name);
    const address = { country: order.country, province: order.province, city: order.city, ...(postcode === undefined ? {} : { postcode }) };
    if (takenElsewhere(network, order, address) && !await refusedBefore(tx, order.id)) {
      await rejectFulfillment(tx, order, f, 'refused', 'system');
    } else {
      const said = new Map([...await answers(tx, order.id, name.fulfillmentOrder), [f.carrier ?? '', reason] as const, ...addressRefusals(network, address).map((r) => [r.carrier, r.reason] as const)]);
      await unplan(tx, order.id, [f], 'no carrier takes it');
      await placeHold(tx, order.id, 'no_carrier', [...said].map(([carrier, why]) => `${carrier}: ${why}`).join('; '), 'system');
    }
    await refreshStatus(tx, order, 'system');
  });
}

/** Some carrier, from wherever, has no rule against the address. */
function takenElsewhere(network: Network, order: Order, address: Parameters<typeof addressRefusals>[1]): boolean {
  return network.rates.some((r) => (order.forcedCarrier ?? r.carrier) === r.carrier && network.carriers.get(r.carrier)?.active === true && refusal(network.refusals, r.carrier, r.service, address) === null);
}

/** Carriers refused it at another location; since its address changed, or somebody released it to be tried anew. This time is written already. */
async function refusedBefore(tx: Tx, orderId: string): Promise<boolean> {
  const row = await tx.one<{ times: number }>(
    `select count(*)::int times from order_events where order_id = $1 and type = 'fulfillment.refused' and data ? 'carrier'
       and id > coalesce((select max(id) from order_events where order_id = $1 and type in ('order.address_changed', 'order.hold_released')), 0)`, [orderId]);
  return (row?.times ?? 0) > 1;
}

/** What the carriers before the last one said. */
async function answers(tx: Tx, orderId: string, fulfillmentOrder: string): Promise<[carrier: string, reason: string][]> {
  const rows = await tx.query<{ carrier: string; reason: string }>(
    `select data->>'from' carrier, data->>'reason' reason from order_events where order_id = $1 and type = 'fulfillment.carrier_changed' and data->>'fulfillmentOrder' = $2 order by id`, [orderId, fulfillmentOrder]);
  return rows.map((r) => [r.carrier, r.reason]);
}

import { limitLevels } from '../../domain/stock/sharing.ts';
import type { Network } from '../network.ts';
import type { Tx } from '../tx.ts';
import { freeLevels } from './free-levels.ts';
import { GAVE_BACK_FOR_GOOD, UNANSWERED } from './gave-back.ts';
import type { Order } from './order.ts';
import { placeHold } from './place-hold.ts';

export const GIVEN_BACK = 'given_back';

/**
 * An order whose units lie only where it was given back, and where nobody will be asked again by itself, is held with the reasons: waiting would end it in silence while others are sold what it wants. An operator forces a
 * location, has them asked again by releasing the hold, or cancels. Call when nothing else serves `skuIds`; the caller refreshes the status.
 */
export async function holdGivenBack(tx: Tx, network: Network, order: Order, skuIds: readonly number[]): Promise<void> {
  const back = await tx.query<{ locationId: number; reason: string; later: boolean }>(
    `select location_id "locationId", case when status = 'rejected' then end_reason else 'short_pick' end reason, ask_again_at is not null and ask_again_at > $2 later from fulfillment_orders f
     where order_id = $1 and (status = 'rejected' or exists (select from fulfillment_order_lines l where l.fulfillment_order_id = f.id and l.short_quantity > 0)) order by id`, [order.id, tx.now]);
  if (back.length === 0 || back.some((f) => f.later)) return;
  // What can go is not kept by what cannot, nor is what has not been answered: it is decided when it has.
  if (await tx.one(`select 1 from fulfillment_orders f join orders o on o.id = f.order_id where o.id = $1 and ${UNANSWERED} limit 1`, [order.id])) return;
  if (await tx.one(`select 1 from reservations r join stock_levels v on v.id = r.level_id and v.supply_id = 0 where r.order_id = $1 and r.status = 'confirmed' and r.fulfillment_order_id is null and ${SHIPPING} limit 1`, [order.id])) return;
  const share = network.sharing(order.channelId, tx.now);
  const skus = await network.skusById(skuIds);
  const there = limitLevels((await freeLevels(tx, network, order, skuIds, false, GAVE_BACK_FOR_GOOD))
    .filter((l) => network.locationById.get(l.locationId)?.active === true && (order.forcedLocationId ?? l.locationId) === l.locationId && !network.blocked(l.locationId, l.skuId, tx.now)), share).filter((l) => l.free > 0);
  if (there.length === 0) return;
  const units = new Map<string, number>();
  for (const l of there) units.set(`${l.locationId}|${l.skuId}`, (units.get(`${l.locationId}|${l.skuId}`) ?? 0) + l.free);
  const words = [...units].map(([key, free]) => {
    const [location, sku] = key.split('|').map(Number);
    const reasons = [...new Set(back.flatMap((f) => (f.locationId === location ? [f.reason] : [])))].join(', ');
    return `${network.locationById.get(location as number)?.code ?? ''} has ${free} of ${skus.get(sku as number)?.code ?? ''} and gave the order back: ${reasons}`;
  }).sort();
  await placeHold(tx, order.id, GIVEN_BACK, words.join('; '), 'system');
}

/** SQL: part of the order `$1` has left, so that the rest goes on as it comes. */
const SHIPPING = `exists (select from fulfillment_orders where order_id = $1 and status in ('issued', 'delivered'))`;

/** Units of an order have come or are wanted no more: what it was held for is over where nothing is missing any more, or what came can go by itself. The caller refreshes the status. */
export async function liftGivenBack(tx: Tx, orderId: string): Promise<void> {
  await tx.query(
    `update order_holds set released_at = $2, released_by = 'system', note = 'units have come, or are wanted no more' where order_id = $1 and reason = '${GIVEN_BACK}' and released_at is null
       and (not exists (select from shortages where order_id = $1 and status = 'open') or ${SHIPPING})`, [orderId, tx.now]);
}

/** Somebody says that locations may be asked again: one of them, or (null) all that gave the order back. */
export async function askAgain(tx: Tx, orderId: string, locationId: number | null): Promise<void> {
  await tx.query('update fulfillment_orders set ask_again_at = $2 where order_id = $1 and location_id = coalesce($3, location_id)', [orderId, tx.now, locationId]);
}

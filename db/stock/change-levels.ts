import { lockLease } from '../leases/lease.ts';
import { lockLevels } from '../ledger.ts';
import { lockOrder } from '../orders/order.ts';
import type { Tx } from '../tx.ts';
import { shortenReservations, YOUNGEST_FIRST } from './shorten.ts';

/** Thrown where more is to be lost than is on hand. */
export class NotOnHand extends Error {
  readonly levelId: number;
  readonly onHand: number;
  constructor(levelId: number, onHand: number) {
    super(`level ${levelId} has ${onHand} units on hand`);
    this.levelId = levelId;
    this.onHand = onHand;
  }
}

/**
 * Adds to or takes from what is on hand, by level. What is gone below the reserved units makes the youngest reservations that have not left `short`: their
 * orders get a shortage and are served first when stock comes. Returns how many reserved units were gone. Throws NotOnHand.
 */
export async function changeLevels(tx: Tx, cause: string, delta: ReadonlyMap<number, number>, actor: string): Promise<number> {
  // Orders before levels, as everywhere: whoever will lose units is locked first. Whoever comes in between is found under the level's lock.
  await lockLosers(tx, delta);
  const levels = await lockLevels(tx.client, delta.keys());
  let shortened = 0;
  for (const [id, change] of delta) {
    const level = levels.get(id);
    if (!level) throw new Error(`level ${id} does not exist`);
    const left = level.onHand + change;
    if (left < 0) throw new NotOnHand(id, level.onHand);
    if (left < level.reserved) shortened += await shortenReservations(tx, id, level.reserved - left, actor);
  }
  await tx.post(cause, null, [...delta].map(([levelId, onHand]) => ({ levelId, onHand, reserved: 0 })));
  return shortened;
}

/** Locks the orders and leases that lose units by these changes, as far as can be seen without a lock on levels: of each level the youngest, until enough is free. */
export async function lockLosers(tx: Tx, delta: ReadonlyMap<number, number>): Promise<void> {
  const losses = [...delta].filter(([, change]) => change < 0);
  if (losses.length === 0) return;
  const rows = await tx.query<{ order_id: string; lease: boolean }>(
    `select distinct t.order_id, exists (select from leases l where l.id = t.order_id) lease from (
       select r.order_id, v.reserved - (v.on_hand + d.change) lost, sum(r.quantity) over (partition by r.level_id order by ${YOUNGEST_FIRST}) - r.quantity before
       from unnest($1::bigint[], $2::bigint[]) d(id, change) join stock_levels v on v.id = d.id join reservations r on r.level_id = d.id and r.status in ('held', 'confirmed')) t
     where before < lost order by order_id`, [losses.map(([id]) => id), losses.map(([, change]) => change)]);
  for (const { order_id, lease } of rows) await (lease ? lockLease(tx, order_id) : lockOrder(tx, order_id));
}

import { Problem } from '../../domain/problem.ts';
import { lockLevels } from '../ledger.ts';
import type { Network } from '../network.ts';
import { lockOrder } from '../orders/order.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { claimReference, levelsOf, storeAnswer, type StockLine } from './receipts.ts';
import { shortenReservations, YOUNGEST_FIRST } from './shorten.ts';

export type Adjustment = { reference: string; location: string; reason: string; lines: (StockLine & { delta: number })[] };
export type AdjustmentAnswer = { reference: string; shortened: number };

/**
 * Corrects stock after a count or loss. What is gone below the reserved units makes the youngest reservations that have not left `short`, in the same
 * transaction: their orders get a shortage, and are served first when stock comes. More than there is cannot be lost.
 */
export async function adjustStock(writer: StockWriter, network: Network, locationId: number, adjustment: Adjustment, actor: string): Promise<AdjustmentAnswer> {
  await network.loadSkus(adjustment.lines.map((l) => l.sku));
  return writer.change(async (tx) => {
    const source = `adjustment:${adjustment.location}`;
    const known = await claimReference<AdjustmentAnswer>(tx, source, adjustment.reference, adjustment);
    if (known) return known;
    const ids = await levelsOf(tx, network, locationId, adjustment.lines);
    const delta = new Map<number, number>();
    adjustment.lines.forEach((l, i) => delta.set(ids[i] as number, (delta.get(ids[i] as number) ?? 0) + l.delta));
    // Orders before levels, as everywhere: whoever will lose units is locked first. Whoever comes in between is found under the level's lock.
    for (const orderId of await losers(tx, delta)) await lockOrder(tx, orderId);
    const levels = await lockLevels(tx.client, delta.keys());
    let shortened = 0;
    for (const [id, change] of delta) {
      const level = levels.get(id);
      if (!level) throw new Error(`level ${id} was made just now`);
      const left = level.onHand + change;
      if (left < 0) throw new Problem('conflict', `${level.onHand} units are on hand: ${-change} cannot be lost`, `/lines/${ids.indexOf(id)}/delta`);
      if (left < level.reserved) shortened += await shortenReservations(tx, id, level.reserved - left, actor);
    }
    await tx.post('adjustment', null, [...delta].map(([levelId, onHand]) => ({ levelId, onHand, reserved: 0 })));
    const answer = { reference: adjustment.reference, shortened };
    await storeAnswer(tx, source, adjustment.reference, answer);
    return answer;
  });
}

/** Orders that lose units by these changes, as far as can be seen without a lock: of each level the youngest, until enough is free. */
async function losers(tx: Tx, delta: ReadonlyMap<number, number>): Promise<string[]> {
  const losses = [...delta].filter(([, change]) => change < 0);
  const rows = await tx.query<{ order_id: string }>(
    `select distinct order_id from (
       select r.order_id, v.reserved - (v.on_hand + d.change) lost, sum(r.quantity) over (partition by r.level_id order by ${YOUNGEST_FIRST}) - r.quantity before
       from unnest($1::bigint[], $2::bigint[]) d(id, change) join stock_levels v on v.id = d.id join reservations r on r.level_id = d.id and r.status in ('held', 'confirmed')) t
     where before < lost order by order_id`, [losses.map(([id]) => id), losses.map(([, change]) => change)]);
  return rows.map((r) => r.order_id);
}

import type { Tx } from '../../tx.ts';

/**
 * Units that an order gives back, or that are taken from it: where its allotment had borrowed them from a parent, it owes that many fewer, never less than
 * none. The borrower is the nearest allotment on the order's way up that borrows; what it owes counts for levels of allotments beyond it.
 * Call it before the levels are locked, as the capture does, under the order's lock.
 */
export async function repayBorrowed(tx: Tx, orderId: string, back: readonly { levelId: number; units: number }[]): Promise<void> {
  if (back.length === 0) return;
  await tx.query(
    `with recursive way as (
       select a.id, a.parent_id, a.overflow from orders o join allotments a on a.id = o.allotment_id where o.id = $1 and o.allotment_id <> 0
       union all select p.id, p.parent_id, p.overflow from way w join allotments p on p.id = w.parent_id where w.overflow = 'parent'),
     repaid as (
       select w.id, v.sku_id, sum(t.u)::int units from way w, unnest($2::bigint[], $3::int[]) as t(v, u) join stock_levels v on v.id = t.v
       where w.overflow = 'borrow' and v.allotment_id not in (select id from way) group by 1, 2),
     locked as (select b.allotment_id, b.sku_id from allotment_borrowings b join repaid r on r.id = b.allotment_id and r.sku_id = b.sku_id order by 1, 2 for no key update of b)
     update allotment_borrowings b set borrowed = greatest(0, b.borrowed - r.units) from locked l join repaid r on r.id = l.allotment_id and r.sku_id = l.sku_id
     where b.allotment_id = l.allotment_id and b.sku_id = l.sku_id`,
    [orderId, back.map((b) => b.levelId), back.map((b) => b.units)]);
}

/** Units that go from an allotment to its parent pay back what it has borrowed. Before the levels are locked. */
export async function repayByMove(tx: Tx, allotmentId: number, units: ReadonlyMap<number, number>): Promise<void> {
  if (units.size === 0) return;
  const skus = [...units.keys()].sort((a, b) => a - b);
  await tx.query(
    `with locked as (select sku_id from allotment_borrowings where allotment_id = $1 and sku_id = any($2::int[]) order by sku_id for no key update)
     update allotment_borrowings b set borrowed = greatest(0, b.borrowed - t.u) from locked l join unnest($2::int[], $3::int[]) as t(s, u) on t.s = l.sku_id
     where b.allotment_id = $1 and b.sku_id = l.sku_id`, [allotmentId, skus, skus.map((s) => units.get(s))]);
}

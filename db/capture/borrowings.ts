import type pg from 'pg';
import type { Network } from '../network.ts';
import type { PreparedOrder } from './prepare.ts';
import { borrowKey, type Pick } from './taken.ts';

/**
 * Locks what the allotments of a batch have borrowed so far, units by allotment and SKU: orders that borrow for one SKU follow one another.
 * Nothing is read where nobody borrows, which is the usual case.
 */
export async function lockBorrowings(client: pg.ClientBase, orders: readonly PreparedOrder[], network: Network): Promise<Map<string, number>> {
  const keys = new Map<string, { allotmentId: number; skuId: number }>();
  for (const order of orders) {
    for (const { borrow } of network.chain(order.allotmentId)) {
      if (!borrow) continue;
      for (const { skuId } of order.lines) if (skuId !== null) keys.set(borrowKey(borrow.allotmentId, skuId), { allotmentId: borrow.allotmentId, skuId });
    }
  }
  if (keys.size === 0) return new Map();
  const wanted = [...keys.values()].sort((a, b) => a.allotmentId - b.allotmentId || a.skuId - b.skuId);
  const values = [wanted.map((w) => w.allotmentId), wanted.map((w) => w.skuId)];
  await client.query('insert into allotment_borrowings (allotment_id, sku_id) select * from unnest($1::int[], $2::int[]) on conflict do nothing', values);
  const { rows } = await client.query<{ allotment_id: number; sku_id: number; borrowed: number }>(
    `select b.allotment_id, b.sku_id, b.borrowed from allotment_borrowings b join unnest($1::int[], $2::int[]) as t(a, s) on b.allotment_id = t.a and b.sku_id = t.s
     order by 1, 2 for no key update of b`, values);
  return new Map(rows.map((r) => [borrowKey(r.allotment_id, r.sku_id), r.borrowed]));
}

/** Counts what was borrowed by the orders that were captured. */
export async function writeBorrowings(client: pg.ClientBase, picks: readonly Pick[]): Promise<void> {
  const sums = new Map<string, { allotmentId: number; skuId: number; units: number }>();
  for (const { borrower, skuId, quantity } of picks) {
    if (borrower === null) continue;
    const key = borrowKey(borrower, skuId);
    const sum = sums.get(key) ?? { allotmentId: borrower, skuId, units: 0 };
    sum.units += quantity;
    sums.set(key, sum);
  }
  if (sums.size === 0) return;
  const rows = [...sums.values()];
  await client.query(
    'update allotment_borrowings b set borrowed = b.borrowed + t.u from unnest($1::int[], $2::int[], $3::int[]) as t(a, s, u) where b.allotment_id = t.a and b.sku_id = t.s',
    [rows.map((r) => r.allotmentId), rows.map((r) => r.skuId), rows.map((r) => r.units)]);
}

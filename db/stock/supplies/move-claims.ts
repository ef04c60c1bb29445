import type { Tx } from '../../tx.ts';
import type { Claim } from './supply.ts';

/**
 * Reservations follow their units to another level; the stock is posted by the caller. Whole ones in one statement, a part is split off. The claims then count what they still
 * have where they were.
 */
export async function moveClaims(tx: Tx, moves: readonly { claim: Claim; units: number }[], toLevelId: number): Promise<void> {
  const whole = moves.filter((m) => m.units === m.claim.quantity);
  if (whole.length > 0) {
    await tx.query(
      `update reservations r set level_id = $1 from unnest($2::uuid[], $3::int[], $4::int[]) as t(o, l, s) where r.order_id = t.o and r.line_no = t.l and r.seq = t.s`,
      [toLevelId, whole.map((m) => m.claim.owner), whole.map((m) => m.claim.lineNo), whole.map((m) => m.claim.seq)]);
  }
  for (const { claim, units } of moves) {
    if (units === claim.quantity) continue;
    await tx.query(
      `with rest as (update reservations set quantity = quantity - $5 where order_id = $1 and line_no = $2 and seq = $3 and quantity > $5 returning *)
       insert into reservations (order_id, line_no, seq, level_id, quantity, status, expires_at, fulfillment_order_id, created_at)
       select order_id, line_no, (select max(seq) + 1 from reservations where order_id = $1), $4, $5, status, expires_at, fulfillment_order_id, created_at from rest`,
      [claim.owner, claim.lineNo, claim.seq, toLevelId, units]);
  }
  for (const { claim, units } of moves) claim.quantity -= units;
}

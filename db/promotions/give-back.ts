import type { Tx } from '../tx.ts';
import { countPools, readPools } from './pools.ts';

type Taken = { promotion: string; coupon: string | null; person: string | null; staff: number | null; units: number; amount: number; pool: string | null };

/**
 * An order that is cancelled whole before anything left gives back what it took of promotions, once: its coupons can be used again while their promotion's window is open (else they lapse), its limits and budgets are
 * free. Orders merged into it are part of it; one that was split off and lives on keeps what both took. Under the order's lock, after its levels.
 */
export async function giveBackPromotions(tx: Tx, orderId: string): Promise<void> {
  const rows = await tx.query<Taken>(
    `update promotion_redemptions set given_back_at = $2 where (order_id = $1 or order_id in (select merged_from from order_lines where order_id = $1)) and given_back_at is null
       and not exists (select from order_lines where order_id = $1 and quantity > cancelled_quantity)
       and not exists (select from orders where parent_id = $1 and status not in ('cancelled', 'rejected', 'expired'))
     returning promotion_id promotion, coupon_id coupon, person_id person, staff_id staff, units, amount, (select p.campaign_id::text || '/' || p.stage from promotions p where p.id = promotion_id) pool`, [orderId, tx.now]);
  if (rows.length === 0) return;
  const coupons = rows.flatMap((r) => r.coupon ?? []).sort();
  if (coupons.length > 0) {
    await tx.query('select id from coupons where id = any($1::uuid[]) order by id for no key update', [coupons]);
    await tx.query(
      `update coupons c set order_id = null, used_at = null, status = case when p.status = 'active' and least(p.live_until, coalesce(p.ended_at, p.live_until)) > $2 then 'issued' else 'lapsed' end
       from promotions p where p.id = c.promotion_id and c.id = any($1::uuid[]) and c.status = 'used'`, [coupons, tx.now]);
  }
  // One row a counter: a merged order may have several orders' takings.
  const sums = new Map<string, { promotion: string; subject: string; orders: number; units: number; amount: number }>();
  const all = rows.flatMap((r) => ['all', ...(r.person === null ? [] : [`p:${r.person}`]), ...(r.staff === null ? [] : [`s:${r.staff}`])].map((subject) => ({ ...r, subject })));
  for (const { promotion, subject, units, amount } of all) {
    const sum = sums.get(`${promotion}|${subject}`) ?? { promotion, subject, orders: 0, units: 0, amount: 0 };
    sums.set(`${promotion}|${subject}`, { ...sum, orders: sum.orders + 1, units: sum.units + units, amount: sum.amount + amount });
  }
  const counters = [...sums.values()];
  const values = [counters.map((c) => c.promotion), counters.map((c) => c.subject)];
  const found = await tx.query(
    `select from promotion_usage u join unnest($1::uuid[], $2::text[]) as t(p, s) on u.promotion_id = t.p and u.subject = t.s order by u.promotion_id, u.subject collate "C" for no key update of u`, values);
  if (found.length > 0) await tx.query(
    `update promotion_usage u set orders = u.orders - t.o, units = u.units - t.n, amount = u.amount - t.a from unnest($1::uuid[], $2::text[], $3::int[], $4::int[], $5::bigint[]) as t(p, s, o, n, a)
     where u.promotion_id = t.p and u.subject = t.s`, [...values, counters.map((c) => c.orders), counters.map((c) => c.units), counters.map((c) => c.amount)]);
  const shares = new Map<string, number>();
  for (const { pool, amount } of rows) if (pool !== null && amount > 0) shares.set(pool, (shares.get(pool) ?? 0) - amount);
  await readPools(tx.client, [...shares.keys()], true);
  await countPools(tx.client, shares);
}

import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { Promotion } from '../../domain/promotion/model.ts';
import { BulkRows, unnest } from '../array-literal.ts';
import type { Redemption } from '../promotions/apply.ts';
import { countPools, leftOf, readPools, takeFrom, type Pools } from '../promotions/pools.ts';
import type { PreparedOrder } from './prepare.ts';

export type Spender = { order: PreparedOrder; person: { id: string }; decision: { dropped: readonly number[] } };
/** `stale`: the promotion changed since the order was priced: it is priced again, and the refusal is not remembered. */
export type Refusal = { problem: Problem; stale: boolean };
type Need = { promotion: Promotion; subject: string; orders: number; units: number; amount: number };

const limited = (p: Promotion): boolean => p.perCustomerOrders !== null || p.perCustomerUnits !== null || p.perStaffUnits !== null || p.budget !== null;

/** What an order takes: gifts that were left out for want of stock are not taken. */
function takes({ order, decision }: Spender): Redemption[] {
  return (order.promotions?.redemptions ?? []).flatMap((r) => {
    if (r.promotion.kind !== 'gift' || decision.dropped.length === 0) return [r];
    const units = order.lines.filter((l) => l.given?.code === r.promotion.code && !decision.dropped.includes(l.lineNo)).reduce((sum, l) => sum + l.quantity, 0);
    return units === 0 ? [] : [{ ...r, units }];
  });
}

/** What an order adds to the counters of a promotion that has limits: by customer, by member of staff, in all. */
function needsOf({ order, person }: Spender, { promotion: p, units, amount }: Redemption): Need[] {
  const needs: Need[] = [];
  if (p.budget !== null) needs.push({ promotion: p, subject: 'all', orders: 1, units, amount });
  if (p.perCustomerOrders !== null || p.perCustomerUnits !== null) needs.push({ promotion: p, subject: `p:${person.id}`, orders: 1, units, amount });
  if (p.perStaffUnits !== null && order.promotions?.staffId) needs.push({ promotion: p, subject: `s:${order.promotions.staffId}`, orders: 1, units, amount });
  return needs;
}

/** What an order adds to budgets that promotions share. */
function sharesOf(redemptions: readonly Redemption[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { promotion: { pool }, amount } of redemptions) if (pool !== null && amount > 0) sums.set(pool, (sums.get(pool) ?? 0) + amount);
  return sums;
}

/**
 * Takes coupons and counters for the orders of a batch, in their order, under locks: promotions (shared), coupons, counters, shared budgets, each sorted. Returns who must go without, and why. Nothing is sent where no order has a promotion.
 * A promotion that was ended or changed by a transaction that committed first is seen here, so no order gets a price that is over.
 */
export async function spend(client: pg.ClientBase, rows: readonly Spender[]): Promise<Map<PreparedOrder, Refusal>> {
  const refused = new Map<PreparedOrder, Refusal>();
  const spenders = rows.filter((r) => takes(r).length > 0);
  if (spenders.length === 0) return refused;
  const all = spenders.flatMap((s) => takes(s).map((redemption) => ({ spender: s, redemption })));
  const couponIds = [...new Set(all.flatMap((a) => a.redemption.couponId ?? []))].sort();
  const needs = [...new Map(all.filter((a) => limited(a.redemption.promotion)).flatMap((a) => needsOf(a.spender, a.redemption)).map((n) => [`${n.promotion.id}|${n.subject}`, n])).entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, n]) => n);
  const shares = spenders.flatMap((s) => [...sharesOf(takes(s)).keys()]);
  const [versions, coupons, usage, pools] = await Promise.all([
    client.query<{ id: string; version: number }>({ name: 'spend_promotions', text: 'select id, version from promotions where id = any($1::uuid[]) order by id for share', values: [[...new Set(all.map((a) => a.redemption.promotion.id))]] }),
    couponIds.length === 0 ? null : client.query<{ id: string; status: string }>({ name: 'spend_coupons', text: 'select id, status from coupons where id = any($1::uuid[]) order by id for no key update', values: [couponIds] }),
    needs.length === 0 ? null : lockUsage(client, needs),
    readPools(client, shares, true),
  ]);
  const version = new Map(versions.rows.map((r) => [r.id, r.version]));
  const free = new Set(coupons?.rows.filter((r) => r.status === 'issued').map((r) => r.id));
  const used = usage ?? new Map<string, { orders: number; units: number; amount: number }>();
  for (const spender of spenders) {
    const redemptions = takes(spender);
    const refusal = refusalOf(spender, redemptions, version, free, used) ?? overdrawn(redemptions, pools);
    if (refusal) {
      refused.set(spender.order, refusal);
      continue;
    }
    for (const [pool, amount] of sharesOf(redemptions)) takeFrom(pools, pool, amount);
    for (const r of redemptions) {
      if (r.couponId !== null) free.delete(r.couponId);
      for (const n of limited(r.promotion) ? needsOf(spender, r) : []) {
        const u = used.get(`${n.promotion.id}|${n.subject}`);
        if (u) used.set(`${n.promotion.id}|${n.subject}`, { orders: u.orders + n.orders, units: u.units + n.units, amount: u.amount + n.amount });
      }
    }
  }
  return refused;
}

async function lockUsage(client: pg.ClientBase, needs: readonly Need[]): Promise<Map<string, { orders: number; units: number; amount: number }>> {
  const values = [needs.map((n) => n.promotion.id), needs.map((n) => n.subject)];
  const [, { rows }] = await Promise.all([
    client.query({ name: 'spend_usage_rows', text: 'insert into promotion_usage (promotion_id, subject) select * from unnest($1::uuid[], $2::text[]) on conflict do nothing', values }),
    client.query<{ id: string; subject: string; orders: number; units: number; amount: number }>({
      name: 'spend_usage',
      text: `select u.promotion_id id, u.subject, u.orders, u.units, u.amount from promotion_usage u join unnest($1::uuid[], $2::text[]) as t(p, s) on u.promotion_id = t.p and u.subject = t.s
        order by u.promotion_id, u.subject collate "C" for no key update of u`, values }),
  ]);
  return new Map(rows.map((r) => [`${r.id}|${r.subject}`, r]));
}

function refusalOf(
  spender: Spender, redemptions: readonly Redemption[], version: ReadonlyMap<string, number>, free: ReadonlySet<string>, used: ReadonlyMap<string, { orders: number; units: number; amount: number }>,
): Refusal | null {
  for (const r of redemptions) {
    const { promotion: p } = r;
    const named = { promotion: encodeId('prm', p.id) };
    if (version.get(p.id) !== p.version) return { problem: new Problem('conflict', `promotion "${p.code}" has changed just now: send the order again`, '/promotions', named), stale: true };
    if (r.couponId !== null && !free.has(r.couponId)) {
      return { problem: new Problem('conflict', 'this coupon is used: another order was first', '/coupons', { ...named, coupon: encodeId('cpn', r.couponId) }), stale: false };
    }
    for (const n of limited(p) ? needsOf(spender, r) : []) {
      const u = used.get(`${p.id}|${n.subject}`) ?? { orders: 0, units: 0, amount: 0 };
      const over = n.subject === 'all' ? p.budget !== null && u.amount + n.amount > p.budget
        : n.subject.startsWith('p:') ? (p.perCustomerOrders !== null && u.orders + 1 > p.perCustomerOrders) || (p.perCustomerUnits !== null && u.units + n.units > p.perCustomerUnits)
          : p.perStaffUnits !== null && u.units + n.units > p.perStaffUnits;
      if (!over) continue;
      const whose = n.subject === 'all' ? 'its budget' : n.subject.startsWith('p:') ? "the customer's limit" : "the limit of this member of staff";
      return { problem: new Problem('conflict', `promotion "${p.code}": another order has taken what was left of ${whose}`, '/promotions', named), stale: false };
    }
  }
  return null;
}

function overdrawn(redemptions: readonly Redemption[], pools: Pools): Refusal | null {
  for (const [pool, amount] of sharesOf(redemptions)) {
    const left = leftOf(pools, pool);
    const one = redemptions.find((r) => r.promotion.pool === pool)?.promotion;
    if (left === null || amount <= left || !one) continue;
    return { problem: new Problem('conflict', `promotion "${one.code}": another order has taken what was left of its budget`, '/promotions', { promotion: encodeId('prm', one.id) }), stale: false };
  }
  return null;
}

const REDEMPTIONS = [['order_id', 'uuid'], ['promotion_id', 'uuid'], ['coupon_id', 'uuid'], ['person_id', 'uuid'], ['staff_id', 'int'], ['units', 'int'], ['amount', 'bigint'], ['at', 'timestamptz']] as const;
const USAGE = [['promotion_id', 'uuid'], ['subject', 'text'], ['orders', 'int'], ['units', 'int'], ['amount', 'bigint']] as const;
const WRITE = `with r as materialized (select * from ${unnest(REDEMPTIONS, 1)}),
  written as (insert into promotion_redemptions (order_id, promotion_id, coupon_id, person_id, staff_id, units, amount, at) select * from r),
  spent as (update coupons c set status = 'used', order_id = r.order_id, used_at = r.at from r where c.id = r.coupon_id)
  update promotion_usage u set orders = u.orders + t.orders, units = u.units + t.units, amount = u.amount + t.amount
  from (select promotion_id, subject, sum(orders)::int orders, sum(units)::int units, sum(amount)::bigint amount from ${unnest(USAGE, 1 + REDEMPTIONS.length)} group by 1, 2) t
  where u.promotion_id = t.promotion_id and u.subject = t.subject`;

/** Writes what the captured orders of a batch took; `dropped` gifts do not count. */
export async function writeSpending(client: pg.ClientBase, rows: readonly Spender[]): Promise<void> {
  const redemptions = new BulkRows(REDEMPTIONS);
  const usage = new BulkRows(USAGE);
  const shares = new Map<string, number>();
  let any = false;
  for (const spender of rows) {
    const { order, person } = spender;
    for (const [pool, amount] of sharesOf(takes(spender))) shares.set(pool, (shares.get(pool) ?? 0) + amount);
    for (const r of takes(spender)) {
      any = true;
      redemptions.push(order.id, r.promotion.id, r.couponId, person.id, order.promotions?.staffId ?? null, r.units, r.amount, order.capturedAt);
      for (const n of limited(r.promotion) ? needsOf(spender, r) : []) usage.push(n.promotion.id, n.subject, n.orders, n.units, n.amount);
    }
  }
  // Sent together: a COMMIT may follow in the same round trip.
  await Promise.all([any ? client.query({ name: 'spend_write', text: WRITE, values: [redemptions, usage].flatMap((c) => c.values()) }) : null, countPools(client, shares)]);
}

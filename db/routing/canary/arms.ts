import type { ArmFigures } from '../../../domain/routing/canary.ts';
import type { Reader } from '../instance.ts';

export type Arms = { canary: ArmFigures; control: ArmFigures };
type Measured = { policyId: number; orders: number; routed: number; cost: number | null; variance: number | null; late: number; unroutable: number };

/**
 * Both arms by the first decision on each order since the canary began. Cost is money as it is paid, no policy's weights: what the order has become (sent anew by others, or with another carrier) once goods of it have left,
 * and at least what was planned while something of it is still here; before that as planned. Late is measured where it is known (delivered after the promise, or the promise has passed: of what has left a day
 * ago, as news may be late), else as planned; who cannot be routed counts as late.
 */
export async function measureArms(tx: Reader, canary: { policyId: number; controlPolicyId: number; startsAt: Date; endsAt: Date }): Promise<Arms> {
  const rows = await tx.query<Measured>(
    `with first as (
       select distinct on (d.order_id) d.order_id, d.policy_id, d.outcome, d.money, d.late from routing_decisions d
       where d.at >= $3 and d.at < $4 and not exists (select from routing_decisions e where e.order_id = d.order_id and e.id < d.id) order by d.order_id, d.id),
     became as (
       select f.order_id, f.policy_id, f.outcome, f.late, case when not coalesce(p.gone and p.known, false) then f.money
         when o.status in ('shipped', 'delivered', 'closed') then p.money else greatest(p.money, f.money) end money
       from first f join orders o on o.id = f.order_id left join lateral (
         select sum(x.money) money, bool_and(x.money is not null) known, bool_or(x.status in ('issued', 'delivered', 'returned', 'lost')) gone
         from fulfillment_orders x where x.order_id = f.order_id and x.status not in ('rejected', 'cancelled')) p on true
       where f.policy_id in ($1, $2))
     select f.policy_id "policyId", count(*)::int orders, count(*) filter (where f.outcome = 'routed')::int routed, (avg(f.money) filter (where f.outcome = 'routed'))::float8 cost,
       (var_samp(f.money) filter (where f.outcome = 'routed'))::float8 variance, count(*) filter (where f.outcome = 'unroutable')::int unroutable,
       count(*) filter (where f.outcome = 'unroutable' or coalesce(case when o.delivered_at is not null then o.delivered_at > o.deliver_by
         when o.deliver_by <= $5 and o.status not in ('cancelled', 'rejected', 'expired') and (o.status <> 'shipped' or o.deliver_by <= $5::timestamptz - interval '1 day') then true else f.late end, false))::int late
     from became f join orders o on o.id = f.order_id group by 1`,
    [canary.policyId, canary.controlPolicyId, canary.startsAt, canary.endsAt, tx.now]);
  const of = (id: number): ArmFigures => {
    const r = rows.find((row) => row.policyId === id);
    return { orders: r?.orders ?? 0, routed: r?.routed ?? 0, costPerOrder: r?.cost ?? 0, costVariance: r?.variance ?? 0, late: r?.late ?? 0, unroutable: r?.unroutable ?? 0 };
  };
  return { canary: of(canary.policyId), control: of(canary.controlPolicyId) };
}

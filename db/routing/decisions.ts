import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type pg from 'pg';
import type { InstancePlan, RoutingInstance } from '../../domain/routing/model.ts';
import { daysLate, moneyOf } from '../../domain/simulation/money.ts';
import type { Tx } from '../tx.ts';

export type Decision = { id: number; at: Date; policyHash: string; outcome: 'routed' | 'unroutable'; instance: RoutingInstance; plan: InstancePlan };

const pack = (value: unknown): Buffer => deflateRawSync(JSON.stringify(value));
const unpack = (bytes: Buffer): string => inflateRawSync(bytes).toString();

/** Keeps a decision with all that it was made from, in the transaction that carries it out. `money`: what its shipments cost as they are paid. */
export async function keepDecision(tx: Tx, orderId: string, policy: { id: number; hash: Buffer }, instance: RoutingInstance, plan: InstancePlan, outcome: Decision['outcome'], money: readonly number[]): Promise<void> {
  await tx.query(
    'insert into routing_decisions (order_id, at, policy_id, policy_hash, instance, plan, cost_milli, shipments, outcome, money, late) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
    [orderId, tx.now, policy.id, policy.hash, pack(instance), pack(plan), Math.round(plan.cost * 1000), plan.shipments.length, outcome, money.reduce((sum, m) => sum + m, 0), plan.shipments.some((s) => daysLate(instance.order, s) > 0)]);
}

/** What a shipment of a plan costs as it is paid, minor units, by what its instance knows. */
export function shipmentMoney({ order, locations, rates }: RoutingInstance, shipment: InstancePlan['shipments'][number]): number {
  const location = locations.find((l) => l.code === shipment.location);
  if (!location) throw new RangeError(`the plan ships from ${shipment.location}, which is not in its instance`);
  return moneyOf(order, location, rates, shipment).total;
}

/** The decisions on an order, oldest first. `planText` is the plan as it was written, to the byte. */
export async function readDecisions(pool: pg.Pool, orderId: string): Promise<(Decision & { planText: string })[]> {
  const { rows } = await pool.query<{ id: number; at: Date; policy_hash: Buffer; outcome: Decision['outcome']; instance: Buffer; plan: Buffer }>(
    'select id, at, policy_hash, outcome, instance, plan from routing_decisions where order_id = $1 order by id', [orderId]);
  return rows.map((r) => {
    const planText = unpack(r.plan);
    return { id: r.id, at: r.at, policyHash: r.policy_hash.toString('hex'), outcome: r.outcome, instance: JSON.parse(unpack(r.instance)) as RoutingInstance, plan: JSON.parse(planText) as InstancePlan, planText };
  });
}

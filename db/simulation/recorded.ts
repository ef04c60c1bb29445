import type pg from 'pg';
import { inflateRawSync } from 'node:zlib';
import { Figures } from '../../domain/simulation/figures.ts';
import type { RecordedOrder, SimulationResult } from '../../domain/simulation/model.ts';
import type { InstanceLocation, InstancePlan, RoutingInstance } from '../../domain/routing/model.ts';

/** Small pages: between two of them the process does other things. */
const PAGE = 100;
type Row = { id: number; orderId: string; at: Date; outcome: 'routed' | 'unroutable'; instance: Buffer; plan: Buffer };
type Held = { recorded: RecordedOrder; instance: RoutingInstance; plan: InstancePlan; routed: boolean };
/** `orderIds`: UUID of each recorded order, by its index. */
export type Recorded = { orders: RecordedOrder[]; orderIds: string[]; actual: SimulationResult };

const parse = <T>(bytes: Buffer): T => JSON.parse(inflateRawSync(bytes).toString()) as T;

/**
 * The orders routed in a period, from the decisions' own snapshots, and the figures of what was decided. A decision after a location gave the order back is a consequence of the
 * first one and left out; one that was asked again because nobody could serve counts once, as it ended.
 */
export async function readRecorded(pool: pg.Pool, from: Date, to: Date): Promise<Recorded> {
  const open = new Map<string, Held>();
  const all: { orderId: string; held: Held }[] = [];
  for (let after = 0; ;) {
    const { rows } = await pool.query<Row>({
      name: 'simulation_decisions', values: [from, to, after, PAGE],
      text: 'select id, order_id "orderId", at, outcome, instance, plan from routing_decisions where at >= $1 and at < $2 and id > $3 order by id limit $4',
    });
    for (const row of rows) {
      const instance = parse<RoutingInstance>(row.instance);
      if (instance.order.excluded !== undefined || instance.order.lines.length === 0) continue;
      const [plan, routed] = [parse<InstancePlan>(row.plan), row.outcome === 'routed'];
      const before = open.get(row.orderId);
      if (before && !before.routed) Object.assign(before, { instance: light(instance, plan), plan, routed });
      else {
        const held: Held = { recorded: { id: `${row.orderId}/${row.id}`, at: row.at.getTime(), order: instance.order }, instance: light(instance, plan), plan, routed };
        open.set(row.orderId, held);
        all.push({ orderId: row.orderId, held });
      }
    }
    if (rows.length < PAGE) break;
    after = rows.at(-1)?.id ?? after;
  }
  const figures = new Figures();
  for (const { held: { recorded: { order }, instance, plan, routed } } of all) {
    const locations = new Map(instance.locations.map((l) => [l.code, l]));
    // An order that nobody could serve whole was held: nothing of it left.
    const done = routed ? plan : { shipments: [], unallocated: order.lines.map(({ line, sku, quantity }) => ({ line, sku, quantity })) };
    figures.add(order, done, (code) => locations.get(code) as InstanceLocation, instance.rates);
  }
  return { orders: all.map(({ held }) => held.recorded), orderIds: all.map(({ orderId }) => orderId), actual: figures.result() };
}

/** Only what the figures need: a hundred thousand whole instances would fill the memory. */
function light(instance: RoutingInstance, plan: InstancePlan): RoutingInstance {
  const used = new Set(plan.shipments.map((s) => s.location));
  return { ...instance, locations: instance.locations.filter((l) => used.has(l.code)) };
}

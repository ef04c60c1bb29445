import type pg from 'pg';
import { inflateRawSync } from 'node:zlib';
import { Figures } from '../../domain/simulation/figures.ts';
import type { RecordedOrder, SimulationResult } from '../../domain/simulation/model.ts';
import type { InstanceLocation, InstancePlan, RoutingInstance } from '../../domain/routing/model.ts';

/** Small pages: between two of them the process does other things. */
const PAGE = 100;
type Row = { id: number; orderId: string; at: Date; outcome: 'routed' | 'unroutable'; instance: Buffer; plan: Buffer };
/** `plannedAt`: when the plan was made, ms since epoch; the order itself counts from when it was asked for first. */
type Held = { recorded: RecordedOrder; instance: RoutingInstance; plan: InstancePlan; plannedAt: number; routed: boolean };
/** `orderIds`: UUID of each recorded order, by its index. */
export type Recorded = { orders: RecordedOrder[]; orderIds: string[]; actual: SimulationResult };

const parse = <T>(bytes: Buffer): T => JSON.parse(inflateRawSync(bytes).toString()) as T;

/**
 * The orders routed in a period, from the decisions' own snapshots, and the figures of what was decided. A decision after a location gave the order back is a consequence of the
 * first one and left out; one that was asked again because nobody could serve counts once, as it ended. So does one that was planned anew (another address, a cancelled line, a faster service): of the plan before only what
 * was not taken back for it counts.
 */
export async function readRecorded(pool: pg.Pool, from: Date, to: Date): Promise<Recorded> {
  const open = new Map<string, Held[]>();
  const all: { orderId: string; held: Held }[] = [];
  const gone = new Set<Held>();
  for (let after = 0; ;) {
    const { rows } = await pool.query<Row>({
      name: 'simulation_decisions', values: [from, to, after, PAGE],
      text: 'select id, order_id "orderId", at, outcome, instance, plan from routing_decisions where at >= $1 and at < $2 and id > $3 order by id limit $4',
    });
    for (const row of rows) {
      const instance = parse<RoutingInstance>(row.instance);
      if (instance.order.excluded !== undefined || instance.order.lines.length === 0) continue;
      const [plan, routed] = [parse<InstancePlan>(row.plan), row.outcome === 'routed'];
      const before = open.get(row.orderId) ?? [];
      const last = before.at(-1);
      if (last && !last.routed) Object.assign(last, { instance: light(instance, plan), plan, plannedAt: row.at.getTime(), routed });
      else {
        const earlier = before.filter((h) => h.plan.shipments.length > 0);
        const back = earlier.length > 0 ? await takenBack(pool, row.orderId, row.at) : [];
        for (const h of earlier) if (!keep(h, back)) gone.add(h);
        const held: Held = { recorded: { id: `${row.orderId}/${row.id}`, at: row.at.getTime(), order: instance.order }, instance: light(instance, plan), plan, plannedAt: row.at.getTime(), routed };
        open.set(row.orderId, [...before.filter((h) => !gone.has(h)), held]);
        all.push({ orderId: row.orderId, held });
      }
    }
    if (rows.length < PAGE) break;
    after = rows.at(-1)?.id ?? after;
  }
  const figures = new Figures();
  const counted = all.filter(({ held }) => !gone.has(held));
  for (const { held: { recorded: { order }, instance, plan, routed } } of counted) {
    const locations = new Map(instance.locations.map((l) => [l.code, l]));
    // An order that nobody could serve whole was held: nothing of it left.
    const done = routed ? plan : { shipments: [], unallocated: order.lines.map(({ line, sku, quantity }) => ({ line, sku, quantity })) };
    figures.add(order, done, (code) => locations.get(code) as InstanceLocation, instance.rates);
  }
  return { orders: counted.map(({ held }) => held.recorded), orderIds: counted.map(({ orderId }) => orderId), actual: figures.result() };
}

/** A shipment of a plan, by when and from where it was planned. */
type Back = { at: number; location: string };

/** Shipments of an order that were given up for a later plan, before any location had refused them. */
async function takenBack(pool: pg.Pool, orderId: string, before: Date): Promise<Back[]> {
  const { rows } = await pool.query<{ at: Date; location: string }>({
    name: 'simulation_taken_back',
    text: `select f.routed_at at, l.code location from fulfillment_orders f join locations l on l.id = f.location_id where f.order_id = $1 and f.status = 'cancelled' and f.ended_at <= $2`, values: [orderId, before],
  });
  return rows.map(({ at, location }) => ({ at: at.getTime(), location }));
}

/** Leaves of a recorded order what was not taken back; false: nothing is. */
function keep(held: Held, back: readonly Back[]): boolean {
  const { recorded, plan, plannedAt } = held;
  const shipments = plan.shipments.filter((s) => !back.some((b) => b.at === plannedAt && b.location === s.location));
  if (shipments.length === plan.shipments.length) return true;
  const units = new Map<number, number>();
  for (const { line, quantity } of shipments.flatMap((s) => s.lines)) units.set(line, (units.get(line) ?? 0) + quantity);
  const lines = recorded.order.lines.flatMap((l) => { const quantity = units.get(l.line) ?? 0; return quantity > 0 ? [{ ...l, quantity, value: Math.round((l.value * quantity) / l.quantity) }] : []; });
  held.recorded = { ...recorded, order: { ...recorded.order, lines } };
  held.plan = { ...plan, shipments };
  return shipments.length > 0;
}

/** Only what the figures need: a hundred thousand whole instances would fill the memory. */
function light(instance: RoutingInstance, plan: InstancePlan): RoutingInstance {
  const used = new Set(plan.shipments.map((s) => s.location));
  return { ...instance, locations: instance.locations.filter((l) => used.has(l.code)) };
}

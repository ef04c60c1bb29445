import { encodeId } from '../../domain/ids.ts';
import { planOrder } from '../../domain/routing/plan.ts';
import { handOverDay } from '../../domain/promising/hand-over.ts';
import { hurried } from '../../domain/promising/hurry.ts';
import type { InstancePlan, RoutingInstance } from '../../domain/routing/model.ts';
import { TERMINAL } from '../../domain/order/status.ts';
import { limitLevels, type Share } from '../../domain/stock/sharing.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { lockLevels } from '../ledger.ts';
import { asPickup } from '../pickup/instance.ts';
import { lookAtPromise } from '../promise/look.ts';
import { rulingPolicy } from '../routing/canary/ruling.ts';
import { keepDecision } from '../routing/decisions.ts';
import { lockCapacity, stillRoom } from '../routing/capacity.ts';
import { buildInstance, type OpenLine, type Units } from '../routing/instance.ts';
import { lockCarrierDays } from '../routing/carrier-facts.ts';
import { moneyOfPlan } from '../routing/settlement-costs.ts';
import { waitForStops } from '../routing/stops.ts';
import type { Location, Network } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { GAVE_BACK_TO } from './gave-back.ts';
import { gaveBack, lockOrder, readFulfillments, readLines, refreshStatus, unroutedUnits, type Order } from './order.ts';
import { lastsUntil } from './order-pools.ts';
import { placeHold } from './place-hold.ts';
import { addReservations, liveReservations, type Reservation } from './reservations.ts';

const ROUNDS = 3;
const GAVE_BACK = GAVE_BACK_TO('$1', '$5');
const NOTHING: { units: Units[]; gaveBack: ReadonlySet<string> } = { units: [], gaveBack: new Set() };
type LevelAt = { id: number; skuId: number; locationId: number; allotmentId: number; free: number };

/**
 * Routes what has stock and no fulfillment order: plans on fresh stock by the policy in effect, moves the reservations to where the plan wants them and
 * writes one fulfillment order per location. Where nothing serves, the order is held with the reason. The decision is kept with what it was made from.
 */
export async function routeOrder(writer: StockWriter, network: Network, orderId: string): Promise<void> {
  await writer.change(async (tx) => {
    const order = await lockOrder(tx, orderId);
    if (TERMINAL.has(order.status) || order.holdReason || !order.validatedAt) return;
    const own = (await liveReservations(tx, orderId)).filter((r) => r.fulfillmentOrderId === null && r.status === 'confirmed' && !r.incoming);
    if (own.length === 0) return;
    const open = await unroutedUnits(tx.client, orderId);
    const lines = await openLines(tx, order, own, open);
    const before = await readFulfillments(tx.client, order.id);
    const excluded = before.filter((f) => gaveBack(f, tx.now)).map((f) => f.locationId);
    // What was given back stays in the picture, so that the decision says why it is not asked again.
    const returned = before.length > 0 ? await returnedUnits(tx, order, network, own, excluded) : NOTHING;
    const policy = await rulingPolicy(tx, orderId, network.policyAt(tx.now));
    const share = network.sharing(order.channelId, tx.now);
    await lockCarrierDays(tx, network);
    for (let round = 1; ; round++) {
      // Others were faster twice: now nobody may be, so the last round locks all that it may choose from, and sees it anew.
      const there = round < ROUNDS ? await freshLevels(tx, order, network, own) : await lockedLevels(tx, order, network, own);
      const levels = limitLevels(there, share);
      const built = await buildInstance(tx, network, policy.policy, order, lines, [...unitsAt(levels, own), ...returned.units], excluded, returned.gaveBack);
      const plain = order.way === 'ship' ? built : asPickup(built);
      const { instance, result } = planFor(order, plain);
      if (result.unallocated.length > 0) {
        await keepDecision(tx, orderId, policy, instance, result, 'unroutable', await moneyOfPlan(tx, network, order.channelId, lines, instance, result));
        if (await waitForStops(tx, network, order, unitsAt(levels, own), plain)) return;
        return holdUnroutable(tx, order, result);
      }
      const shipments = result.shipments.map((s) => ({ ...s, locationId: network.locations.get(s.location)?.id as number }));
      const assignment = assign(own, levels, shipments, new Map(lines.map(({ line }) => [line.lineNo, line.skuId as number])));
      if (round < ROUNDS && !(await secured(tx, network, order, shipments, assignment, there, share))) continue;
      const money = await moneyOfPlan(tx, network, order.channelId, lines, instance, result);
      await keepDecision(tx, orderId, policy, instance, result, 'routed', money);
      await write(tx, network, order, own, result, shipments.map((s, i) => ({ ...s, money: money[i] as number })), assignment);
      await tx.query('update orders set routing_waits = null where id = $1 and routing_waits is not null', [orderId]);
      await refreshStatus(tx, order, 'system');
      if (order.way === 'ship' && order.deliverBy && shipments.some((x) => new Date(x.arrivesAt) > (order.deliverBy as Date))) await lookAtPromise(tx, order.id);
      return;
    }
  });
}

/** An order whose promise is at risk hurries; one of a wave goes from where the wave wants it. Where that leaves nobody to send it all, it goes as any other. */
function planFor({ hurry, waveLocations }: Order, plain: RoutingInstance): { instance: RoutingInstance; result: InstancePlan } {
  const instance = hurry ? hurried(plain, hurry) : waveLocations ? { ...plain, wanted: waveLocations } : plain;
  const result = planOrder(instance);
  return instance !== plain && result.unallocated.length > 0 ? { instance: plain, result: planOrder(plain) } : { instance, result };
}

/**
 * Sellable stock of the order's SKUs, read without a lock: only what the plan takes is locked. Units of an allotment are exchanged only for units of
 * the same one, so that what is set apart for a partner stays sold from there.
 */
export async function freshLevels(tx: Tx, order: Order, network: Network, own: readonly Reservation[]): Promise<LevelAt[]> {
  return tx.query<LevelAt>(freshSql(`not ${GAVE_BACK}`), freshValues(tx, order, network, own));
}

function freshSql(which: string): string {
  return `select v.id, v.sku_id "skuId", v.location_id "locationId", v.allotment_id "allotmentId", v.on_hand - v.reserved - v.buffer free from stock_levels v join lots on lots.id = v.lot_id
     where v.sku_id = any($2::int[]) and v.condition = 'sellable' and v.supply_id = 0 and v.on_hand - v.reserved - v.buffer > 0
       and (v.sku_id, v.allotment_id) in (select sku_id, allotment_id from stock_levels where id = any($3::bigint[]))
       and lots.recalled_at is null and (lots.expires_on is null or lots.expires_on >= $4::date) and ${which} order by lots.expires_on nulls last, v.id`;
}

function freshValues(tx: Tx, order: Order, network: Network, own: readonly Reservation[]): unknown[] {
  return [order.id, [...new Set(own.map((r) => r.skuId))], own.map((r) => r.levelId), lastsUntil(network, order.channelId, tx.now), tx.now];
}

/**
 * What locations that gave the order (`excluded`), or a SKU of it, back have of it now: told, never taken. `gaveBack`: `location|sku` of those that gave only the SKU back. What the order still has reserved there is its own and goes on.
 */
async function returnedUnits(tx: Tx, order: Order, network: Network, own: readonly Reservation[], excluded: readonly number[]): Promise<typeof NOTHING> {
  const place = (l: { locationId: number; skuId: number }): string => `${l.locationId}|${l.skuId}`;
  const mine = new Set(own.map(place));
  const levels = (await tx.query<LevelAt>(freshSql(GAVE_BACK), freshValues(tx, order, network, own))).filter((l) => !mine.has(place(l)));
  return { units: unitsAt(levels, []), gaveBack: new Set(levels.filter((l) => !excluded.includes(l.locationId)).map(place)) };
}

/** `freshLevels` under lock, and so the capacity of where they are. */
async function lockedLevels(tx: Tx, order: Order, network: Network, own: readonly Reservation[]): Promise<LevelAt[]> {
  const there = await freshLevels(tx, order, network, own);
  await lockCapacity(tx, network, [...there, ...own].map((l) => l.locationId));
  const locked = await lockLevels(tx.client, [...there.map((l) => l.id), ...own.map((r) => r.levelId)]);
  return there.flatMap((level) => { const l = locked.get(level.id); return l ? [{ ...level, free: Math.max(0, l.onHand - l.reserved - l.buffer) }] : []; });
}

/** Locks what a plan takes, in the order of locks, and looks whether it is still there. What is not is unlocked again, so that the next plan can lock in order. */
async function secured(tx: Tx, network: Network, order: Order, shipments: readonly Shipment[], assignment: Assignment, levels: readonly LevelAt[], share: Share | null): Promise<boolean> {
  const limited = shipments.some((s) => network.locationById.get(s.locationId)?.dailyCapacity != null);
  if (!limited && assignment.taken.length === 0) return true;
  await tx.query('savepoint securing');
  await lockCapacity(tx, network, shipments.map((s) => s.locationId));
  const there = (await stillRoom(tx, network, shipments, order.scheduledFrom)) && (await stillFree(tx, assignment, levels, share));
  await tx.query(there ? 'release savepoint securing' : 'rollback to savepoint securing');
  return there;
}

/** Locks the levels that give units beyond the order's own, and looks whether they still have and share them. */
async function stillFree(tx: Tx, assignment: Assignment, levels: readonly LevelAt[], share: Share | null): Promise<boolean> {
  const need = new Map<number, number>();
  for (const m of assignment.taken) need.set(m.levelId, (need.get(m.levelId) ?? 0) + m.quantity);
  // Those that get units back are locked with them, in one order.
  const locked = await lockLevels(tx.client, [...need.keys(), ...assignment.given.map((g) => g.levelId)]);
  const truth = levels.map((level) => { const l = locked.get(level.id); return l ? { ...level, free: l.onHand - l.reserved - l.buffer } : level; });
  if (![...need].every(([id, units]) => (truth.find((l) => l.id === id)?.free ?? 0) >= units)) return false;
  if (!share) return true;
  const at = (rows: readonly LevelAt[], of: (l: LevelAt) => number): Map<string, number> => {
    const sums = new Map<string, number>();
    for (const l of rows) if (l.allotmentId === 0) sums.set(`${l.skuId}|${l.locationId}`, (sums.get(`${l.skuId}|${l.locationId}`) ?? 0) + of(l));
    return sums;
  };
  const given = at(limitLevels(truth, share), (l) => l.free);
  return [...at(truth, (l) => need.get(l.id) ?? 0)].every(([place, units]) => units <= (given.get(place) ?? 0));
}

/** Units that are reserved, of lines that no fulfillment order carries. */
async function openLines(tx: Tx, order: Order, own: readonly Reservation[], open: ReadonlyMap<number, number>): Promise<OpenLine[]> {
  const reserved = new Map<number, number>();
  for (const r of own) reserved.set(r.lineNo, (reserved.get(r.lineNo) ?? 0) + r.quantity);
  return (await readLines(tx.client, order.id)).flatMap((line) => {
    const quantity = Math.min(open.get(line.lineNo) ?? 0, reserved.get(line.lineNo) ?? 0);
    return quantity > 0 && line.skuId !== null ? [{ line, quantity }] : [];
  });
}

export function unitsAt(levels: readonly LevelAt[], own: readonly Reservation[]): Units[] {
  return [...levels.map((l) => ({ skuId: l.skuId, locationId: l.locationId, units: l.free })), ...own.map((r) => ({ skuId: r.skuId, locationId: r.locationId, units: r.quantity }))];
}

async function holdUnroutable(tx: Tx, order: Order, result: InstancePlan): Promise<void> {
  await placeHold(tx, order.id, 'unroutable', result.reasons.join('; '), 'system');
  await tx.query('update orders set routing_waits = null where id = $1 and routing_waits is not null', [order.id]);
  await refreshStatus(tx, order, 'system');
}

type Shipment = InstancePlan['shipments'][number] & { locationId: number };
type Row = { shipment: number; lineNo: number; levelId: number; quantity: number };
type Assignment = { kept: Row[]; taken: Row[]; given: { levelId: number; quantity: number }[] };

/** Which level serves which shipment: first what the order has there, then free units; `given` is what goes back. */
function assign(own: readonly Reservation[], levels: readonly LevelAt[], shipments: readonly Shipment[], skuOf: ReadonlyMap<number, number>): Assignment {
  const left = own.map((r) => ({ ...r }));
  const free = new Map(levels.map((l) => [l.id, l.free]));
  const kept: Row[] = [];
  const taken: Row[] = [];
  shipments.forEach((shipment, index) => {
    for (const line of shipment.lines) {
      const skuId = skuOf.get(line.line);
      let rest = line.quantity;
      for (const r of left) {
        const units = r.lineNo === line.line && r.locationId === shipment.locationId ? Math.min(rest, r.quantity) : 0;
        if (units <= 0) continue;
        r.quantity -= units;
        rest -= units;
        kept.push({ shipment: index, lineNo: line.line, levelId: r.levelId, quantity: units });
      }
      for (const level of levels) {
        const units = level.skuId === skuId && level.locationId === shipment.locationId ? Math.min(rest, free.get(level.id) ?? 0) : 0;
        if (units <= 0) continue;
        free.set(level.id, (free.get(level.id) ?? 0) - units);
        rest -= units;
        taken.push({ shipment: index, lineNo: line.line, levelId: level.id, quantity: units });
      }
      // Two lines of one SKU may have been planned onto each other's reservations.
      for (const r of left) {
        const units = r.skuId === skuId && r.locationId === shipment.locationId ? Math.min(rest, r.quantity) : 0;
        if (units <= 0) continue;
        r.quantity -= units;
        rest -= units;
        kept.push({ shipment: index, lineNo: line.line, levelId: r.levelId, quantity: units });
      }
      if (rest > 0) throw new Error(`the plan takes ${rest} units more than location ${shipment.location} has`);
    }
  });
  return { kept, taken, given: left.filter((r) => r.quantity > 0).map((r) => ({ levelId: r.levelId, quantity: r.quantity })) };
}

/** Writes the fulfillment orders; units that are reserved elsewhere than planned move in one command. */
async function write(tx: Tx, network: Network, order: Order, own: readonly Reservation[], result: InstancePlan, shipments: readonly (Shipment & { money: number })[], assignment: Assignment): Promise<void> {
  const attempt = (await readFulfillments(tx.client, order.id)).length + 1;
  const ids = shipments.map(() => uuidv7());
  for (const [i, shipment] of shipments.entries()) {
    await tx.query(
      `insert into fulfillment_orders (id, order_id, location_id, status, attempt, carrier, cost, reasons, routed_at, service, money, hand_over_on) values ($1, $2, $3, 'routed', $4, $5, $6, $7, $8, $9, $10, $11)`,
      [ids[i], order.id, shipment.locationId, attempt, shipment.carrier, Math.round(shipment.cost), JSON.stringify(reasonsOf(shipment)), tx.now, shipment.service ?? 'standard', shipment.money,
        handOverDay(network.locationById.get(shipment.locationId) as Location, tx.now, order.scheduledFrom).day]);
    await tx.query(
      `insert into fulfillment_order_lines (fulfillment_order_id, line_no, quantity) select $1, n, sum(q) from unnest($2::int[], $3::int[]) as t(n, q) group by n`,
      [ids[i], shipment.lines.map((l) => l.line), shipment.lines.map((l) => l.quantity)]);
  }
  const { kept, taken, given } = assignment;
  const rows = [...kept, ...taken].map((r) => ({ lineNo: r.lineNo, levelId: r.levelId, quantity: r.quantity, fulfillmentOrderId: ids[r.shipment] as string }));
  if (taken.length === 0 && given.length === 0 && kept.length === own.length) {
    await tx.query(
      `update reservations r set fulfillment_order_id = t.f from unnest($2::int[], $3::bigint[], $4::uuid[]) as t(n, v, f)
       where r.order_id = $1 and r.line_no = t.n and r.level_id = t.v and r.status = 'confirmed' and r.fulfillment_order_id is null`,
      [order.id, rows.map((r) => r.lineNo), rows.map((r) => r.levelId), rows.map((r) => r.fulfillmentOrderId)]);
  } else {
    await tx.query(
      `update reservations r set status = 'released' from unnest($2::int[], $3::int[]) as t(n, s) where r.order_id = $1 and r.line_no = t.n and r.seq = t.s`,
      [order.id, own.map((r) => r.lineNo), own.map((r) => r.seq)]);
    await addReservations(tx, order.id, rows);
    await tx.post('route', order.id, [...given.map((g) => ({ levelId: g.levelId, onHand: 0, reserved: -g.quantity })),
      ...taken.map((t) => ({ levelId: t.levelId, onHand: 0, reserved: t.quantity }))]);
  }
  await tx.event(order.id, 'order.routed_to', 'system', {
    policy: `${result.policy.code}@${result.policy.version}`, cost: result.cost, reasons: result.reasons,
    shipments: shipments.map((x, i) => ({ fulfillmentOrder: encodeId('ful', ids[i] as string), location: x.location, carrier: x.carrier, cost: x.cost, reasons: reasonsOf(x) })),
    rejected: result.rejected.slice(0, 50),
  });
}

/** The cost of a shipment in words, the terms that are there. */
function reasonsOf(shipment: InstancePlan['shipments'][number]): string[] {
  return Object.entries(shipment.terms).filter(([, money]) => money !== 0).map(([term, money]) => `${term} ${money}`);
}

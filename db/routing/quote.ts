import type pg from 'pg';
import type { Place } from '../../domain/geo.ts';
import { handOverDay } from '../../domain/promising/hand-over.ts';
import { promise } from '../../domain/promising/promise.ts';
import { readyAt } from '../../domain/promising/ready.ts';
import { barred } from '../../domain/routing/eligibility.ts';
import type { FulfilmentWay, InstancePlan } from '../../domain/routing/model.ts';
import { asPickup } from '../../domain/routing/pickup.ts';
import { planOrder } from '../../domain/routing/plan.ts';
import { routeAfter } from '../capture/route-after.ts';
import { bring, readyWhenBrought, sources } from '../pickup/bring.ts';
import type { Channel, Location, Network, Sku } from '../network.ts';
import type { StockProjection } from '../projection.ts';
import { availability } from '../read/availability.ts';
import { readTransferPolicy } from '../transfers/policy.ts';
import { buildInstance, type OpenLine, type Reader, type Units } from './instance.ts';

export type CartLine = { sku: Sku; quantity: number; unitPrice: number };
/** `pickup`: the shop where the customer would fetch it; null when only shipping is asked for. */
export type Cart = { channel: Channel; destination: Place | null; pickup: Location | null; lines: readonly CartLine[] };
/**
 * One way to get a cart. `missing`: units by SKU that this way cannot give now, nor when pauses are over or the next day's capacity is there; then there is no date. `by`: when the customer has it, or can fetch it. `cost` minor units, by
 * docs/routing.md. `plan`: who sends what; null for what is fetched.
 */
export type Option = { way: 'ship' | 'pickup' | 'ship_to_store'; location: string | null; by: Date | null; handOver: Date | null; cost: number | null; missing: { sku: string; quantity: number }[]; plan: InstancePlan | null };

/** Quotes every way that is asked for, from this process's projection: capture is the judge. */
export async function quoteCart(deps: { network: Network; projection: StockProjection; pool: pg.Pool }, cart: Cart, now: Date): Promise<Option[]> {
  const options: Option[] = [];
  if (cart.destination) options.push(await shipped(deps, cart, cart.destination, now));
  if (cart.pickup) options.push(await pickedUp(deps, cart, cart.pickup, now), await sentToStore(deps, cart, cart.pickup, now));
  return options;
}

type Deps = Parameters<typeof quoteCart>[0];
const DAY_MS = 86_400_000;

/** Units that are there now, by SKU and location. */
function unitsNow({ network, projection }: Deps, cart: Cart, destination: Place | null, now: Date): Units[] {
  const ids = [...new Set(cart.lines.map((l) => l.sku.id))];
  const found = availability(network, projection, new Map(), { channel: cart.channel, way: 'ship', at: null, destination, onlyAt: null, places: true, now }, ids);
  return found.flatMap(({ places }, i) => [...places].flatMap(([locationId, { now: units }]) => (units > 0 ? [{ skuId: ids[i] as number, locationId, units }] : [])));
}

/**
 * The plan as routing would make it now; where that does not serve all, at the first moment at which it does: the end of a pause, or the next day where capacities are counted by days. `shop`: where it is
 * fetched, by `way`. `from`: the moment.
 */
async function plan(deps: Deps, cart: Cart, lines: readonly CartLine[], destination: Place, stock: readonly Units[], now: Date, shop: Location | null = null, way: FulfilmentWay = 'ship'): Promise<{ found: InstancePlan; from: Date }> {
  const { network, pool } = deps;
  const open = lines.map(({ sku, quantity, unitPrice }, i): OpenLine => ({ line: { lineNo: i + 1, skuId: sku.id, skuCode: sku.code, quantity, priced: { netAmount: quantity * unitPrice } }, quantity }));
  const order = { channelId: cart.channel.id, way, country: destination.country, province: destination.province, city: destination.city, deliverBy: null, scheduledFrom: null, forcedLocationId: shop?.id ?? null, forcedCarrier: null };
  const planAt = async (at: Date): Promise<InstancePlan> => {
    const reader: Reader = { now: at, query: async (text, values) => (await pool.query(text, values)).rows as never };
    const instance = await buildInstance(reader, network, network.policyAt(at).policy, order, open, stock, []);
    return planOrder(shop ? asPickup(instance) : instance);
  };
  const found = await planAt(now);
  if (found.unallocated.length === 0) return { found, from: now };
  for (const from of await laterMoments(deps, [...new Set(stock.map((s) => s.locationId))], now)) {
    const later = await planAt(from);
    if (later.unallocated.length === 0) return { found: later, from };
  }
  return { found, from: now };
}

/** When locations that have it may take what they do not take now, the soonest first. */
async function laterMoments({ network, pool }: Deps, locationIds: readonly number[], now: Date): Promise<Date[]> {
  // The first ends of pauses and the last one: each is a plan of its own.
  const { rows } = await pool.query<{ until: Date }>(`with p as (select distinct until from location_pauses where location_id = any($1::int[]) and until > $2)
    (select until from p order by until limit 2) union (select max(until) from p having count(*) > 0) order by 1`, [locationIds, now]);
  // A location's day is that of its hand-over: after its cut-off there is the next. The first and the last of these, for the same reason.
  const cutoffs = locationIds.flatMap((id) => { const l = network.locationById.get(id); return l?.active && l.dailyCapacity !== null ? [handOverDay(l, now, null).cutoff.getTime() + 1] : []; }).sort((a, b) => a - b);
  const moments = new Set([...rows.map((r) => r.until.getTime()), ...cutoffs.slice(0, 1), ...cutoffs.slice(-1)]);
  if ([...network.carriers.values()].some((c) => c.dailyCapacity !== null)) moments.add((Math.floor(now.getTime() / DAY_MS) + 1) * DAY_MS);
  return [...moments].sort((a, b) => a - b).map((at) => new Date(at));
}

/** When the last shipment of a plan leaves and arrives, by the calendars of the locations. `arrivesIn`: the zone of the destination. */
function dates(network: Network, found: InstancePlan, now: Date, arrivesIn?: string): { handOver: Date; by: Date } {
  let [handOver, by] = [now, now];
  for (const shipment of found.shipments) {
    const location = network.locations.get(shipment.location) as Location;
    const transitDays = Math.round((Date.parse(shipment.arrivesAt) - Date.parse(shipment.shipsAt)) / DAY_MS);
    const at = promise({ orderedAt: now, scheduledFrom: null, location, transitDays, arrivesIn });
    if (at.shipBy > handOver) handOver = at.shipBy;
    if (at.deliverBy > by) by = at.deliverBy;
  }
  return { handOver, by };
}

const missingOf = (found: InstancePlan): Option['missing'] => found.unallocated.map(({ sku, quantity }) => ({ sku, quantity }));

async function shipped(deps: Deps, cart: Cart, destination: Place, now: Date): Promise<Option> {
  // What is ordered now is routed when its channel's merge window is over: it is planned as of then.
  const routed = routeAfter({ channel: cart.channel, capturedAt: now, scheduledFrom: null }) ?? now;
  const { found, from } = await plan(deps, cart, cart.lines, destination, unitsNow(deps, cart, destination, now), routed);
  const missing = missingOf(found);
  if (missing.length > 0) return { way: 'ship', location: null, by: null, handOver: null, cost: null, missing, plan: found };
  return { way: 'ship', location: null, ...dates(deps.network, found, from, deps.network.zoneOf(destination)), cost: found.cost, missing, plan: found };
}

/** What the shop itself lacks of the cart. */
function lacking(cart: Cart, stock: readonly Units[], shop: Location): CartLine[] {
  const left = new Map<number, number>();
  for (const s of stock) if (s.locationId === shop.id) left.set(s.skuId, (left.get(s.skuId) ?? 0) + s.units);
  return cart.lines.flatMap((line) => {
    const there = Math.min(line.quantity, left.get(line.sku.id) ?? 0);
    left.set(line.sku.id, (left.get(line.sku.id) ?? 0) - there);
    return there < line.quantity ? [{ ...line, quantity: line.quantity - there }] : [];
  });
}

const handlingOf = (cart: Cart, shop: Location): number => shop.handlingCost + shop.handlingUnitCost * cart.lines.reduce((sum, l) => sum + l.quantity, 0);

async function pickedUp(deps: Deps, cart: Cart, shop: Location, now: Date): Promise<Option> {
  const stock = unitsNow(deps, cart, null, now).filter((s) => s.locationId === shop.id);
  const lacks = lacking(cart, stock, shop);
  return lacks.length > 0 ? nothing('pickup', shop, lacks.map((l) => ({ sku: l.sku.code, quantity: l.quantity }))) : fetched(deps, cart, shop, stock, now, 'pickup');
}

const nothing = (way: Option['way'], shop: Location, missing: Option['missing'], found: InstancePlan | null = null): Option => ({ way, location: shop.code, by: null, handOver: null, cost: null, missing, plan: found });

/** What the shop has, as routing would give it to the shop: by its pauses, its capacity and the policy. */
async function fetched(deps: Deps, cart: Cart, shop: Location, stock: readonly Units[], now: Date, way: 'pickup' | 'ship_to_store'): Promise<Option> {
  const { found, from } = await plan(deps, cart, cart.lines, shop.place, stock.filter((s) => s.locationId === shop.id), now, shop, way);
  if (found.unallocated.length > 0) return nothing(way, shop, missingOf(found));
  const at = readyAt(shop, from, cart.channel.pickupReadyS * 1000);
  return { way, location: shop.code, by: at, handOver: at, cost: handlingOf(cart, shop), missing: [], plan: null };
}

/** The shop gives what it has; others send it the rest, by the transfers that the order would have. */
async function sentToStore(deps: Deps, cart: Cart, shop: Location, now: Date): Promise<Option> {
  const stock = unitsNow(deps, cart, shop.place, now);
  const rest = lacking(cart, stock, shop);
  if (rest.length === 0) return fetched(deps, cart, shop, stock, now, 'ship_to_store');
  const { policy } = deps.network.policyAt(now);
  if (!policy.kinds.includes(shop.kind) || barred(shop, { channel: cart.channel.code, way: 'ship_to_store' }, policy) !== null) return nothing('ship_to_store', shop, cart.lines.map((l) => ({ sku: l.sku.code, quantity: l.quantity })));
  const lacks = new Map<number, number>();
  for (const { sku, quantity } of rest) lacks.set(sku.id, (lacks.get(sku.id) ?? 0) + quantity);
  const reader: Reader = { now, query: async (text, values) => (await deps.pool.query(text, values)).rows as never };
  const { sendings, missing } = bring(deps.network, shop, lacks, await sources(reader, shop, [...lacks.keys()]));
  if (missing.size > 0) return nothing('ship_to_store', shop, [...missing].map(([id, quantity]) => ({ sku: rest.find((l) => l.sku.id === id)?.sku.code ?? '', quantity })));
  const { transitS } = await readTransferPolicy({ one: async <T>(text: string) => ((await deps.pool.query(text)).rows[0] ?? null) as T | null });
  const cost = sendings.reduce((sum, s) => sum + s.from.handlingCost + s.from.handlingUnitCost * s.units, handlingOf(cart, shop));
  return { way: 'ship_to_store', location: shop.code, ...readyWhenBrought(shop, sendings, now, transitS, cart.channel.pickupReadyS), cost, missing: [], plan: null };
}

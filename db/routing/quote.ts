import type pg from 'pg';
import type { Place } from '../../domain/geo.ts';
import { promise } from '../../domain/promising/promise.ts';
import { readyAt } from '../../domain/promising/ready.ts';
import type { InstancePlan } from '../../domain/routing/model.ts';
import { planOrder } from '../../domain/routing/plan.ts';
import type { Channel, Location, Network, Sku } from '../network.ts';
import type { StockProjection } from '../projection.ts';
import { availability } from '../read/availability.ts';
import { buildInstance, type OpenLine, type Reader, type Units } from './instance.ts';

export type CartLine = { sku: Sku; quantity: number; unitPrice: number };
/** `pickup`: the shop where the customer would fetch it; null when only shipping is asked for. */
export type Cart = { channel: Channel; destination: Place | null; pickup: Location | null; lines: readonly CartLine[] };
/**
 * One way to get a cart. `missing`: units by SKU that this way cannot give now; then there is no date. `by`: when the customer has it, or can fetch it. `cost` minor units, by
 * docs/routing.md. `plan`: who sends what; null for a pickup of what is there.
 */
export type Option = { way: 'ship' | 'pickup' | 'ship_to_store'; location: string | null; by: Date | null; handOver: Date | null; cost: number | null; missing: { sku: string; quantity: number }[]; plan: InstancePlan | null };

/** Quotes every way that is asked for, from this process's projection: capture is the judge. */
export async function quoteCart(deps: { network: Network; projection: StockProjection; pool: pg.Pool }, cart: Cart, now: Date): Promise<Option[]> {
  const options: Option[] = [];
  if (cart.destination) options.push(await shipped(deps, cart, cart.destination, now));
  if (cart.pickup) options.push(pickedUp(deps, cart, cart.pickup, now), await sentToStore(deps, cart, cart.pickup, now));
  return options;
}

type Deps = Parameters<typeof quoteCart>[0];

/** Units that are there now, by SKU and location. */
function unitsNow({ network, projection }: Deps, cart: Cart, destination: Place | null, now: Date): Units[] {
  const ids = [...new Set(cart.lines.map((l) => l.sku.id))];
  const found = availability(network, projection, new Map(), { channel: cart.channel, way: 'ship', at: null, destination, onlyAt: null, places: true, now }, ids);
  return found.flatMap(({ places }, i) => [...places].flatMap(([locationId, { now: units }]) => (units > 0 ? [{ skuId: ids[i] as number, locationId, units }] : [])));
}

async function plan(deps: Deps, cart: Cart, lines: readonly CartLine[], destination: Place, stock: readonly Units[], now: Date): Promise<{ found: InstancePlan; from: Date }> {
  const open = lines.map(({ sku, quantity, unitPrice }, i): OpenLine => ({ line: { lineNo: i + 1, skuId: sku.id, skuCode: sku.code, quantity, priced: { netAmount: quantity * unitPrice } }, quantity }));
  const planAt = async (at: Date): Promise<{ found: InstancePlan; paused: boolean }> => {
    const reader: Reader = { now: at, query: async (text, values) => (await deps.pool.query(text, values)).rows as never };
    const instance = await buildInstance(reader, deps.network, deps.network.policyAt(at).policy, order, open, stock, []);
    return { found: planOrder(instance), paused: instance.locations.some((l) => l.pause !== undefined) };
  };
  const order = { channelId: cart.channel.id, way: 'ship' as const, country: destination.country, province: destination.province, city: destination.city, deliverBy: null, scheduledFrom: null, forcedLocationId: null, forcedCarrier: null };
  const { found, paused } = await planAt(now);
  if (found.unallocated.length === 0 || !paused) return { found, from: now };
  // A paused location sells: from the end of its pause on.
  const { rows: [pause] } = await deps.pool.query<{ until: Date | null }>('select max(until) until from location_pauses where location_id = any($1::int[]) and until > $2', [[...new Set(stock.map((s) => s.locationId))], now]);
  const later = pause?.until ? await planAt(pause.until) : null;
  return later?.found.unallocated.length === 0 && pause?.until ? { found: later.found, from: pause.until } : { found, from: now };
}

/** When the last shipment of a plan leaves and arrives, by the calendars of the locations. */
function dates(network: Network, found: InstancePlan, now: Date): { handOver: Date; by: Date } {
  let [handOver, by] = [now, now];
  for (const shipment of found.shipments) {
    const location = network.locations.get(shipment.location) as Location;
    const transitDays = Math.round((Date.parse(shipment.arrivesAt) - Date.parse(shipment.shipsAt)) / 86_400_000);
    const at = promise({ orderedAt: now, scheduledFrom: null, location, transitDays });
    if (at.shipBy > handOver) handOver = at.shipBy;
    if (at.deliverBy > by) by = at.deliverBy;
  }
  return { handOver, by };
}

const missingOf = (found: InstancePlan): Option['missing'] => found.unallocated.map(({ sku, quantity }) => ({ sku, quantity }));

async function shipped(deps: Deps, cart: Cart, destination: Place, now: Date): Promise<Option> {
  const { found, from } = await plan(deps, cart, cart.lines, destination, unitsNow(deps, cart, destination, now), now);
  const missing = missingOf(found);
  if (missing.length > 0) return { way: 'ship', location: null, by: null, handOver: null, cost: null, missing, plan: found };
  return { way: 'ship', location: null, ...dates(deps.network, found, from), cost: found.cost, missing, plan: found };
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

function pickedUp(deps: Deps, cart: Cart, shop: Location, now: Date): Option {
  const missing = lacking(cart, unitsNow(deps, cart, null, now), shop).map((l) => ({ sku: l.sku.code, quantity: l.quantity }));
  const at = missing.length > 0 ? null : readyAt(shop, now, cart.channel.pickupReadyS * 1000);
  const units = cart.lines.reduce((sum, l) => sum + l.quantity, 0);
  return { way: 'pickup', location: shop.code, by: at, handOver: at, cost: at === null ? null : shop.handlingCost + shop.handlingUnitCost * units, missing, plan: null };
}

/** The shop gives what it has; others send it the rest. */
async function sentToStore(deps: Deps, cart: Cart, shop: Location, now: Date): Promise<Option> {
  const stock = unitsNow(deps, cart, shop.place, now);
  const rest = lacking(cart, stock, shop);
  const handling = shop.handlingCost + shop.handlingUnitCost * cart.lines.reduce((sum, l) => sum + l.quantity, 0);
  if (rest.length === 0) {
    const at = readyAt(shop, now, cart.channel.pickupReadyS * 1000);
    return { way: 'ship_to_store', location: shop.code, by: at, handOver: at, cost: handling, missing: [], plan: null };
  }
  const { found, from } = await plan(deps, cart, rest, shop.place, stock.filter((s) => s.locationId !== shop.id), now);
  const missing = missingOf(found);
  if (missing.length > 0) return { way: 'ship_to_store', location: shop.code, by: null, handOver: null, cost: null, missing, plan: found };
  const { handOver, by } = dates(deps.network, found, from);
  return { way: 'ship_to_store', location: shop.code, handOver, by: new Date(by.getTime() + shop.handlingMinutes * 60_000), cost: found.cost + handling, missing, plan: found };
}

import { promise } from '../../domain/promising/promise.ts';
import type { InstanceLocation, InstancePolicy, RoutingInstance } from '../../domain/routing/model.ts';
import { slowCredit, type SlowStock } from '../../domain/routing/slow-credit.ts';
import type { Location, Network, Sku } from '../network.ts';
import type { Order, OrderLine } from '../orders/order.ts';
import { readyMinute, refusedCarriers } from './carrier-facts.ts';
import type { Reader, Units } from './reader.ts';
import { owed } from '../../domain/settlement/terms.ts';
import { termsAt } from '../settlement/terms.ts';
import { readReliability } from './reliability.ts';
import { readSlowStock } from './slow-stock.ts';
import { readStops, stopWords, type RoutingStops } from './stops.ts';

export type { Reader, Units };
/** Units of a line that are to be routed. */
export type OpenLine = { line: Pick<OrderLine, 'lineNo' | 'skuId' | 'skuCode' | 'quantity'> & { priced: Pick<OrderLine['priced'], 'netAmount'> & Partial<Pick<OrderLine['priced'], 'freightShare'>> }; quantity: number };
/** What of an order routing looks at. */
export type RoutedOrder = Pick<Order, 'channelId' | 'way' | 'country' | 'province' | 'city' | 'deliverBy' | 'scheduledFrom' | 'forcedLocationId' | 'forcedCarrier'>;

const DAY_MS = 86_400_000;
/** Days of sale for which a shop keeps its last units to itself, as far as the policy weighs that. */
const KEEP_DAYS = 7;

/** The routing instance of an order as it stands now. Locations and SKUs by code, so that it can be read and decided again by itself. */
export async function buildInstance(
  tx: Reader, network: Network, policy: InstancePolicy, order: RoutedOrder, open: readonly OpenLine[], stock: readonly Units[], excluded: readonly number[],
): Promise<RoutingInstance> {
  const skus = await network.skusById([...open.flatMap(({ line }) => line.skuId ?? []), ...stock.map((s) => s.skuId)]);
  const ids = [...new Set(stock.map((s) => s.locationId))];
  const stops = await readStops(tx, ids, [...skus.keys()]);
  const refused = await refusedCarriers(tx, network, order);
  const reliability = policy.weights.rejection ? await readReliability(tx, ids) : new Map<number, number>();
  const cutoffs = network.rates.some((r) => r.cutoffMinute !== null);
  const slow = policy.weights.slowCredit > 0 ? await readSlowStock(tx, [...skus.keys()]) : new Map<number, SlowStock>();
  const taken = await capacityTaken(tx, network, ids);
  const rates = policy.weights.opportunity > 0 || slow.size > 0 ? await salesRates(tx, ids, [...skus.keys()]) : new Map<string, number>();
  const settlements = policy.weights.settlement > 0 ? await settlementCosts(tx, network, ids, open, skus) : new Map<string, number>();
  const locations = ids.flatMap((id): InstanceLocation[] => {
    const location = network.locationById.get(id);
    return location ? [locationOf(tx, order, location, stock.filter((s) => s.locationId === id), skus, open, taken.get(id) ?? 0, rates, { stops, reliability: reliability.get(id), cutoffs, settlements, slow, keeps: policy.weights.opportunity > 0 })] : [];
  }).sort((a, b) => (a.code < b.code ? -1 : 1));
  const code = (id: number | null): string | undefined => (id === null ? undefined : network.locationById.get(id)?.code);
  const forced = code(order.forcedLocationId);
  return {
    order: {
      channel: network.channelById.get(order.channelId)?.code ?? '', ...(order.way === 'ship' ? {} : { way: order.way }), destination: network.place(order.country, order.province, order.city), promisedBy: order.deliverBy?.toISOString() ?? null,
      lines: open.flatMap(({ line, quantity }) => {
        const sku = line.skuId === null ? undefined : skus.get(line.skuId);
        return sku ? [{
          line: line.lineNo, sku: sku.code, quantity, value: Math.round((line.priced.netAmount * quantity) / line.quantity), weightG: sku.weightG,
          ...(sku.volumeMm3 === null ? {} : { volumeMm3: sku.volumeMm3 }), ...(sku.hazardous ? { hazardous: true } : {}), ...(sku.oversized ? { oversized: true } : {}),
        }] : [];
      }),
      ...(forced === undefined ? {} : { forcedLocation: forced }), ...(order.forcedCarrier === null ? {} : { forcedCarrier: order.forcedCarrier }),
      ...(excluded.length === 0 ? {} : { excluded: excluded.flatMap((id) => code(id) ?? []).sort() }), ...(refused.length === 0 ? {} : { refused }),
    },
    locations,
    rates: network.rates.map((r) => ({
      carrier: r.carrier, zone: r.zone, firstWeightG: r.firstWeightG, firstCost: r.firstCost, stepG: r.stepG, stepCost: r.stepCost, transitDays: r.transitDays,
      ...(r.volumetricMm3PerG === null ? {} : { volumetricMm3PerG: r.volumetricMm3PerG }), ...(r.maxWeightG === null ? {} : { maxWeightG: r.maxWeightG }), ...(r.hazardous ? { hazardous: true } : {}),
      ...(r.service === 'standard' ? {} : { service: r.service }), ...(r.cutoffMinute === null ? {} : { cutoffMinute: r.cutoffMinute }), ...(r.lateRisk === null ? {} : { lateRisk: r.lateRisk }),
    })),
    policy,
  };
}

function locationOf(
  tx: Reader, order: RoutedOrder, l: Location, stock: readonly Units[], skus: ReadonlyMap<number, Sku>, open: readonly OpenLine[], taken: number, rates: ReadonlyMap<string, number>,
  { stops, reliability, cutoffs, settlements, slow, keeps }: { stops: RoutingStops; reliability: number | undefined; cutoffs: boolean; settlements: ReadonlyMap<string, number>; slow: ReadonlyMap<number, SlowStock>; keeps: boolean },
): InstanceLocation {
  const pause = stops.pauses.get(l.id);
  const units = new Map<string, number>();
  for (const s of stock) {
    const sku = skus.get(s.skuId);
    if (sku) units.set(sku.code, (units.get(sku.code) ?? 0) + Math.max(0, s.units));
  }
  const idOf = new Map([...skus].map(([id, sku]) => [sku.code, id]));
  return {
    code: l.code, kind: l.kind, place: l.place, shipsAt: l.active && !pause ? handOver(l, tx.now, order.scheduledFrom).toISOString() : null,
    ...(pause ? { pause: stopWords(pause) } : {}), ...(cutoffs ? { readyMinute: readyMinute(l) } : {}), ...(reliability === undefined ? {} : { reliability }), handling: { perShipment: l.handlingCost, perUnit: l.handlingUnitCost },
    load: l.dailyCapacity === null ? 0 : Math.min(1000, Math.round((taken * 1000) / l.dailyCapacity)), ...(l.dailyCapacity === null ? {} : { capacityUnits: Math.max(0, l.dailyCapacity - taken) }),
    ...(l.takesHazardous ? { hazardous: true } : {}), ...(l.takesOversized ? { oversized: true } : {}),
    stock: Object.fromEntries([...units].sort(([a], [b]) => (a < b ? -1 : 1)).map(([code, available]) => {
      const rate = rates.get(`${l.id}|${idOf.get(code) ?? 0}`) ?? 0;
      const keep = keeps ? Math.ceil(rate * KEEP_DAYS) : 0;
      const found = slow.get(idOf.get(code) ?? 0);
      const credit = found ? slowCredit(found, { units: available, perDay: rate }) : 0;
      const margin = keep > 0 ? marginOf(code, open, skus) : 0;
      const block = stops.blocks.get(`${l.id}|${idOf.get(code) ?? 0}`);
      return [code, { available, ...(block ? { blocked: stopWords(block) } : {}), ...(keep > 0 && margin > 0 ? { opportunity: { cost: margin, units: keep } } : {}), ...(credit > 0 ? { slowCredit: credit } : {}), ...settlementOf(settlements.get(`${l.id}|${idOf.get(code) ?? 0}`)) }];
    })),
  };
}

const settlementOf = (cost: number | undefined): { settlement?: number } => (cost === undefined || cost === 0 ? {} : { settlement: cost });

/** What dealers and vendors would be owed for a unit as this order pays for it, minor units. */
async function settlementCosts(tx: Reader, network: Network, ids: readonly number[], open: readonly OpenLine[], skus: ReadonlyMap<number, Sku>): Promise<Map<string, number>> {
  const others = ids.filter((id) => { const kind = network.locationById.get(id)?.kind; return kind === 'dealer' || kind === 'vendor'; });
  if (others.length === 0) return new Map();
  const terms = await termsAt(tx, others, [...skus.keys()], tx.now);
  return new Map([...terms].map(([key, term]) => {
    const sku = Number(key.split('|')[1]);
    const line = open.find(({ line: l }) => l.skuId === sku)?.line;
    return [key, owed(term, 1, line ? Math.round((line.priced.netAmount - (line.priced.freightShare ?? 0)) / line.quantity) : 0)];
  }));
}

/** What a unit earns beyond its cost, as this order pays for it: what the location would lose. */
function marginOf(code: string, open: readonly OpenLine[], skus: ReadonlyMap<number, Sku>): number {
  const line = open.find(({ line: l }) => l.skuCode === code)?.line;
  const cost = line?.skuId == null ? null : skus.get(line.skuId)?.cost ?? null;
  return line && cost !== null ? Math.max(0, Math.round(line.priced.netAmount / line.quantity) - cost) : 0;
}

/** The day on which the location hands over, at the hour at which carriers deliver: so the promise, counted in days, and lateness agree. */
function handOver(location: Location, now: Date, scheduledFrom: Date | null): Date {
  return new Date(promise({ orderedAt: now, scheduledFrom, location, transitDays: 1 }).deliverBy.getTime() - DAY_MS);
}

/** Units that locations with a capacity have been given since the day began there (UTC's day: a capacity is a rough number). */
async function capacityTaken(tx: Reader, network: Network, ids: readonly number[]): Promise<Map<number, number>> {
  const limited = ids.filter((id) => network.locationById.get(id)?.dailyCapacity != null);
  if (limited.length === 0) return new Map();
  const rows = await tx.query<{ id: number; units: number }>(
    `select f.location_id id, sum(l.quantity - l.short_quantity)::int units from fulfillment_orders f join fulfillment_order_lines l on l.fulfillment_order_id = f.id
     where f.location_id = any($1::int[]) and f.routed_at >= date_trunc('day', $2::timestamptz at time zone 'UTC') at time zone 'UTC' and f.status not in ('rejected', 'cancelled') group by 1`, [limited, tx.now]);
  return new Map(rows.map((r) => [r.id, r.units]));
}

/** Units sold a day by location and SKU, over the last 28 days, as housekeeping counts them. */
async function salesRates(tx: Reader, locationIds: readonly number[], skuIds: readonly number[]): Promise<Map<string, number>> {
  const rows = await tx.query<{ at: number; sku: number; units: number }>(
    'select location_id at, sku_id sku, units / 28.0 units from sales_rates where location_id = any($1::int[]) and sku_id = any($2::int[])', [locationIds, skuIds]);
  return new Map(rows.map((r) => [`${r.at}|${r.sku}`, Number(r.units)]));
}

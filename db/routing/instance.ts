import { handOver } from '../../domain/promising/hand-over.ts';
import type { InstanceLocation, InstancePolicy, RoutingInstance } from '../../domain/routing/model.ts';
import { slowCredit, type SlowStock } from '../../domain/routing/slow-credit.ts';
import type { Location, Network, Sku } from '../network.ts';
import type { Order } from '../orders/order.ts';
import { capacityTaken } from './capacity.ts';
import { readyMinute, refusedCarriers } from './carrier-facts.ts';
import type { OpenLine, Reader, Units } from './reader.ts';
import { readReliability } from './reliability.ts';
import { NO_SETTLEMENTS, settlementCosts, type Settlements } from './settlement-costs.ts';
import { readSlowStock } from './slow-stock.ts';
import { readStops, stopWords, type RoutingStops } from './stops.ts';

export type { OpenLine, Reader, Units };
/** What of an order routing looks at. */
export type RoutedOrder = Pick<Order, 'channelId' | 'way' | 'country' | 'province' | 'city' | 'deliverBy' | 'scheduledFrom' | 'forcedLocationId' | 'forcedCarrier'>;

/** Days of sale for which a shop keeps its last units to itself, as far as the policy weighs that. */
const KEEP_DAYS = 7;

/**
 * The routing instance of an order as it stands now. Locations and SKUs by code, so that it can be read and decided again by itself. `gaveBack`: `location|sku` (ids) that a location did not find for this order; its units of
 * it are told and not taken.
 */
export async function buildInstance(
  tx: Reader, network: Network, policy: InstancePolicy, order: RoutedOrder, open: readonly OpenLine[], stock: readonly Units[], excluded: readonly number[], gaveBack: ReadonlySet<string> = new Set(),
): Promise<RoutingInstance> {
  const skus = await network.skusById([...open.flatMap(({ line }) => line.skuId ?? []), ...stock.map((s) => s.skuId)]);
  const ids = [...new Set(stock.map((s) => s.locationId))];
  const stops = await readStops(tx, ids, [...skus.keys()]);
  const refused = await refusedCarriers(tx, network, order);
  const reliability = policy.weights.rejection ? await readReliability(tx, ids) : new Map<number, number>();
  const cutoffs = network.rates.some((r) => r.cutoffMinute !== null);
  const slow = policy.weights.slowCredit > 0 ? await readSlowStock(tx, [...skus.keys()]) : new Map<number, SlowStock>();
  const taken = await capacityTaken(tx, network, ids, order.scheduledFrom);
  const rates = policy.weights.opportunity > 0 || slow.size > 0 ? await salesRates(tx, ids, [...skus.keys()]) : new Map<string, number>();
  const settlements = policy.weights.settlement > 0 ? await settlementCosts(tx, network, order.channelId, ids, open.map(({ line }) => line), [...skus.keys()]) : NO_SETTLEMENTS;
  const locations = ids.flatMap((id): InstanceLocation[] => {
    const location = network.locationById.get(id);
    return location ? [locationOf(() => leavesAt(network, location, order, tx.now), location, stock.filter((s) => s.locationId === id), skus, open, taken.get(id) ?? 0, rates, { stops, reliability: reliability.get(id), cutoffs, settlements, slow, gaveBack, keeps: policy.weights.opportunity > 0 })] : [];
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
  leaves: () => Date, l: Location, stock: readonly Units[], skus: ReadonlyMap<number, Sku>, open: readonly OpenLine[], taken: number, rates: ReadonlyMap<string, number>,
  { stops, reliability, cutoffs, settlements, slow, gaveBack, keeps }: { gaveBack: ReadonlySet<string>; stops: RoutingStops; reliability: number | undefined; cutoffs: boolean; settlements: Settlements; slow: ReadonlyMap<number, SlowStock>; keeps: boolean },
): InstanceLocation {
  const pause = stops.pauses.get(l.id);
  const units = new Map<string, number>();
  for (const s of stock) {
    const sku = skus.get(s.skuId);
    if (sku) units.set(sku.code, (units.get(sku.code) ?? 0) + Math.max(0, s.units));
  }
  const idOf = new Map([...skus].map(([id, sku]) => [sku.code, id]));
  return {
    code: l.code, kind: l.kind, place: l.place, shipsAt: l.active && !pause ? leaves().toISOString() : null,
    ...(pause ? { pause: stopWords(pause) } : {}), ...(cutoffs ? { readyMinute: readyMinute(l) } : {}), ...(reliability === undefined ? {} : { reliability }), ...settlements.fees.get(l.id), handling: { perShipment: l.handlingCost, perUnit: l.handlingUnitCost },
    load: l.dailyCapacity === null ? 0 : Math.min(1000, Math.round((taken * 1000) / l.dailyCapacity)), ...(l.dailyCapacity === null ? {} : { capacityUnits: Math.max(0, l.dailyCapacity - taken) }),
    ...(l.takesHazardous ? { hazardous: true } : {}), ...(l.takesOversized ? { oversized: true } : {}),
    stock: Object.fromEntries([...units].sort(([a], [b]) => (a < b ? -1 : 1)).map(([code, available]) => {
      const rate = rates.get(`${l.id}|${idOf.get(code) ?? 0}`) ?? 0;
      const keep = keeps ? Math.ceil(rate * KEEP_DAYS) : 0;
      const found = slow.get(idOf.get(code) ?? 0);
      const credit = found ? slowCredit(found, { units: available, perDay: rate }) : 0;
      const margin = keep > 0 ? marginOf(code, open, skus) : 0;
      const block = stops.blocks.get(`${l.id}|${idOf.get(code) ?? 0}`);
      const blocked = gaveBack.has(`${l.id}|${idOf.get(code) ?? 0}`) ? 'did not find it for this order before' : block ? stopWords(block) : settlements.barred.get(`${l.id}|${idOf.get(code) ?? 0}`);
      return [code, { available, ...(blocked === undefined ? {} : { blocked }), ...(keep > 0 && margin > 0 ? { opportunity: { cost: margin, units: keep } } : {}), ...(credit > 0 ? { slowCredit: credit } : {}), ...settlementOf(settlements.costs.get(`${l.id}|${idOf.get(code) ?? 0}`)) }];
    })),
  };
}

const settlementOf = (cost: number | undefined): { settlement?: number } => (cost === undefined || cost === 0 ? {} : { settlement: cost });

/** What a unit earns beyond its cost, as this order pays for it: what the location would lose. */
function marginOf(code: string, open: readonly OpenLine[], skus: ReadonlyMap<number, Sku>): number {
  const line = open.find(({ line: l }) => l.skuCode === code)?.line;
  const cost = line?.skuId == null ? null : skus.get(line.skuId)?.cost ?? null;
  return line && cost !== null ? Math.max(0, Math.round(line.priced.netAmount / line.quantity) - cost) : 0;
}

/** When a location hands an order over that it gets now, as its arrival is counted (`handOver`). */
export function leavesAt(network: Network, location: Location, order: Pick<RoutedOrder, 'country' | 'province' | 'city' | 'deliverBy' | 'scheduledFrom'>, now: Date): Date {
  const arrivesIn = network.zoneOf(network.place(order.country, order.province, order.city));
  return new Date(handOver({ orderedAt: now, scheduledFrom: order.scheduledFrom, location, arrivesIn }, order.deliverBy?.getTime() ?? null));
}

/** Units sold a day by location and SKU, over the last 28 days, as housekeeping counts them. */
async function salesRates(tx: Reader, locationIds: readonly number[], skuIds: readonly number[]): Promise<Map<string, number>> {
  const rows = await tx.query<{ at: number; sku: number; units: number }>(
    'select location_id at, sku_id sku, units / 28.0 units from sales_rates where location_id = any($1::int[]) and sku_id = any($2::int[])', [locationIds, skuIds]);
  return new Map(rows.map((r) => [`${r.at}|${r.sku}`, Number(r.units)]));
}

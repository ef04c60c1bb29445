import type pg from 'pg';
import type { InstanceRate } from '../../domain/routing/model.ts';
import type { RecordedOrder, SimulatedLocation, SimulationInput, SimulationResult } from '../../domain/simulation/model.ts';
import type { Network } from '../network.ts';
import { readyMinute } from '../routing/carrier-facts.ts';
import { poolSku, readStock } from './opening.ts';
import { readRecorded } from './recorded.ts';
import { readNets, readSharing, withRules } from './rules.ts';

type Fate = { id: string; scheduledFrom: Date | null; cancelledAt: Date | null };

/** All that a simulation of a period depends on, and what happened in it. Locations, calendars, rates, reliability, sharing and dealers' fees are today's; dealers' terms and alerts those of then. */
export async function readInput(pool: pg.Pool, network: Network, period: { from: Date; to: Date }): Promise<{ input: SimulationInput; actual: SimulationResult }> {
  const { orders, orderIds, actual } = await readRecorded(pool, period.from, period.to);
  const skus = [...new Set(orders.flatMap(({ order }) => order.lines.map((l) => l.sku)))].sort();
  await network.loadSkus(skus);
  const { stock: opening, arrivals } = await readStock(pool, period, skus, orderIds);
  const stock = await withRules(pool, period, skus, opening);
  const percent = stock.some((s) => s.terms?.some((t) => 'percentOfNet' in t));
  const [netOf, sharing, reliability] = [percent ? await readNets(pool, orderIds) : new Map<string, number>(), await readSharing(pool, network, skus), await readAcceptance(pool)];
  const cutoffs = network.rates.some((r) => r.cutoffMinute !== null);
  const fees = await readFees(pool);
  const [fates, pools] = [await readFates(pool, orderIds), await readPools(pool, orderIds)];
  const zones = new Set([...network.locations.values()].map((l) => l.timeZone));
  const replayed = orders.map((recorded, i): RecordedOrder => {
    const id = orderIds[i] as string;
    const { scheduledFrom = null, cancelledAt = null } = fates.get(id) ?? {};
    const margins = new Map<string, number>();
    const nets = new Map<string, number>();
    const lines = recorded.order.lines.map((line) => {
      const sku = poolSku(line.sku, pools.get(`${id}|${line.line}`) ?? 0);
      const cost = network.knownSku(line.sku)?.cost ?? null;
      if (cost !== null) margins.set(sku, Math.max(0, Math.round(line.value / line.quantity) - cost));
      const net = netOf.get(`${id}|${line.line}`);
      if (net !== undefined && !nets.has(sku)) nets.set(sku, net);
      return { ...line, sku };
    });
    const arrivesIn = zones.size > 1 ? network.zoneOf(recorded.order.destination) : undefined;
    return {
      ...recorded, ...(arrivesIn === undefined ? {} : { arrivesIn }), order: { ...recorded.order, lines }, margins: Object.fromEntries(margins), ...(nets.size > 0 ? { nets: Object.fromEntries(nets) } : {}), ...(scheduledFrom === null ? {} : { scheduledFrom: scheduledFrom.getTime() }),
      ...(cancelledAt === null || cancelledAt.getTime() < recorded.at ? {} : { cancelledAt: cancelledAt.getTime() }),
    };
  });
  const known = new Set(network.locations.keys());
  return {
    actual,
    input: {
      locations: [...network.locations.values()].map((l): SimulatedLocation => ({
        code: l.code, kind: l.kind, place: l.place, handling: { perShipment: l.handlingCost, perUnit: l.handlingUnitCost }, ...(l.dailyCapacity === null ? {} : { dailyCapacity: l.dailyCapacity }),
        ...(l.takesHazardous ? { hazardous: true } : {}), ...(l.takesOversized ? { oversized: true } : {}), ...(cutoffs ? { readyMinute: readyMinute(l) } : {}), ...reliability.get(l.code), ...fees.get(l.code),
        calendar: l.active ? { timeZone: l.timeZone, cutoffMinutes: l.cutoffMinutes, handlingMinutes: l.handlingMinutes, workDays: l.workDays, ...(l.closedDays.length > 0 ? { closedDays: l.closedDays } : {}) } : null,
      })),
      rates: network.rates.map(({ volumetricMm3PerG, maxWeightG, hazardous, service, cutoffMinute, lateRisk, ...rate }): InstanceRate => ({
        ...rate, ...(service === 'standard' ? {} : { service }), ...(cutoffMinute === null ? {} : { cutoffMinute }), ...(lateRisk === null ? {} : { lateRisk }), ...(volumetricMm3PerG === null ? {} : { volumetricMm3PerG }), ...(maxWeightG === null ? {} : { maxWeightG }), ...(hazardous ? { hazardous: true } : {}),
      })),
      stock: stock.filter((s) => known.has(s.location)), arrivals, orders: replayed, ...(sharing ? { sharing } : {}),
    },
  };
}

/** What dealers and vendors are owed for each shipment. */
async function readFees(pool: pg.Pool): Promise<Map<string, { settlementFee: number }>> {
  const { rows } = await pool.query<{ code: string; fee: number }>(
    `select l.code, p.handling_fee fee from settlement_parties p join locations l on l.id = p.location_id where l.kind in ('dealer', 'vendor') and p.handling_fee > 0`);
  return new Map(rows.map((r) => [r.code, { settlementFee: Number(r.fee) }]));
}

/** What locations are expected to accept, as measured last. */
async function readAcceptance(pool: pg.Pool): Promise<Map<string, { reliability: number }>> {
  const { rows } = await pool.query<{ code: string; reliability: number }>('select l.code, r.acceptance reliability from location_reliability r join locations l on l.id = r.location_id');
  return new Map(rows.map(({ code, reliability }) => [code, { reliability }]));
}

async function readFates(pool: pg.Pool, ids: readonly string[]): Promise<Map<string, Fate>> {
  const { rows } = await pool.query<Fate>(
    `select id, scheduled_from "scheduledFrom", case when status in ('cancelled', 'rejected', 'expired') then closed_at end "cancelledAt" from orders where id = any($1::uuid[])`, [ids]);
  return new Map(rows.map((r) => [r.id, r]));
}

/** The allotment that each line of an order drew on, by `order|line`. */
async function readPools(pool: pg.Pool, ids: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ key: string; allotmentId: number }>(
    `select distinct on (r.order_id, r.line_no) r.order_id || '|' || r.line_no key, v.allotment_id "allotmentId" from reservations r join stock_levels v on v.id = r.level_id
     where r.order_id = any($1::uuid[]) order by r.order_id, r.line_no, r.seq`, [ids]);
  return new Map(rows.map((r) => [r.key, r.allotmentId]));
}

import { rankKm } from '../../domain/geo.ts';
import { promise } from '../../domain/promising/promise.ts';
import { readyAt } from '../../domain/promising/ready.ts';
import type { Location, Network } from '../network.ts';
import type { Reader } from '../routing/reader.ts';
import { SENDABLE } from './lacking.ts';

/** Free units of a SKU at a place that may send them; `levels` by id. */
export type Source = { locationId: number; skuId: number; units: number; levels: number[] };
export type Sending = { from: Location; skuId: number; units: number };

/** Where units of these SKUs are that may be sent to a shop. */
export async function sources(tx: Reader, shop: Location, skuIds: readonly number[]): Promise<Source[]> {
  return tx.query<Source>(`select location_id "locationId", sku_id "skuId", sum(free)::int units, array_agg(id::int) levels from ${SENDABLE('$1::int', '$2')} w where sku_id = any($3::int[]) group by 1, 2`, [shop.id, tx.now, skuIds]);
}

/**
 * Which places bring what a shop lacks: the nearest one that has all of a SKU, else the nearest ones together; `last`: locations that are asked only where the others do not do. `missing`: units of SKUs that are not there; then
 * nobody sends anything of them.
 */
export function bring(network: Network, shop: Location, lacking: ReadonlyMap<number, number>, found: readonly Source[], last: ReadonlySet<string> = new Set()): { sendings: Sending[]; missing: Map<number, number> } {
  const sendings: Sending[] = [];
  const missing = new Map<number, number>();
  for (const [skuId, units] of lacking) {
    const near = found.filter((s) => s.skuId === skuId).flatMap((s) => { const from = network.locationById.get(s.locationId); return from ? [{ from, units: s.units, late: last.has(`${s.locationId}|${skuId}`) }] : []; })
      .sort((a, b) => Number(a.late) - Number(b.late) || rankKm(a.from.place, shop.place) - rankKm(b.from.place, shop.place) || a.from.id - b.from.id);
    const all = near.reduce((sum, s) => sum + s.units, 0);
    if (all < units) {
      missing.set(skuId, units - all);
      continue;
    }
    const whole = near.find((s) => s.units >= units && !s.late);
    let rest = units;
    for (const s of whole ? [whole] : near) {
      if (rest === 0) break;
      const sent = Math.min(rest, s.units);
      sendings.push({ from: s.from, skuId, units: sent });
      rest -= sent;
    }
  }
  return { sendings, missing };
}

/** When the last of it has left its place, and when the shop has all ready: by the calendars of both, `transitS` seconds on its way. */
export function readyWhenBrought(shop: Location, sendings: readonly Sending[], now: Date, transitS: number, readyS: number): { handOver: Date; by: Date } {
  const left = Math.max(now.getTime(), ...sendings.map(({ from }) => promise({ orderedAt: now, scheduledFrom: null, location: from, transitDays: 0 }).shipBy.getTime()));
  return { handOver: new Date(left), by: readyAt(shop, new Date(left + transitS * 1000), readyS * 1000) };
}

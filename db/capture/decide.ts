import { firstFit } from '../../domain/routing/first-fit.ts';
import { promise } from '../../domain/promising/promise.ts';
import { zone } from '../../domain/geo.ts';
import type { LockedLevel } from '../ledger.ts';
import type { Network } from '../network.ts';
import type { StockProjection } from '../projection.ts';
import type { PreparedOrder } from './prepare.ts';

export type Pick = { lineNo: number; skuId: number; locationId: number; levelId: number; quantity: number };
export type Missing = { lineNo: number; skuId: number | null; skuCode: string; quantity: number; cause: 'unknown_sku' | 'no_stock' };
export type Decision = { picks: Pick[]; missing: Missing[]; promise: { shipBy: Date; deliverBy: Date } | null };

/** Units a batch has given away already, by level. */
export type Taken = Map<number, number>;

/** Chooses levels for one order by first fit on the projection less what the batch has taken; adds its own units to `taken`. */
export function decide(order: PreparedOrder, network: Network, projection: StockProjection, taken: Taken): Decision {
  const known = order.lines.filter((l) => l.skuId !== null) as (PreparedOrder['lines'][number] & { skuId: number })[];
  const missing: Missing[] = [];
  for (const line of order.lines) {
    if (line.skuId === null) missing.push({ lineNo: line.lineNo, skuId: null, skuCode: line.skuCode, quantity: line.quantity, cause: 'unknown_sku' });
  }
  const available = (skuId: number, locationId: number): number => {
    let sum = 0;
    for (const level of projection.levelsOf(skuId, locationId)) sum += Math.max(0, level.free - (taken.get(level.id) ?? 0));
    return sum;
  };
  const fit = firstFit(known, network.ranked(order.destination), available);
  const picks: Pick[] = [];
  for (const pick of fit.picks) {
    let rest = pick.quantity;
    for (const level of projection.levelsOf(pick.skuId, pick.locationId)) {
      const used = taken.get(level.id) ?? 0;
      const quantity = Math.min(rest, level.free - used);
      if (quantity <= 0) continue;
      picks.push({ lineNo: pick.lineNo, skuId: pick.skuId, locationId: pick.locationId, levelId: level.id, quantity });
      taken.set(level.id, used + quantity);
      rest -= quantity;
      if (rest === 0) break;
    }
  }
  for (const short of fit.short) {
    missing.push({ lineNo: short.lineNo, skuId: short.skuId, skuCode: order.lines[short.lineNo - 1]?.skuCode ?? '', quantity: short.quantity, cause: 'no_stock' });
  }
  return { picks, missing, promise: missing.length > 0 ? null : promiseOf(order, picks, network) };
}

/** The date of the whole order: the latest of its locations. */
function promiseOf(order: PreparedOrder, picks: readonly Pick[], network: Network): Decision['promise'] {
  let shipBy: Date | null = null;
  let deliverBy: Date | null = null;
  for (const id of new Set(picks.map((p) => p.locationId))) {
    const location = network.locationById.get(id);
    if (!location) continue;
    const to = zone(location.place, order.destination);
    let days = Number.POSITIVE_INFINITY;
    for (const rate of network.rates) if (rate.zone === to && rate.transitDays < days) days = rate.transitDays;
    if (!Number.isFinite(days)) return null; // no carrier goes there: promised only once someone says how
    const at = promise({ orderedAt: order.capturedAt, scheduledFrom: order.scheduledFrom, location, transitDays: days });
    if (!shipBy || at.shipBy > shipBy) shipBy = at.shipBy;
    if (!deliverBy || at.deliverBy > deliverBy) deliverBy = at.deliverBy;
  }
  return shipBy && deliverBy ? { shipBy, deliverBy } : null;
}

/** True when the locked levels still hold what was picked; then it is taken from them. */
export function takeLocked(picks: readonly Pick[], locked: Map<number, LockedLevel>): boolean {
  const free = new Map<number, number>();
  for (const pick of picks) {
    const level = locked.get(pick.levelId);
    if (!level?.sellable) return false;
    const left = (free.get(pick.levelId) ?? level.onHand - level.reserved - level.buffer) - pick.quantity;
    if (left < 0) return false;
    free.set(pick.levelId, left);
  }
  for (const pick of picks) (locked.get(pick.levelId) as LockedLevel).reserved += pick.quantity;
  return true;
}

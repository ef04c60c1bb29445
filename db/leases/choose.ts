import { wholeUnits } from '../../domain/stock/lease.ts';
import { decide, type Decision } from '../capture/decide.ts';
import type { Demand } from '../capture/sources.ts';
import { Taken, type Pick } from '../capture/taken.ts';
import type { Network } from '../network.ts';
import type { StockProjection } from '../projection.ts';
import type { LeaseMode } from './lease.ts';

/** A part of a line that was asked for: the SKU itself, or a component of a bundle; `perUnit` units of it in one. */
export type Part = { lineNo: number; asked: number; skuId: number; skuCode: string; perUnit: number; quantity: number; bundle: { sku: string; line: number } | null };
/** `missing`: units by line as it was asked for (of a bundle: of its components). */
export type Choice = { picks: Pick[]; missing: { line: number; sku: string; quantity: number }[] };

/** What is borrowed is counted by order, so a lease borrows nothing: for it every allotment has borrowed all that it may. */
class NothingToLend extends Map<string, number> {
  override get(): number { return Number.POSITIVE_INFINITY; }
}
const LENT: ReadonlyMap<string, number> = new NothingToLend();

/**
 * Chooses levels as the capture does, on the projection. `all`: everything, or no picks; `lines`: each line whole or not at all, in the order of the
 * lines; `partial`: what there is, of bundles whole ones. Lines with one SKU are counted together.
 */
export function chooseLevels(demand: Omit<Demand, 'lines'>, mode: LeaseMode, parts: readonly Part[], network: Network, projection: StockProjection): Choice {
  const fit = (some: readonly Part[], taken: Taken): Decision => decide({ ...demand, lines: some }, network, projection, taken, LENT);
  const whole = fit(parts, new Taken());
  if (whole.missing.length === 0) return { picks: whole.picks, missing: [] };
  if (mode === 'all') return { picks: [], missing: whole.missing.flatMap((m) => missingOf(parts.find((p) => p.lineNo === m.lineNo), m.quantity)) };
  const taken = new Taken();
  const kept: Part[] = [];
  const missing: Choice['missing'] = [];
  for (const line of new Set(parts.map((p) => p.asked))) {
    const own = parts.filter((p) => p.asked === line);
    const alone = fit(own, taken);
    if (alone.missing.length === 0) {
      kept.push(...own);
      continue;
    }
    taken.add(alone.picks, -1);
    missing.push(...alone.missing.flatMap((m) => missingOf(own.find((p) => p.lineNo === m.lineNo), m.quantity)));
    const short = new Map(alone.missing.map((m) => [m.lineNo, m.quantity]));
    const units = mode === 'lines' ? 0 : wholeUnits(own.map((p) => ({ ...p, missing: short.get(p.lineNo) ?? 0 })));
    if (units === 0) continue;
    const fewer = own.map((p) => ({ ...p, quantity: units * p.perUnit }));
    fit(fewer, taken);
    kept.push(...fewer);
  }
  // Together once more: then what can leave from one location does.
  return { picks: kept.length > 0 ? fit(kept, new Taken()).picks : [], missing };
}

function missingOf(part: Part | undefined, quantity: number): Choice['missing'] {
  return part === undefined ? [] : [{ line: part.asked, sku: part.skuCode, quantity }];
}

import { rankKm, type Place } from '../geo.ts';
import { KIND_RANK, type LocationKind } from './types.ts';

type Line = { lineNo: number; skuId: number; quantity: number };
export type Fit = { picks: { lineNo: number; skuId: number; locationId: number; quantity: number }[]; short: Line[] };

/** Locations nearest first; ties by kind, then id, so that the order is always the same. */
export function rankLocations(destination: Place, candidates: readonly { locationId: number; place: Place; kind: LocationKind }[]): number[] {
  return candidates
    .map((c) => ({ id: c.locationId, km: rankKm(c.place, destination), kind: KIND_RANK[c.kind] }))
    .sort((a, b) => a.km - b.km || a.kind - b.kind || a.id - b.id)
    .map((c) => c.id);
}

/**
 * The cheap mode of routing, for capture: the first location of the ranking that has all lines; else again and again the location that
 * covers the most lines whole (the nearer at a tie), at last single units. Lines of one SKU share its stock.
 */
export function firstFit(lines: readonly Line[], ranked: ArrayLike<number>, availableOf: (skuId: number, locationId: number) => number): Fit {
  if (lines.length === 0) return { picks: [], short: [] };
  const need = demand(lines);
  for (let i = 0; i < ranked.length; i++) {
    const locationId = ranked[i] as number;
    let all = true;
    for (let n = 0; n < need.length; n += 2) {
      if (availableOf(need[n] as number, locationId) < (need[n + 1] as number)) {
        all = false;
        break;
      }
    }
    if (all) return { picks: lines.map((l) => ({ lineNo: l.lineNo, skuId: l.skuId, locationId, quantity: l.quantity })), short: [] };
  }
  return split(lines, ranked, availableOf);
}

/** SKU, units, SKU, units, …: repeated SKUs counted together. */
function demand(lines: readonly Line[]): number[] {
  const need: number[] = [];
  for (const line of lines) {
    let at = 0;
    while (at < need.length && need[at] !== line.skuId) at += 2;
    if (at === need.length) need.push(line.skuId, line.quantity);
    else need[at + 1] = (need[at + 1] as number) + line.quantity;
  }
  return need;
}

function split(lines: readonly Line[], ranked: ArrayLike<number>, availableOf: (skuId: number, locationId: number) => number): Fit {
  const picks: Fit['picks'] = [];
  const open = lines.map((l) => ({ ...l }));
  const used = new Map<string, number>();
  const left = (skuId: number, locationId: number): number => availableOf(skuId, locationId) - (used.get(`${skuId}|${locationId}`) ?? 0);
  const take = (line: Line, locationId: number, quantity: number): void => {
    picks.push({ lineNo: line.lineNo, skuId: line.skuId, locationId, quantity });
    used.set(`${line.skuId}|${locationId}`, (used.get(`${line.skuId}|${locationId}`) ?? 0) + quantity);
    line.quantity -= quantity;
  };
  const whole = (locationId: number): Line[] => {
    const promised = new Map<number, number>();
    return open.filter((line) => {
      const before = promised.get(line.skuId) ?? 0;
      if (line.quantity === 0 || left(line.skuId, locationId) - before < line.quantity) return false;
      promised.set(line.skuId, before + line.quantity);
      return true;
    });
  };
  for (;;) {
    let best: Line[] = [];
    let at = -1;
    for (let i = 0; i < ranked.length; i++) {
      const covered = whole(ranked[i] as number);
      if (covered.length > best.length) {
        best = covered;
        at = ranked[i] as number;
      }
    }
    if (best.length === 0) break;
    for (const line of best) take(line, at, line.quantity);
  }
  for (const line of open) {
    for (let i = 0; i < ranked.length && line.quantity > 0; i++) {
      const units = Math.min(line.quantity, left(line.skuId, ranked[i] as number));
      if (units > 0) take(line, ranked[i] as number, units);
    }
  }
  return { picks, short: open.filter((l) => l.quantity > 0) };
}

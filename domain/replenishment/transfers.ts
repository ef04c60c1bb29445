import { shortProbability } from './negative-binomial.ts';
import type { Plan, PlanRules, Site, TransferLane } from './plan-model.ts';

type Want = { site: Site; position: number; lanes: TransferLane[]; chance: number };

/**
 * Moves of one SKU from locations with more than their level to those with less: the unit most likely to be missed first, from its cheapest near lane (then the
 * fastest), while what it is expected to save (value × chance that it is asked for) exceeds the cost of moving it. A source gives what is free above its level.
 * `sites` are of one SKU. Positions after the moves come back by location.
 */
export function planTransfers(sites: readonly Site[], lanes: ReadonlyMap<string, readonly TransferLane[]>, rules: Pick<PlanRules, 'nearDays'>): { transfers: Plan['transfers']; positions: Map<string, number> } {
  const positions = new Map(sites.map((s) => [s.location, s.position]));
  const surplus = new Map<string, number>();
  for (const s of sites) {
    const units = Math.floor(Math.min(s.free, s.position - s.level));
    if (units > 0) surplus.set(s.location, units);
  }
  if (surplus.size === 0) return { transfers: [], positions };
  const near = (to: string): TransferLane[] => (lanes.get(to) ?? []).filter((l) => l.days <= rules.nearDays && surplus.has(l.from)).sort((a, b) => a.perUnit - b.perUnit || a.days - b.days || (a.from < b.from ? -1 : 1));
  const wants: Want[] = sites.filter((s) => s.position < s.level).map((site) => ({ site, position: site.position, lanes: near(site.location), chance: shortProbability(site.law, site.position) })).filter((w) => w.lanes.length > 0);
  const moved = new Map<string, Plan['transfers'][number]>();
  for (;;) {
    let best: { want: Want; lane: TransferLane; gain: number } | null = null;
    for (const want of wants) {
      const lane = want.position < want.site.level ? want.lanes.find((l) => (surplus.get(l.from) ?? 0) > 0) : undefined;
      const gain = lane ? want.chance * want.site.value - lane.perUnit : 0;
      if (lane && gain > 0 && (best === null || gain > best.gain)) best = { want, lane, gain };
    }
    if (best === null) break;
    const { want, lane } = best;
    surplus.set(lane.from, (surplus.get(lane.from) ?? 0) - 1);
    want.position++;
    want.chance = shortProbability(want.site.law, want.position);
    const key = `${lane.from}\n${lane.to}`;
    const move = moved.get(key) ?? { sku: want.site.sku, from: lane.from, to: lane.to, units: 0, cost: 0 };
    move.units++;
    move.cost += lane.perUnit;
    moved.set(key, move);
  }
  for (const m of moved.values()) {
    positions.set(m.from, (positions.get(m.from) ?? 0) - m.units);
    positions.set(m.to, (positions.get(m.to) ?? 0) + m.units);
  }
  return { transfers: [...moved.values()], positions };
}

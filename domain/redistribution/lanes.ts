import { bestBetween, type Worth } from './marginal.ts';
import type { MoveLane, MoveRules } from './model.ts';

/** A lane that could be worth a trip: the most that it could gain, were it the only one, and the SKUs that could go by it. */
export type Candidate = { lane: MoveLane; most: number; skus: string[] };

/** Sites of a category by location and SKU. */
export type Worths = ReadonlyMap<string, ReadonlyMap<string, Worth>>;

/**
 * The lanes that could gain the minimum: a lane whose senders had nobody else to serve and whose receivers nobody else to serve them gains `most`; below trip + minimum no plan uses it, so
 * leaving it out loses nothing. Of the rest the `mostLanes` with most to gain.
 */
export function candidates(lanes: readonly MoveLane[], worths: Worths, rules: MoveRules): { found: Candidate[]; leftOut: number } {
  const all: Candidate[] = [];
  for (const lane of lanes) {
    const [from, to] = [worths.get(lane.from), worths.get(lane.to)];
    if (!from || !to) continue;
    let most = 0;
    const skus: string[] = [];
    for (const [sku, sender] of from) {
      const receiver = sender.gives.length > 0 ? to.get(sku) : undefined;
      const best = receiver ? bestBetween(sender, receiver, lane.perUnit) : 0;
      if (best <= 0) continue;
      most += best;
      skus.push(sku);
    }
    if (most > lane.perTrip + rules.minimumGain) all.push({ lane, most, skus });
  }
  all.sort((a, b) => (b.most - b.lane.perTrip) - (a.most - a.lane.perTrip) || (a.lane.from < b.lane.from ? -1 : a.lane.from > b.lane.from ? 1 : a.lane.to < b.lane.to ? -1 : 1));
  return { found: all.slice(0, rules.mostLanes), leftOut: Math.max(0, all.length - rules.mostLanes) };
}

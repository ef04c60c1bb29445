import type { Candidate, Worths } from './lanes.ts';
import type { MoveRules } from './model.ts';
import { Shelves, type Flow } from './shelves.ts';

/**
 * Trips one after the other: each time the lane that gains most from where things stand, as long as it gains the minimum. What a lane could gain only falls as others take from its ends, so a lane is
 * looked at again only when it comes to the front (lazy evaluation: Minoux 1978). The start of a plan, and the plan where no solver ends in time.
 */
export function greedyTrips(found: readonly Candidate[], worths: Worths, rules: MoveRules): Flow[] {
  const shelves = new Shelves(worths);
  const queue = found.map((c) => ({ c, gain: c.most - c.lane.perTrip }));
  const flows: Flow[] = [];
  for (;;) {
    queue.sort((a, b) => b.gain - a.gain);
    const first = queue[0];
    if (!first || first.gain <= rules.minimumGain) return flows;
    const now = shelves.best(first.c);
    const gain = now.reduce((sum, f) => sum + f.gain, 0) - first.c.lane.perTrip;
    if (gain >= (queue[1]?.gain ?? -Infinity) - 1e-9) {
      queue.shift();
      if (gain <= rules.minimumGain) continue;
      shelves.take(now);
      flows.push(...now);
    } else first.gain = gain;
  }
}

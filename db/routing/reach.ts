import { Problem } from '../../domain/problem.ts';
import type { InstancePolicy } from '../../domain/routing/model.ts';
import type { Network } from '../network.ts';

/** Nearest first. Abroad is served by whoever says so. */
const ZONES = ['same_city', 'same_province', 'national'] as const;

/**
 * Whether a policy could route anything in the network as it is: some active location is of a kind that it ships from, and the rate cards of all carriers together have no hole, that is no zone without a
 * rate while a farther one has one. Throws Problem `unprocessable` that says how to mend it.
 */
export function checkReach(network: Network, policy: InstancePolicy): void {
  const active = [...network.locationById.values()].filter((l) => l.active);
  if (!active.some((l) => policy.kinds.includes(l.kind))) {
    throw new Problem('unprocessable', `no active location is a ${policy.kinds.join(' or a ')}: there are ${[...new Set(active.map((l) => l.kind))].sort().join(', ') || 'none at all'}; add the kind or the location`, '/policy/kinds');
  }
  const there = ZONES.map((zone) => network.rates.some((r) => r.zone === zone));
  const farthest = there.lastIndexOf(true);
  const hole = there.indexOf(false);
  if (farthest === -1) throw new Problem('unprocessable', 'no active carrier has a rate for any domestic zone: add rate cards first (PUT /v1/carriers/{code})');
  if (hole !== -1 && hole < farthest) {
    throw new Problem('unprocessable', `no active carrier has a rate for zone ${String(ZONES[hole])}, but one for ${String(ZONES[farthest])}: orders between would be held as unroutable; add the rate`);
  }
}

import { Problem } from '../../domain/problem.ts';
import { barred } from '../../domain/routing/eligibility.ts';
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
  policy.eligibility?.forEach((rule, i) => {
    for (const [name, known] of [['channels', network.channels], ['locations', network.locations]] as const) {
      const k = rule[name]?.findIndex((code) => !known.has(code)) ?? -1;
      if (k >= 0) throw new Problem('unprocessable', `there is no ${name.slice(0, -1)} "${rule[name]?.[k] ?? ''}"`, `/policy/eligibility/${i}/${name}/${k}`);
    }
  });
  const served = (channel: string): boolean => active.some((l) => policy.kinds.includes(l.kind) && barred(l, { channel }, policy) === null);
  const unserved = [...network.channels.values()].find((c) => c.active && !served(c.code));
  if (unserved) throw new Problem('unprocessable', `no active location may ship an order of channel "${unserved.code}" under these rules; widen them or switch the channel off`, '/policy/eligibility');
  const there = ZONES.map((zone) => network.rates.some((r) => r.zone === zone));
  const farthest = there.lastIndexOf(true);
  const hole = there.indexOf(false);
  if (farthest === -1) throw new Problem('unprocessable', 'no active carrier has a rate for any domestic zone: add rate cards first (PUT /v1/carriers/{code})');
  if (hole !== -1 && hole < farthest) {
    throw new Problem('unprocessable', `no active carrier has a rate for zone ${String(ZONES[hole])}, but one for ${String(ZONES[farthest])}: orders between would be held as unroutable; add the rate`);
  }
}

import { barred } from '../../domain/routing/eligibility.ts';
import type { InstancePolicy } from '../../domain/routing/model.ts';
import type { Network } from '../network.ts';
import type { Demand } from './sources.ts';

/** A try at an order: the locations that are looked at, nearest first. `awake`: only what those have now that are not paused; `careful`: hazardous and oversized goods only where they are taken. */
export type Attempt = { ids: readonly number[]; awake: boolean; careful: boolean };
type Ranking = { policy: InstancePolicy; attempts: Map<string, readonly (readonly Attempt[])[]> };

/** Kept as long as the ranking of a city is: it is made anew whenever the network is read. */
const rankings = new WeakMap<readonly number[], Ranking>();

/** The locations of a ranking that the policy in effect lets serve such orders; where dealers come after own locations they come last. The ranking itself where that changes nothing. */
function eligibleOf(order: Demand, network: Network, ranked: readonly number[], policy: InstancePolicy): readonly number[] {
  const orders = { channel: order.channel.code, way: order.pickup?.way ?? 'ship' as const };
  const may = ranked.filter((id) => { const l = network.locationById.get(id); return l !== undefined && policy.kinds.includes(l.kind) && barred(l, orders, policy) === null; });
  const isDealer = (id: number): boolean => network.locationById.get(id)?.kind === 'dealer';
  const sorted = policy.dealers === 'after_own' ? [...may.filter((id) => !isDealer(id)), ...may.filter(isDealer)] : may;
  return sorted.length === ranked.length && sorted.every((id, i) => id === ranked[i]) ? ranked : sorted;
}

/**
 * How the locations of a ranking are tried for an order, the first attempt that serves it whole being taken: by the policy in effect without the paused ones, then with them, then all of them: what nobody may
 * serve is captured all the same, without a date, and routing says why it cannot go. From memory, and as a rule one attempt.
 */
export function attemptsOf(order: Demand, network: Network, ranked: readonly number[]): readonly Attempt[] {
  const { policy } = network.policyAt(order.capturedAt);
  let ranking = rankings.get(ranked);
  if (ranking?.policy !== policy) rankings.set(ranked, (ranking = { policy, attempts: new Map() }));
  const key = order.pickup ? `${order.channel.code}|${order.pickup.way}` : order.channel.code;
  let known = ranking.attempts.get(key);
  if (!known) {
    const eligible = eligibleOf(order, network, ranked, policy);
    ranking.attempts.set(key, (known = [make(eligible, ranked, false, false), make(eligible, ranked, false, true), make(eligible, ranked, true, false), make(eligible, ranked, true, true)]));
  }
  return known[(network.anyPause ? 2 : 0) + (isDelicate(order, network) ? 1 : 0)] as readonly Attempt[];
}

function make(eligible: readonly number[], ranked: readonly number[], awake: boolean, careful: boolean): Attempt[] {
  const all = { ids: ranked, awake: false, careful: false };
  return [...(awake ? [{ ids: eligible, awake, careful }] : []), ...(eligible === ranked && !careful ? [] : [{ ids: eligible, awake: false, careful }]), all];
}

function isDelicate({ lines }: Demand, network: Network): boolean {
  for (let i = 0; i < lines.length; i++) {
    const id = lines[i]?.skuId;
    if (id != null && network.isDelicate(id)) return true;
  }
  return false;
}

/** Whether a location takes a SKU as it is. */
export function takes(network: Network, locationId: number, skuCode: string): boolean {
  const [sku, location] = [network.knownSku(skuCode), network.locationById.get(locationId)];
  return location !== undefined && !(sku?.hazardous && !location.takesHazardous) && !(sku?.oversized && !location.takesOversized);
}

import type { RoutingInstance } from '../routing/model.ts';

/** How an order's promise at risk changes what its routing weighs: at least so much for a day late, minor units; only these carriers' services, where any are named; locations that are too late. */
export type Hurry = { latenessPerDay: number; services?: string[]; exclude?: string[] };

/** The instance as a hurried order has it. */
export function hurried(instance: RoutingInstance, hurry: Hurry): RoutingInstance {
  const { services, exclude } = hurry;
  const weights = { ...instance.policy.weights, latenessPerDay: Math.max(instance.policy.weights.latenessPerDay, hurry.latenessPerDay) };
  return {
    ...instance,
    order: { ...instance.order, ...(exclude && exclude.length > 0 ? { excluded: [...new Set([...instance.order.excluded ?? [], ...exclude])].sort() } : {}) },
    rates: services ? instance.rates.filter((r) => services.includes(r.service ?? 'standard')) : instance.rates,
    policy: { ...instance.policy, weights },
  };
}

import type { RoutingInstance } from './model.ts';

/** What is weighed where the order hurries: a day late costs at least what the hurry says, and only its services go. The same instance where it does not hurry. */
export function urgent(instance: RoutingInstance): RoutingInstance {
  const { hurry, rates, policy } = instance;
  if (!hurry) return instance;
  const { services } = hurry;
  return {
    ...instance, rates: services ? rates.filter((r) => services.includes(r.service ?? 'standard')) : rates,
    policy: { ...policy, weights: { ...policy.weights, latenessPerDay: Math.max(policy.weights.latenessPerDay, hurry.latenessPerDay) } },
  };
}

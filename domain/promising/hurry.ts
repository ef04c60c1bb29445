import type { Hurry, RoutingInstance } from '../routing/model.ts';

export type { Hurry };

/** The instance as a hurried order has it: the policy stays what it is, what hurries stands beside it. */
export function hurried(instance: RoutingInstance, hurry: Hurry): RoutingInstance { return { ...instance, hurry }; }

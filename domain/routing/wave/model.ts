import type { InstanceLocation, InstanceOrder, InstancePlan, InstancePolicy, InstanceRate } from '../model.ts';

/** An order of a wave. `mergeKey`: orders with the same one may leave in one parcel (合单): same buyer, same address. */
export type WaveOrder = { id: string; order: InstanceOrder; mergeKey?: string };
/**
 * Many orders that want the same stock: a complete instance, like that of one order. Money in minor units. `unserved`: what a line costs that nobody gets, a base and per mille of its value: the solver weighs who goes
 * without by it. Stock and capacity are those of all orders together.
 */
export type WaveInstance = { orders: WaveOrder[]; locations: InstanceLocation[]; rates: InstanceRate[]; policy: InstancePolicy; unserved: { base: number; perMilleOfValue: number } };

/** What is done with an order, or with several in one: a plan for these of its lines; the others are unserved. Lines of merged orders are told apart by `members`. */
export type WavePlan = { orders: string[]; plan: InstancePlan; lines: { order: string; line: number; planned: number }[]; unserved: { order: string; line: number }[]; cost: number };
/**
 * `cost`: of all plans and of what is unserved. `bound`: no choice costs less, over all plans of each order (and of each merged group), not only over those that were looked at. `gap` = (cost − bound) ⁄ |cost|.
 * `oneByOne`: the cost of routing them in the order given, by the same model. `how`: `optimal` within the gap that was asked for, `time` when time was up, `fallback` when the solver failed: then it is one by one.
 */
export type WaveResult = { plans: WavePlan[]; cost: number; bound: number; gap: number; oneByOne: number; margin: number; merged: number; unservedLines: number; columns: number; rounds: number; how: 'optimal' | 'time' | 'fallback' };

/** A linear or integer program in LP format, solved. As runtime/highs.ts has it. */
export type Solve = (lp: string, options: { seconds: number; gap: number }) => Solved;
export type Solved = { optimal: boolean; feasible: boolean; objective: number; columns: ReadonlyMap<string, number>; duals: ReadonlyMap<string, number> };
/** `now`: ms of a clock that only goes forward. */
export type WaveTools = { solve: Solve; now: () => number; seconds: number; gap: number };

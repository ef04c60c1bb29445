import type { NegativeBinomial } from '../replenishment/negative-binomial.ts';

/** One SKU at one location of a category. Units are base units; money minor units. */
export type MoveSite = {
  sku: string; location: string;
  /** on hand, sellable, not reserved and above what the location keeps: what could leave */
  free: number;
  /** what it will have to sell from: on hand and not reserved + under way to it */
  position: number;
  /** demand until nothing can change it any more: the end of the season, or the next delivery */
  law: NegativeBinomial;
  /** margin that a unit sold earns here, over what it would fetch unsold */
  value: number;
};
/** A way between two locations. `perTrip`: what a transfer costs, however many units and SKUs it takes; `perUnit`: handling of a unit, both ends. */
export type MoveLane = { from: string; to: string; perTrip: number; perUnit: number };
export type MoveRules = {
  /** what a trip must gain at least over what it costs, minor units */
  minimumGain: number;
  /** most trips that are weighed at once; those with least to gain are left out */
  mostLanes: number;
};

/** Units of one SKU. `gained`: expected margin of the units at the receiver; `lost`: of the same units at the sender; chances that the first of them sells, there and here. */
export type Move = { sku: string; units: number; gained: number; lost: number; sellsThere: number; sellsHere: number };
/** A transfer: everything that goes from one location to another. `gain` = Σ gained − Σ lost − cost ≥ the minimum gain. */
export type Trip = { from: string; to: string; moves: Move[]; units: number; gained: number; lost: number; cost: number; gain: number };
/** `how`: proven best within the solver's gap, the best found in the time, or without a solver. `lanes`: weighed at once; `lanesLeftOut`: could have gained something, and were not. */
export type MovePlan = { trips: Trip[]; gain: number; how: 'optimal' | 'time' | 'greedy'; lanes: number; lanesLeftOut: number };

/** As runtime/highs.ts has it. */
export type Solve = (lp: string, options: { seconds: number; gap: number }) => { optimal: boolean; feasible: boolean; objective: number; columns: ReadonlyMap<string, number> };

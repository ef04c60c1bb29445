import type { InstancePlan, InstancePolicy } from '../routing/model.ts';
import { ratesFor } from '../routing/pickup.ts';
import { planOrder } from '../routing/plan.ts';
import { Figures } from './figures.ts';
import type { SimulationInput, SimulationResult } from './model.ts';
import { Shelves } from './shelves.ts';

type Event = { at: number; kind: 'arrival' | 'cancel' | 'order'; index: number };
/** At one moment: goods come first, then orders in the order of the record, then what cancelled ones give back. */
const RANK: Readonly<Record<Event['kind'], number>> = { arrival: 0, order: 1, cancel: 2 };

/**
 * Recorded orders replayed in time under a policy, each by the exact router (docs/routing.md) on what the earlier ones have left of stock and daily capacity. What cannot be served
 * when its order comes is a stock-out and is not served later; the rest of the order ships. The same input gives the same result to the byte.
 */
export class Simulation {
  readonly #input: SimulationInput;
  readonly #policy: InstancePolicy;
  readonly #shelves: Shelves;
  readonly #figures = new Figures();
  readonly #events: Event[];
  readonly #taken = new Map<string, InstancePlan['shipments']>();
  #next = 0;
  #orders = 0;

  constructor(input: SimulationInput, policy: InstancePolicy) {
    this.#input = input;
    this.#policy = policy;
    this.#shelves = new Shelves(input.locations, input.stock, policy.weights.opportunity > 0, policy.weights.slowCredit > 0, input.sharing);
    this.#events = [
      ...input.arrivals.map(({ at }, index): Event => ({ at, kind: 'arrival', index })),
      ...input.orders.map(({ at }, index): Event => ({ at, kind: 'order', index })),
      ...input.orders.flatMap(({ at, cancelledAt }, index): Event[] => (cancelledAt === undefined || cancelledAt < at ? [] : [{ at: cancelledAt, kind: 'cancel', index }])),
    ].sort((a, b) => a.at - b.at || RANK[a.kind] - RANK[b.kind] || a.index - b.index);
  }

  /** Orders simulated so far. */
  get orders(): number { return this.#orders; }

  /** Goes on by so many orders; false when there are no more. */
  run(orders: number): boolean {
    const until = this.#orders + orders;
    while (this.#next < this.#events.length) {
      if (this.#orders >= until) return true;
      this.#happen(this.#events[this.#next++] as Event);
    }
    return false;
  }

  result(): SimulationResult { return this.#figures.result(); }

  #happen({ at, kind, index }: Event): void {
    if (kind === 'arrival') return this.#shelves.arrive(this.#input.arrivals[index] as SimulationInput['arrivals'][number]);
    const recorded = this.#input.orders[index] as SimulationInput['orders'][number];
    if (kind === 'cancel') {
      for (const s of this.#taken.get(recorded.id) ?? []) this.#shelves.take(s.location, s.lines, recorded.at, -1, recorded.scheduledFrom ?? 0);
      this.#taken.delete(recorded.id);
      return;
    }
    const rates = ratesFor(recorded.order.way, this.#input.rates);
    const plan = planOrder({ order: recorded.order, locations: this.#shelves.candidates(recorded), rates, policy: this.#policy }, false);
    this.#figures.add(recorded.order, plan, (code) => this.#shelves.location(code), rates);
    for (const s of plan.shipments) this.#shelves.take(s.location, s.lines, at, 1, recorded.scheduledFrom ?? 0);
    if (recorded.cancelledAt !== undefined && recorded.cancelledAt >= at) this.#taken.set(recorded.id, plan.shipments);
    this.#orders++;
  }
}

import type { Journal } from '../shared/journal.ts';
import { STATUSES, type Order, type OrderFacts, type OrderState, type Status } from './order.ts';

const START: Omit<OrderState, 'since'> = {
  status: 'received', stage: 'accept', begun: null, reason: null, missing: null, held: null,
};

type OrderRecord =
  | { readonly k: 'intake'; readonly at: number; readonly facts: OrderFacts }
  | { readonly k: 'change'; readonly id: string; readonly patch: Partial<OrderState> }
  | { readonly k: 'finish'; readonly id: string; readonly status: Status };

export type Known = { readonly status: Status; readonly digest: string; readonly open: Order | undefined };

/** The orders of all locations: open ones whole, finished ones as a few bytes (status and digest of the intake). */
export class OrderStore {
  readonly #open = new Map<string, Order>();
  readonly #finished = new Map<string, string>();
  readonly #counts = new Map<Status, number>();
  #journal: Journal | undefined;
  readonly #left: (order: Order) => void;

  /** `left` is told of every order whose goods have left, also during replay. */
  constructor(left: (order: Order) => void = () => undefined) {
    this.#left = left;
  }

  /** From here on changes are written; before, during replay, they are not. */
  writeTo(journal: Journal): void {
    this.#journal = journal;
  }

  get(id: string): Known | undefined {
    const open = this.#open.get(id);
    if (open !== undefined) return { status: open.status, digest: open.digest, open };
    const finished = this.#finished.get(id);
    if (finished === undefined) return undefined;
    return { status: STATUSES[Number(finished[0])] as Status, digest: finished.slice(1), open: undefined };
  }

  /** Whether this very order still has something to do; an answer that comes later is for nobody. */
  isOpen(order: Order): boolean {
    return this.#open.get(order.id) === order;
  }

  open(): Iterable<Order> {
    return this.#open.values();
  }

  /** @param at ms since the epoch */
  add(facts: OrderFacts, at: number): Order {
    const order: Order = { ...facts, ...START, since: at };
    this.#open.set(order.id, order);
    this.#count(order.status, 1);
    this.#write({ k: 'intake', at, facts });
    return order;
  }

  change(order: Order, patch: Partial<OrderState>): void {
    this.#count(order.status, -1);
    Object.assign(order, patch);
    this.#count(order.status, 1);
    this.#write({ k: 'change', id: order.id, patch });
  }

  finish(order: Order, status: Status): void {
    this.#count(order.status, -1);
    this.#count(status, 1);
    this.#open.delete(order.id);
    if (status === 'handed_over') this.#left(order);
    this.#finished.set(order.id, `${STATUSES.indexOf(status)}${order.digest}`);
    this.#write({ k: 'finish', id: order.id, status });
  }

  /** Does again what a record says. Returns false for a record of another kind. */
  replay(record: { readonly k: string }): boolean {
    const known = record as OrderRecord;
    if (known.k === 'intake') {
      this.add(known.facts, known.at);
    } else if (known.k === 'change' || known.k === 'finish') {
      const order = this.#open.get(known.id);
      if (order === undefined) throw new Error(`the state file changes ${known.id}, which is not open`);
      if (known.k === 'change') this.change(order, known.patch);
      else this.finish(order, known.status);
    } else {
      return false;
    }
    return true;
  }

  /** How many orders stand where; statuses without an order are 0. */
  counts(): Record<Status, number> {
    const counts = STATUSES.map((status) => [status, this.#counts.get(status) ?? 0]);
    return Object.fromEntries(counts) as Record<Status, number>;
  }

  get openCount(): number {
    return this.#open.size;
  }

  #count(status: Status, by: number): void {
    this.#counts.set(status, (this.#counts.get(status) ?? 0) + by);
  }

  #write(record: OrderRecord): void {
    this.#journal?.append(record);
  }
}

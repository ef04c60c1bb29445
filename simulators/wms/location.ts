import { chance, spread } from '../shared/chance.ts';
import type { Answer, Caller } from '../shared/caller.ts';
import type { FaultInjector } from '../shared/faults.ts';
import type { Journal } from '../shared/journal.ts';
import type { TimerHeap } from '../shared/timer-heap.ts';
import { eventBody, eventId, parcelWeight, pickedLines } from './events.ts';
import type { EventType, Order, Stage, Status } from './order.ts';
import type { Decisions } from './rules.ts';
import type { OrderStore } from './store.ts';

export interface LocationDeps {
  readonly seed: string;
  readonly speed: number;
  readonly heap: TimerHeap;
  readonly store: OrderStore;
  readonly journal: Journal;
  readonly faults: FaultInjector;
  readonly decisions: Decisions;
  readonly tributary: Caller;
  readonly apiKey: (locationCode: string) => string | undefined;
  /** Where parcels of this carrier are handed over; undefined when nobody is told. */
  readonly carrier: (carrierCode: string | undefined) => Caller | undefined;
}

const MINUTE = 60_000;
/** How long each stage takes, in simulated time: an estimate of a working day in a warehouse, not a measurement. */
const DURATION: Record<Stage, readonly [number, number]> = {
  accept: [1.5 * MINUTE, 4.5 * MINUTE],
  pick: [5 * MINUTE, 25 * MINUTE],
  picked: [4 * MINUTE, 16 * MINUTE],
  pack: [3 * MINUTE, 12 * MINUTE],
  issue: [15 * MINUTE, 60 * MINUTE],
  pickup: [0, 0],
  silent: [0, 0],
};

/** What people in the location do with an order, stage after stage; the next stage begins when the event was answered. */
export class Location {
  readonly #deps: LocationDeps;

  constructor(deps: LocationDeps) {
    this.#deps = deps;
  }

  /** Plans the order's next stage; after a restart the time already waited counts. A stage that was begun goes on at once. */
  plan(order: Order): void {
    const { heap, seed, speed } = this.#deps;
    const [low, high] = DURATION[order.stage];
    let wait = spread(low, high, seed, order.stage, order.id);
    if (order.stage === 'pick' && order.scheduledFrom !== undefined) wait = Math.max(wait, order.scheduledFrom - order.since);
    const left = order.begun === null ? wait / speed - (Date.now() - order.since) : 0;
    heap.schedule(left, () => this.#run(order));
  }

  #run(order: Order): void {
    if (!this.#deps.store.isOpen(order)) return; // cancelled meanwhile
    switch (order.stage) {
      case 'accept': return this.#accept(order);
      case 'pick': return this.#advance(order, 'picked', 'picking');
      case 'picked': return this.#picked(order);
      case 'pack': return this.#pack(order);
      case 'issue': return this.#issue(order);
      case 'pickup': return this.#handOver(order);
      case 'silent': return;
    }
  }

  #accept(order: Order): void {
    const { store, decisions, faults } = this.#deps;
    if (order.begun === null) {
      const decision = decisions.onAccept(order);
      if (decision === 'silent' || faults.hits('silent', order.id)) return store.change(order, { stage: 'silent' });
      if (decision === 'accept') store.change(order, { status: 'accepted', begun: Date.now() });
      else store.change(order, { status: 'rejected', begun: Date.now(), reason: decision.reject });
    }
    if (order.status === 'rejected') this.#send(order, 'rejected', () => store.finish(order, 'rejected'));
    else this.#send(order, 'accepted', () => this.#advance(order, 'pick'));
  }

  #picked(order: Order): void {
    const { store, decisions } = this.#deps;
    if (order.begun === null) {
      const missing = decisions.onPick(order);
      store.change(order, { missing, begun: Date.now(), ...(missing.length > 0 && { status: 'short_picked' as const }) });
    }
    if (order.status !== 'short_picked') return this.#advance(order, 'pack');
    this.#send(order, 'short_picked', () => {
      if (pickedLines(order).length === 0) store.finish(order, 'short_picked');
      else this.#advance(order, 'pack');
    });
  }

  #pack(order: Order): void {
    if (order.begun === null) this.#deps.store.change(order, { status: 'packed', begun: Date.now() });
    this.#send(order, 'packed', () => this.#advance(order, 'issue'));
  }

  #issue(order: Order): void {
    if (order.begun === null) this.#deps.store.change(order, { begun: Date.now() });
    this.#send(order, 'goods_issue', (answer) => {
      if (allowsHandOver(answer)) this.#advance(order, 'pickup');
      else this.#deps.store.finish(order, 'cancelled-in-place');
    });
  }

  /** The carrier takes the parcel; a carrier that refuses it (cancelled waybill) leaves it here, packed. */
  #handOver(order: Order): void {
    const { store, journal, seed } = this.#deps;
    const { waybillNo } = order;
    const carrier = waybillNo === undefined ? undefined : this.#deps.carrier(order.carrier);
    if (waybillNo === undefined || carrier === undefined) return store.finish(order, 'handed_over');
    journal.after(() =>
      carrier.post({
        path: `/v1/waybills/${encodeURIComponent(waybillNo)}/pickup`,
        body: JSON.stringify({ weightG: parcelWeight(seed, order) }),
        webhookId: `msg_${order.id}.pickup`,
        done: (answer) => store.finish(order, answer.status < 300 ? 'handed_over' : 'packed'),
      }),
    );
  }

  #advance(order: Order, stage: Stage, status?: Status): void {
    this.#deps.store.change(order, { stage, since: Date.now(), begun: null, ...(status && { status }) });
    this.plan(order);
  }

  /** Sends the stage's event and goes on when it was answered, unless the order was cancelled meanwhile. */
  #send(order: Order, type: EventType, then: (answer: Answer) => void): void {
    const { faults, store, seed } = this.#deps;
    const at = order.begun ?? Date.now();
    const id = eventId(order, type);
    const mayWait = type === 'accepted' || type === 'packed' || (type === 'short_picked' && pickedLines(order).length > 0);
    if (mayWait && order.held === null && faults.hits('outOfOrder', id)) {
      store.change(order, { held: { type, at } });
      return then({ status: 200, body: undefined });
    }
    const duplicate = faults.hits('duplicate', id);
    const together = chance(seed, 'duplicate together', id) < 0.5;
    if (duplicate && together) this.#post(order, type, at, '.again');
    this.#post(order, type, at, '', (answer) => {
      if (duplicate && !together) this.#post(order, type, at, '.again');
      if (!store.isOpen(order)) return;
      const { held } = order;
      if (held === null) return then(answer);
      this.#post(order, held.type, held.at, '', () => {
        if (!store.isOpen(order)) return;
        store.change(order, { held: null });
        then(answer);
      });
    });
  }

  #post(order: Order, type: EventType, at: number, suffix: string, done: (answer: Answer) => void = () => undefined): void {
    const { journal, tributary, apiKey, seed } = this.#deps;
    const body = eventBody(seed, order, type, at);
    // What was told must be known after a restart, so it is written first.
    journal.after(() =>
      tributary.post({
        path: `/v1/partners/locations/${encodeURIComponent(order.locationCode)}/events`,
        body,
        webhookId: `msg_${eventId(order, type)}${suffix}`,
        apiKey: apiKey(order.locationCode),
        done,
      }),
    );
  }
}

/** Only these very words let the parcels leave; whatever else is answered keeps the goods. */
function allowsHandOver(answer: Answer): boolean {
  if (answer.status !== 200 || typeof answer.body !== 'object' || answer.body === null) return false;
  return 'handOver' in answer.body && answer.body.handOver === 'allowed';
}

import type { Caller } from '../shared/caller.ts';
import { chance, hash53 } from '../shared/chance.ts';
import type { FaultInjector } from '../shared/faults.ts';
import type { Journal } from '../shared/journal.ts';
import type { TimerHeap } from '../shared/timer-heap.ts';
import type { WaybillStore } from './store.ts';
import { eventAt, type Waybill } from './waybill.ts';

export interface PusherDeps {
  readonly seed: string;
  readonly carrierCode: string;
  readonly apiKey: string | undefined;
  readonly heap: TimerHeap;
  readonly journal: Journal;
  readonly faults: FaultInjector;
  readonly store: WaybillStore;
  readonly tributary: Caller;
  /** Real time in which events are gathered into one push. */
  readonly windowMs: number;
}

interface Queued {
  readonly waybill: Waybill;
  readonly index: number;
}

/** The protocol's limit of one push. */
const BATCH = 100;

/** Gathers tracking events into batches and pushes them until answered. A 4xx is final: the poll still shows the events. */
export class Pusher {
  readonly #deps: PusherDeps;
  #queue: Queued[] = [];
  #planned = false;

  constructor(deps: PusherDeps) {
    this.#deps = deps;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * Takes an event for the next push. The out-of-order fault keeps it back until the parcel's next event went first.
   * @param last no further event follows, so this one cannot wait for one
   */
  add(waybill: Waybill, index: number, last: boolean): void {
    const id = `${waybill.no}.${index + 1}`;
    if (!last && waybill.held === undefined && this.#deps.faults.hits('outOfOrder', id)) {
      waybill.held = index;
      return;
    }
    this.#enqueue(waybill, index);
    if (waybill.held !== undefined) {
      this.#enqueue(waybill, waybill.held);
      waybill.held = undefined;
    }
  }

  #enqueue(waybill: Waybill, index: number): void {
    this.#queue.push({ waybill, index });
    if (this.#queue.length >= BATCH) this.#flush();
    else if (!this.#planned) {
      this.#planned = true;
      this.#deps.heap.schedule(this.#deps.windowMs, () => {
        this.#planned = false;
        if (this.#queue.length > 0) this.#flush();
      });
    }
  }

  /** The duplicate fault repeats an event in the same push (if there is room) or in one of its own. */
  #flush(): void {
    const { faults, seed } = this.#deps;
    const batch = this.#queue;
    this.#queue = [];
    const again: Queued[] = [];
    for (const queued of [...batch]) {
      const id = `${queued.waybill.no}.${queued.index + 1}`;
      if (!faults.hits('duplicate', id)) continue;
      if (batch.length < BATCH && chance(seed, 'duplicate together', id) < 0.5) batch.push(queued);
      else again.push(queued);
    }
    this.#push(batch, '');
    if (again.length > 0) this.#push(again, '.again');
  }

  #push(batch: readonly Queued[], suffix: string): void {
    const { carrierCode, apiKey, journal, tributary, store } = this.#deps;
    const events = batch.map(({ waybill, index }) => eventAt(waybill, index));
    const ids = events.map((event) => event.eventId);
    journal.after(() =>
      tributary.post({
        path: `/v1/partners/carriers/${encodeURIComponent(carrierCode)}/tracking`,
        body: JSON.stringify({ events }),
        // Events never change, so the same ids are the same push.
        webhookId: `msg_${hash53('push', ...ids).toString(36)}${hash53('push too', ...ids).toString(36)}${suffix}`,
        apiKey,
        done: () => store.markPushed(batch.map(({ waybill, index }) => [waybill.no, index])),
      }),
    );
  }
}

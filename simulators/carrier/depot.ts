import type { FaultInjector } from '../shared/faults.ts';
import { HttpError } from '../shared/server.ts';
import type { TimerHeap } from '../shared/timer-heap.ts';
import { nextStep, type Mishaps } from './journey.ts';
import { quote } from './pricing.ts';
import type { Pusher } from './pusher.ts';
import type { WaybillStore } from './store.ts';
import { eventCount, timeAt, type InterceptAnswer, type Tracking, type Waybill, type WaybillRequest } from './waybill.ts';

export interface DepotDeps {
  readonly seed: string;
  readonly speed: number;
  readonly prefix: string;
  readonly mishaps: Mishaps;
  readonly heap: TimerHeap;
  readonly faults: FaultInjector;
  readonly store: WaybillStore;
  readonly pusher: Pusher;
}

/** What the carrier does: issue, take, move, turn round, deliver. */
export class Depot {
  readonly #deps: DepotDeps;

  constructor(deps: DepotDeps) {
    this.#deps = deps;
  }

  /** After a restart: pushes what was not answered, and lets every parcel travel on. */
  resume(): void {
    for (const waybill of this.#deps.store.all()) {
      const count = eventCount(waybill);
      const next = this.#next(waybill);
      for (let index = 0; index < count; index += 1) {
        if ((waybill.pushed & (1 << index)) === 0) this.#deps.pusher.add(waybill, index, index === count - 1 && !next);
      }
      if (count > 0) this.#plan(waybill);
    }
  }

  /** The same request gets the same waybill. */
  issue(request: WaybillRequest): { readonly waybill: Waybill; readonly isNew: boolean } {
    const { store, prefix, seed } = this.#deps;
    const before = store.forRequest(request.requestId);
    if (before !== undefined) return { waybill: before, isNew: false };
    const waybill = store.add({
      no: store.newNumber(prefix, seed, request.requestId),
      requestId: request.requestId,
      fromCity: request.from.city,
      toCity: request.to.city,
      ...quote(request),
    });
    return { waybill, isNew: true };
  }

  /** @throws {HttpError} 409 when the waybill is cancelled. A parcel that was taken before stays taken. */
  pickUp(waybill: Waybill): void {
    if (waybill.status === 'cancelled') throw new HttpError(409, 'waybill_cancelled', 'this waybill is cancelled');
    if (waybill.status === 'issued') this.#happen(waybill, 'picked_up');
  }

  cancel(waybill: Waybill): { readonly outcome: string; readonly reason?: string } {
    if (waybill.status === 'issued') this.#deps.store.cancel(waybill);
    return waybill.status === 'cancelled' ? { outcome: 'cancelled' } : { outcome: 'refused', reason: 'picked_up' };
  }

  /**
   * Before the parcel is picked up it turns round as soon as it is.
   * @throws {HttpError} 409 when there is no parcel to turn round: cancelled or lost.
   */
  intercept(waybill: Waybill, requestId: string): InterceptAnswer {
    if (waybill.intercept?.requestId === requestId) return waybill.intercept.answer;
    const answer = interceptAnswer(waybill);
    if (turnsRound(waybill)) return answer; // it is turning round already; the first request stays the one on record
    this.#deps.store.intercept(waybill, requestId, answer);
    if (answer.outcome === 'accepted' && eventCount(waybill) > 0) this.#plan(waybill);
    return answer;
  }

  #next(waybill: Waybill): ReturnType<typeof nextStep> {
    return nextStep(this.#deps.seed, this.#deps.mishaps, waybill);
  }

  #happen(waybill: Waybill, status: Tracking): void {
    const { store, faults, pusher } = this.#deps;
    const silent = faults.hits('silent', waybill.no);
    const index = store.event(waybill, status, Date.now(), silent);
    if (!silent) pusher.add(waybill, index, this.#next(waybill) === undefined);
    this.#plan(waybill);
  }

  #plan(waybill: Waybill): void {
    const step = this.#next(waybill);
    if (step === undefined) return;
    const { heap, speed } = this.#deps;
    const count = eventCount(waybill);
    const turning = turnsRound(waybill);
    const elapsed = Date.now() - timeAt(waybill, count - 1);
    heap.schedule(step.afterMs / speed - elapsed, () => {
      // An interception planned the way anew, or this step was taken already: this plan is void.
      if (eventCount(waybill) === count && turnsRound(waybill) === turning) this.#happen(waybill, step.status);
    });
  }
}

function turnsRound(waybill: Waybill): boolean {
  return waybill.intercept?.answer.outcome === 'accepted';
}

function interceptAnswer(waybill: Waybill): InterceptAnswer {
  switch (waybill.status) {
    case 'delivered':
    case 'out_for_delivery':
      return { outcome: 'refused', reason: waybill.status };
    case 'cancelled':
    case 'lost':
      throw new HttpError(409, `waybill_${waybill.status}`, `this waybill is ${waybill.status}`);
    default:
      return { outcome: 'accepted' };
  }
}

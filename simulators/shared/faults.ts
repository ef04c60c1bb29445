import { chance } from './chance.ts';
import type { TimerHeap } from './timer-heap.ts';

/** What `PUT /_control/faults` sets, replaced whole. Rates are 0–1; `slow.ms` is real time, not divided by the speed-up. */
export interface Faults {
  readonly slow?: { readonly rate: number; readonly ms: number };
  readonly error500?: { readonly rate: number };
  readonly duplicate?: { readonly rate: number };
  readonly outOfOrder?: { readonly rate: number };
  readonly silent?: { readonly rate: number };
}

const rate = { type: 'number', minimum: 0, maximum: 1 } as const;
const onlyRate = { type: 'object', required: ['rate'], additionalProperties: false, properties: { rate } } as const;

export const faultsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    slow: {
      type: 'object', required: ['rate', 'ms'], additionalProperties: false,
      properties: { rate, ms: { type: 'integer', minimum: 0, maximum: 600_000 } },
    },
    error500: onlyRate, duplicate: onlyRate, outOfOrder: onlyRate, silent: onlyRate,
  },
} as const;

/** Attempts remembered per call, so that a repeated call is rolled anew and gets through in the end. */
const REMEMBERED = 100_000;

/** Answered as 500: the fault asked for it. */
export class InjectedError extends Error {
  readonly statusCode = 500;
  readonly code = 'injected_fault';
}

/** The faults in force, and the dice (hashes) that decide whom they hit. */
export class FaultInjector {
  #faults: Faults = {};
  readonly #attempts = new Map<string, number>();
  readonly #seed: string;
  readonly #heap: TimerHeap;

  constructor(seed: string, heap: TimerHeap) {
    this.#seed = seed;
    this.#heap = heap;
  }

  replace(faults: Faults): void {
    this.#faults = faults;
    this.#attempts.clear();
  }

  /** Whether the fault hits this id: the same id gives the same answer as long as the rate stands. */
  hits(kind: 'duplicate' | 'outOfOrder' | 'silent', id: string): boolean {
    return chance(this.#seed, kind, id) < (this.#faults[kind]?.rate ?? 0);
  }

  /**
   * Does the work of an incoming call, perhaps late, perhaps answering 500. Half of the faults strike before the work is
   * committed and half after it: then the work is done and only the answer is late or lost.
   * @param key names the call by its business id, e.g. `cancel fo_1`.
   * @throws {InjectedError}
   */
  async incoming<T>(key: string, work: () => T | Promise<T>): Promise<T> {
    const { slow, error500 } = this.#faults;
    if (slow === undefined && error500 === undefined) return work();
    const attempt = this.#count(key);
    const roll = (name: string): number => chance(this.#seed, name, key, attempt);
    const pause = slow !== undefined && roll('slow') < slow.rate ? slow.ms : undefined;
    const fail = error500 !== undefined && roll('error500') < error500.rate;
    if (pause !== undefined && roll('slow first') < 0.5) await this.#wait(pause);
    if (fail && roll('error first') < 0.5) throw new InjectedError('injected before the work was done');
    const result = await work();
    if (pause !== undefined && roll('slow first') >= 0.5) await this.#wait(pause);
    if (fail) throw new InjectedError('injected after the work was done');
    return result;
  }

  #count(key: string): number {
    const attempt = this.#attempts.get(key) ?? 0;
    this.#attempts.delete(key);
    this.#attempts.set(key, attempt + 1);
    if (this.#attempts.size > REMEMBERED) {
      const oldest = this.#attempts.keys().next();
      if (!oldest.done) this.#attempts.delete(oldest.value);
    }
    return attempt;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#heap.schedule(ms, resolve));
  }
}

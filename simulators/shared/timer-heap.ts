/** Timers closer together than this fire together: one wake-up for many orders. */
const TICK_MS = 5;
/** Due entries run per turn of the event loop; requests are served in between. */
const SLICE = 256;
/** Node's timers take 2^31-1 ms at most; a longer wait is simply looked at again. */
const LONGEST_MS = 2 ** 30;

/**
 * A binary heap of due times behind one single `setTimeout`, however many entries wait.
 * Entries due at the same moment run in the order they were added.
 */
export class TimerHeap {
  readonly #due: number[] = [];
  readonly #order: number[] = [];
  readonly #run: (() => void)[] = [];
  #sequence = 0;
  #timer: NodeJS.Timeout | undefined;
  #wakeAt = Infinity;
  #draining = false;
  #closed = false;

  get size(): number {
    return this.#due.length;
  }

  /** Runs `action` after `delayMs` of real time (never in this turn of the event loop). Ignored after `close`. */
  schedule(delayMs: number, action: () => void): void {
    if (this.#closed) return;
    this.#push(performance.now() + Math.max(0, delayMs), action);
    this.#arm();
  }

  /** Forgets everything that waits. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#due.length = this.#order.length = this.#run.length = 0;
  }

  #arm(): void {
    const next = this.#due[0];
    if (next === undefined || this.#draining || this.#closed) return;
    const now = performance.now();
    const wakeAt = Math.max(next, now + TICK_MS);
    // A timer that fires early enough stays: rearming for every new entry would cost more than one idle wake-up.
    if (this.#timer !== undefined && this.#wakeAt <= wakeAt) return;
    clearTimeout(this.#timer);
    this.#wakeAt = wakeAt;
    this.#timer = setTimeout(() => this.#drain(), Math.min(LONGEST_MS, Math.ceil(wakeAt - now)));
  }

  #drain(): void {
    this.#timer = undefined;
    this.#wakeAt = Infinity;
    this.#draining = true;
    const now = performance.now();
    try {
      for (let done = 0; done < SLICE && !this.#closed; done += 1) {
        const next = this.#due[0];
        if (next === undefined || next > now) break;
        this.#pop()();
      }
    } finally {
      this.#draining = false;
      const next = this.#due[0];
      if (next !== undefined && next <= now && !this.#closed) setImmediate(() => this.#drain());
      else this.#arm();
    }
  }

  #push(due: number, action: () => void): void {
    const sequence = this.#sequence++;
    let at = this.#due.length;
    this.#due.push(due);
    this.#order.push(sequence);
    this.#run.push(action);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#before(parent, at)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #pop(): () => void {
    const last = this.#due.length - 1;
    this.#swap(0, last);
    this.#due.pop();
    this.#order.pop();
    const action = this.#run.pop() as () => void;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= last) break;
      const right = left + 1;
      const child = right < last && this.#before(right, left) ? right : left;
      if (this.#before(at, child)) break;
      this.#swap(at, child);
      at = child;
    }
    return action;
  }

  #before(a: number, b: number): boolean {
    const x = this.#due[a] as number;
    const y = this.#due[b] as number;
    return x < y || (x === y && (this.#order[a] as number) < (this.#order[b] as number));
  }

  #swap(a: number, b: number): void {
    swap(this.#due, a, b);
    swap(this.#order, a, b);
    swap(this.#run, a, b);
  }
}

function swap<T>(list: T[], a: number, b: number): void {
  const kept = list[a] as T;
  list[a] = list[b] as T;
  list[b] = kept;
}

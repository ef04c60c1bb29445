import { setTimeout as delay } from 'node:timers/promises';

type Rate = { perSecond: number; burst: number };
type Bucket = Rate & { tokens: number; at: number; pausedUntil: number; turn: Promise<unknown> };

/** The limits that shops of one app share, in this process; a family without one is not waited for. */
export class AppLimiters {
  readonly #known = new Map<string, Limiter>();

  of(platform: string, app: string, rates: Readonly<Record<string, Rate>>): Limiter {
    const key = `${platform}:${app}`;
    let limiter = this.#known.get(key);
    if (!limiter) this.#known.set(key, (limiter = new Limiter({ '*': { perSecond: Number.MAX_SAFE_INTEGER, burst: Number.MAX_SAFE_INTEGER }, ...rates })));
    return limiter;
  }
}

/**
 * The rate limits of one shop, a bucket per method family: a call waits until there is room, in the order of asking. One process works for a shop at a time, so that its buckets are
 * the shop's.
 */
export class Limiter {
  readonly #rates: Readonly<Record<string, Rate>>;
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => number;

  constructor(rates: Readonly<Record<string, Rate>>, now: () => number = () => performance.now()) {
    this.#rates = rates;
    this.#now = now;
  }

  #bucket(family: string): Bucket {
    let bucket = this.#buckets.get(family);
    if (!bucket) {
      const rate = this.#rates[family] ?? this.#rates['*'] ?? { perSecond: 10, burst: 10 };
      this.#buckets.set(family, (bucket = { ...rate, tokens: rate.burst, at: this.#now(), pausedUntil: 0, turn: Promise.resolve() }));
    }
    return bucket;
  }

  /** Waits for a turn of the family. Where it is paused for longer than `mostMs` nobody waits: gives the pause that is left, ms; else 0, and the turn is taken. */
  async take(family: string, mostMs = Infinity): Promise<number> {
    const bucket = this.#bucket(family);
    const turn = bucket.turn.then(() => this.#wait(bucket, mostMs));
    bucket.turn = turn;
    return turn;
  }

  /** The platform wants a pause. */
  pause(family: string, ms: number): void {
    const bucket = this.#bucket(family);
    bucket.pausedUntil = Math.max(bucket.pausedUntil, this.#now() + ms);
    bucket.tokens = 0;
  }

  async #wait(bucket: Bucket, mostMs: number): Promise<number> {
    for (;;) {
      const now = this.#now();
      if (bucket.pausedUntil - now > mostMs) return bucket.pausedUntil - now;
      bucket.tokens = Math.min(bucket.burst, bucket.tokens + ((now - bucket.at) / 1000) * bucket.perSecond);
      bucket.at = now;
      const wait = Math.max(bucket.pausedUntil - now, bucket.tokens >= 1 ? 0 : ((1 - bucket.tokens) / bucket.perSecond) * 1000);
      if (wait <= 0) break;
      await delay(Math.max(1, wait));
    }
    bucket.tokens -= 1;
    return 0;
  }
}

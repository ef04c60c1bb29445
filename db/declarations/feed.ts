import type pg from 'pg';
import { fingerprint, readBurnDown, type BurnDown } from './burn-down.ts';

export type BurnDownListener = (burnDown: BurnDown) => void;
type Session = { id: string; allotmentId: number };
type Channel = { session: Session; listeners: Set<BurnDownListener>; print: string; last: BurnDown | null; readAt: number; timer: NodeJS.Timeout | null };

const POLL_MS = 300;
/** What changes without a level (a return, a shortage given up) is seen after this time at the latest. */
const ANYWAY_MS = 5_000;
/** Reading the figures may take up this share of the time at most: sessions with very many orders are told a little less often. */
const SHARE = 0.1;

/**
 * Tells listeners the burn-down of their session: at once and after each change. One reading per session serves all its listeners in the process, and nothing is
 * read while nobody listens. A failed reading is told to `onError` and tried again.
 */
export class BurnDownFeed {
  readonly #pool: pg.Pool;
  readonly #clock: () => Date;
  readonly #onError: (error: Error) => void;
  readonly #channels = new Map<string, Channel>();
  #listeners = 0;
  #closed = false;

  constructor(pool: pg.Pool, clock: () => Date, onError: (error: Error) => void) {
    this.#pool = pool;
    this.#clock = clock;
    this.#onError = onError;
  }

  get listeners(): number { return this.#listeners; }

  /** Returns the way to leave. The first burn-down comes as soon as it has been read. */
  listen(session: Session, listener: BurnDownListener): () => void {
    let channel = this.#channels.get(session.id);
    if (!channel) {
      channel = { session, listeners: new Set(), print: '', last: null, readAt: 0, timer: null };
      this.#channels.set(session.id, channel);
      this.#poll(channel);
    } else if (channel.last) listener(channel.last);
    const joined = channel;
    joined.listeners.add(listener);
    this.#listeners++;
    return () => {
      if (!joined.listeners.delete(listener)) return;
      this.#listeners--;
      if (joined.listeners.size > 0 || this.#channels.get(session.id) !== joined) return;
      this.#channels.delete(session.id);
      if (joined.timer) clearTimeout(joined.timer);
    };
  }

  close(): void {
    this.#closed = true;
    for (const { timer } of this.#channels.values()) if (timer) clearTimeout(timer);
    this.#channels.clear();
    this.#listeners = 0;
  }

  #poll(channel: Channel): void {
    this.#read(channel)
      .catch((error: Error) => { this.#onError(error); return POLL_MS; })
      .then((wait) => {
        if (!this.#closed && channel.listeners.size > 0) channel.timer = setTimeout(() => { this.#poll(channel); }, wait);
      }, this.#onError);
  }

  /** Returns how long to wait before the next reading, ms. */
  async #read(channel: Channel): Promise<number> {
    // First the fingerprint: a change between the two readings is then told again, never missed.
    const print = await fingerprint(this.#pool, channel.session.id, channel.session.allotmentId);
    if (print === channel.print && performance.now() - channel.readAt < ANYWAY_MS) return POLL_MS;
    const begin = performance.now();
    const burnDown = await readBurnDown(this.#pool, channel.session, this.#clock());
    const took = performance.now() - begin;
    const news = !channel.last || channel.last.status !== burnDown.status || JSON.stringify(channel.last.lines) !== JSON.stringify(burnDown.lines);
    channel.print = print;
    channel.readAt = performance.now();
    if (news) {
      channel.last = burnDown;
      for (const listener of [...channel.listeners]) listener(burnDown);
    }
    return Math.max(POLL_MS, took / SHARE);
  }
}

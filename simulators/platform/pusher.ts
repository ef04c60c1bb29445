import type { BadPush, Platform, Protocol, PushRequest } from './protocol.ts';
import type { ShopEvent } from './order.ts';
import type { StreamServer } from './stream-server.ts';

export type PushRecord = { eventIds: string[]; tries: number; status: number; body: string; acknowledged: boolean; at: number };

/** Delivers a shop's events as its platform does: at least once, in no sure order, again on the platform's clock (divided by `speed`) until they are acknowledged. */
export class Pusher {
  readonly records: PushRecord[] = [];
  readonly #platform: Platform;
  readonly #protocol: Protocol;
  readonly #speed: number;
  /** where pushes go over a stream; `hookUrl` is then unused */
  stream: StreamServer | null = null;
  hookUrl: string;
  #waiting: ShopEvent[] = [];
  readonly sent: ShopEvent[] = [];
  readonly #untold = new Map<string, ShopEvent>();
  #timer: NodeJS.Timeout | null = null;
  readonly #timers = new Set<NodeJS.Timeout>();
  #closed = false;
  #running = 0;
  /** the address did not answer its heartbeat, or failed too often in a row */
  paused = false;
  #failed = 0;

  constructor(platform: Platform, protocol: Protocol, hookUrl: string, speed: number) {
    this.#platform = platform;
    this.#protocol = protocol;
    this.hookUrl = hookUrl;
    this.#speed = speed;
    platform.shop.listeners.push((event) => { this.add(event); });
  }

  /** pushes that are under way or wait for their next try */
  get open(): number { return this.#waiting.length + this.#timers.size + this.#running; }

  /** events that nobody has acknowledged, and that it has not given up */
  get untold(): ShopEvent[] { return [...this.#untold.values()]; }

  add(event: ShopEvent): void {
    this.#untold.set(event.id, event);
    this.#waiting.push(event);
    this.#timer ??= setTimeout(() => { this.flush(); }, 5);
  }

  flush(): void {
    this.#timer = null;
    const { faults } = this.#platform;
    const { enqueue } = this.#protocol;
    if (faults.holdPushes || this.#closed) return;
    if (this.hookUrl === '' && !enqueue && !this.stream) {
      // What the platform never pushes waits for no address.
      const never = new Set(this.#waiting.filter((event) => this.#protocol.push([event], this.#platform, {}) === null));
      this.#waiting = this.#waiting.filter((event) => !never.has(event));
      return this.#over([...never]);
    }
    const events = this.#waiting.splice(0);
    this.sent.push(...events);
    if (faults.dropPushes || this.paused) return this.#over(events);
    let list = Array.from({ length: faults.copies }, () => events).flat();
    if (faults.shuffle) list = list.reverse();
    if (enqueue) {
      enqueue.call(this.#protocol, list, this.#platform);
      return;
    }
    for (let i = 0; i < list.length; i += this.#protocol.batch) {
      const part = list.slice(i, i + this.#protocol.batch);
      const request = this.#protocol.push(part, this.#platform, {});
      if (request) void this.#deliver(request, part, 0);
      else this.#over(part);
    }
  }

  #over(events: readonly ShopEvent[]): void { for (const { id } of events) this.#untold.delete(id); }

  /** Sends everything that was ever sent once more, signed anew, in reverse. Resolves when all are answered. */
  async again(): Promise<void> {
    if (this.#protocol.enqueue) {
      this.#protocol.enqueue([...this.sent].reverse(), this.#platform);
      return;
    }
    await Promise.all([...this.sent].reverse().map(async (event) => {
      const request = this.#protocol.push([event], this.#platform, {});
      if (request) await this.#deliver(request, [event], 0);
    }));
  }

  /** Sends the last event in a way that must not be believed; gives what was answered. */
  async bad(how: BadPush): Promise<{ status: number; body: string; acknowledged: boolean }> {
    const last = this.sent.at(-1);
    const request = last && this.#protocol.push([last], this.#platform, how === 'stale' ? { bad: how, at: this.#platform.clock() - 21_600_000 } : { bad: how });
    if (!request || !last) throw new Error('nothing has been pushed yet');
    const answer = this.#send(request);
    if (this.stream) {
      // A message that is not believed is never answered: once a good one behind it is, nobody waits for it any more.
      const good = this.#protocol.push([last], this.#platform, {});
      if (good) await this.#send(good);
      this.stream.giveUp(request.id ?? '');
    }
    const { status, body } = await answer;
    return { status, body, acknowledged: this.#protocol.acknowledged(status, body) };
  }

  async probe(): Promise<{ status: number; body: string; good: boolean } | null> {
    const probe = this.#protocol.probe?.(this.#platform);
    if (!probe) return null;
    const { status, body } = await this.#send(probe.request);
    let good = false;
    try {
      good = probe.good(status, body);
    } catch { /* no answer in any form it knows */ }
    return { status, body, good };
  }

  /** Asks whether the address is there; where the platform pauses for one that is not, nothing is pushed until it is. */
  async heartbeat(): Promise<boolean> {
    const good = (await this.probe())?.good ?? true;
    if (this.#protocol.pauses === true) this.paused = !good;
    return good;
  }

  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  async #deliver(request: PushRequest, events: readonly ShopEvent[], tries: number): Promise<void> {
    this.#running++;
    const began = performance.now();
    const { status, body } = await this.#send(request).finally(() => { this.#running--; });
    const acknowledged = performance.now() - began <= this.#protocol.deadlineMs && this.#protocol.acknowledged(status, body);
    this.records.push({ eventIds: events.map((e) => e.id), tries: tries + 1, status, body: body.slice(0, 500), acknowledged, at: performance.now() - began });
    this.#failed = acknowledged ? 0 : this.#failed + 1;
    if (this.#failed >= (this.#protocol.disabledAfter ?? Number.MAX_SAFE_INTEGER)) this.paused = true;
    const wait = this.#protocol.retries[tries];
    if (acknowledged || wait === undefined) this.#over(events);
    if (acknowledged || wait === undefined || this.#closed) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.#deliver((this.#protocol.signsTries === true ? this.#protocol.push(events, this.#platform, {}) : null) ?? request, events, tries + 1);
    }, wait / this.#speed);
    this.#timers.add(timer);
  }

  async #send({ id, method, query, headers, body }: PushRequest): Promise<{ status: number; body: string }> {
    if (this.stream) return this.stream.send(id ?? '', body, this.#protocol.deadlineMs);
    try {
      const url = query === '' ? this.hookUrl : `${this.hookUrl}${this.hookUrl.includes('?') ? '&' : '?'}${query}`;
      const response = await fetch(url, { method, headers, redirect: 'manual', signal: AbortSignal.timeout(this.#protocol.deadlineMs * 2), ...(method === 'POST' ? { body } : {}) });
      return { status: response.status, body: await response.text() };
    } catch (error) {
      return { status: 0, body: error instanceof Error ? error.name : 'error' };
    }
  }
}

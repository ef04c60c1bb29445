import type { CourierEvent } from './courier.ts';
import type { BadPush, CourierHost, CourierProtocol, PushRequest } from './protocol.ts';

export type PushRecord = { eventIds: string[]; tries: number; status: number; body: string; acknowledged: boolean };

/** Delivers events as their carrier does: at least once, in no sure order, the whole batch again (its clock divided by `speed`) until it is acknowledged in the carrier's exact words. */
export class CourierPusher {
  readonly records: PushRecord[] = [];
  readonly sent: CourierEvent[] = [];
  hookUrl: string;
  readonly #host: CourierHost;
  readonly #protocol: CourierProtocol;
  readonly #speed: number;
  #waiting: CourierEvent[] = [];
  #timer: NodeJS.Timeout | null = null;
  readonly #timers = new Set<NodeJS.Timeout>();
  #running = 0;
  #closed = false;

  constructor(host: CourierHost, protocol: CourierProtocol, hookUrl: string, speed: number) {
    this.#host = host;
    this.#protocol = protocol;
    this.hookUrl = hookUrl;
    this.#speed = speed;
    host.courier.listeners.push((event) => {
      this.#waiting.push(event);
      this.#timer ??= setTimeout(() => { this.flush(); }, 5);
    });
  }

  /** pushes that are under way or wait for their next try */
  get open(): number { return this.#waiting.length + this.#timers.size + this.#running; }

  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#closed || this.hookUrl === '') return;
    const events = this.#waiting.splice(0);
    this.sent.push(...events);
    const { faults } = this.#host;
    if (faults.dropPushes) return;
    let list = Array.from({ length: faults.copies }, () => events).flat();
    if (faults.shuffle) list = list.reverse();
    for (const [request, ids] of this.#batches(list)) void this.#deliver(request, ids, 0);
  }

  #batches(list: readonly CourierEvent[]): [PushRequest, string[]][] {
    return Array.from({ length: Math.ceil(list.length / this.#protocol.batch) }, (_, i) => list.slice(i * this.#protocol.batch, (i + 1) * this.#protocol.batch)).flatMap((part) => {
      const request = this.#protocol.push(part, this.#host, {});
      return request ? [[request, part.map((e) => e.id)] satisfies [PushRequest, string[]]] : [];
    });
  }

  /** Sends everything that was ever sent once more, signed anew, in reverse. Resolves when all are answered. */
  async again(): Promise<void> {
    for (const [request, ids] of this.#batches([...this.sent].reverse())) await this.#deliver(request, ids, 0);
  }

  /** Sends the last event in a way that must not be believed; gives what was answered. */
  async bad(how: BadPush): Promise<{ status: number; body: string; acknowledged: boolean }> {
    const last = this.sent.at(-1);
    const request = last && this.#protocol.push([last], this.#host, how === 'stale' ? { bad: how, at: this.#host.clock() - 3_600_000 } : { bad: how });
    if (!request) throw new Error('nothing has been pushed yet');
    const { status, body } = await this.#send(request);
    return { status, body, acknowledged: this.#protocol.acknowledged(status, body) };
  }

  /** Nothing was ever sent, and nothing waits for another try. */
  forget(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.sent.length = 0;
    this.records.length = 0;
  }

  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  async #deliver(request: PushRequest, eventIds: string[], tries: number): Promise<void> {
    this.#running++;
    const { status, body } = await this.#send(request).finally(() => { this.#running--; });
    const acknowledged = this.#protocol.acknowledged(status, body);
    this.records.push({ eventIds, tries: tries + 1, status, body: body.slice(0, 500), acknowledged });
    const wait = this.#protocol.retries[tries];
    if (acknowledged || wait === undefined || this.#closed) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.#deliver(request, eventIds, tries + 1);
    }, wait / this.#speed);
    this.#timers.add(timer);
  }

  async #send({ headers, body }: PushRequest): Promise<{ status: number; body: string }> {
    try {
      const response = await fetch(this.hookUrl, { method: 'POST', headers, body, redirect: 'manual', signal: AbortSignal.timeout(this.#protocol.deadlineMs * 2) });
      return { status: response.status, body: await response.text() };
    } catch (error) {
      return { status: 0, body: error instanceof Error ? error.name : 'error' };
    }
  }
}

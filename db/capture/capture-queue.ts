import type pg from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import { Problem } from '../../domain/problem.ts';
import { errorCode, isRetryable, isUnreachable, type StockWriter } from '../stock-writer.ts';
import { captureOrders, type CaptureDeps } from './capture-orders.ts';
import type { CaptureOutcome } from './outcome.ts';
import type { PreparedOrder } from './prepare.ts';

type Entry = { order: PreparedOrder; resolve: (outcome: CaptureOutcome) => void; reject: (error: unknown) => void };

const DEADLOCK_ATTEMPTS = 8;
/** While one batch is at the disk the next is gathered and written; more at once would only wait for each other's levels. */
const WRITERS = 2;
const READ_BACK_MS = 10_000;
const PACE_OVER = 10;

/**
 * Group commit: captures that arrive while a batch is being written share the next one. Nothing is acknowledged before its
 * COMMIT is known. A data error is bisected until the culprit stands alone; deadlocks are tried again; when the answer to a COMMIT is
 * lost, the orders' ids are looked up.
 */
export class CaptureQueue {
  #queue: Entry[] = [];
  readonly #writers = new Set<Promise<void>>();
  readonly #writer: StockWriter;
  readonly #deps: CaptureDeps;
  readonly #size: number;
  readonly #limit: number;
  /** how long a batch takes, ms, smoothed over the last ten or so */
  #batchMs = 0;

  /** `size`: the most orders a transaction; `limit`: the most that may wait, beyond it the caller is told to come again. */
  constructor(writer: StockWriter, deps: CaptureDeps, size = 200, limit = 20_000) {
    this.#writer = writer;
    this.#deps = deps;
    this.#size = size;
    this.#limit = limit;
  }

  /** How long an order that comes now will wait for its turn, ms: the batches before it, at the pace of late. */
  get waitMs(): number { return (Math.floor(this.#queue.length / this.#size) * this.#batchMs) / WRITERS; }

  submit(order: PreparedOrder): Promise<CaptureOutcome> {
    if (this.#queue.length >= this.#limit) {
      return Promise.reject(new Problem('overloaded', 'more orders wait than can be written in time; send again after a second', null, { retryAfter: 1 }));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ order, resolve, reject });
      this.#kick();
    });
  }

  /** Waits until everything that was submitted has its answer. */
  async close(): Promise<void> { while (this.#writers.size > 0) await Promise.all(this.#writers); }

  /** Starts a writer in the next turn of the loop, so that what arrives together shares the transaction. */
  #kick(): void {
    if (this.#writers.size >= WRITERS) return;
    const writer: Promise<void> = new Promise<void>((resolve) => { setImmediate(resolve); }).then(() => this.#drain()).finally(() => {
      this.#writers.delete(writer);
      // Whoever submitted after the last look at the queue saw a writer that was already at its end.
      if (this.#queue.length > 0) this.#kick();
    });
    this.#writers.add(writer);
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#take();
      const began = performance.now();
      await this.#commit(batch, 1);
      if (batch.length > 0) this.#batchMs += (performance.now() - began - this.#batchMs) / PACE_OVER;
    }
  }

  /** The next batch: one entry a key. The same order twice shares the first one's answer; what claims a key of its own, or has another body, waits for the next batch. */
  #take(): Entry[] {
    const batch: Entry[] = [];
    const later: Entry[] = [];
    const leaders = new Map<string, { order: PreparedOrder; outcome: Promise<CaptureOutcome> }>();
    let i = 0;
    for (; i < this.#queue.length && batch.length < this.#size; i++) {
      const entry = this.#queue[i] as Entry;
      const { order } = entry;
      const byId = `o|${order.channel.id}|${order.intake.externalId}`;
      const byKey = order.idempotency ? `k|${order.idempotency.apiKeyId}|${order.idempotency.key}` : null;
      const sameId = leaders.get(byId);
      const sameKey = byKey === null ? undefined : leaders.get(byKey);
      const leader = sameKey ?? sameId;
      if (leader) {
        if (leader.order.bodyHash.equals(order.bodyHash) && (byKey === null || sameKey)) share(leader.outcome).then(entry.resolve, entry.reject);
        else later.push(entry);
        continue;
      }
      const { resolve, reject } = entry;
      const outcome = new Promise<CaptureOutcome>((ok, no) => {
        entry.resolve = (value) => { ok(value); resolve(value); };
        entry.reject = (error) => { no(error as Error); reject(error); };
      });
      outcome.catch(() => undefined); // the submitter gets the error; without followers nobody else asks
      leaders.set(byId, { order, outcome });
      if (byKey) leaders.set(byKey, { order, outcome });
      batch.push(entry);
    }
    this.#queue.splice(0, i, ...later);
    return batch;
  }

  async #commit(batch: Entry[], attempt: number): Promise<void> {
    if (batch.length === 0) return;
    let client: pg.PoolClient;
    try {
      client = await this.#writer.pool.connect();
    } catch (error) {
      return this.#failAll(batch, error);
    }
    let broken: Error | undefined;
    let committing = false;
    let result: Awaited<ReturnType<typeof captureOrders>> | null = null;
    try {
      [, result] = await Promise.all([client.query('begin'), captureOrders(client, batch.map((e) => e.order), this.#deps)]);
      committing = true;
      // In this order: when a statement has failed, its error is the one that is thrown, and the COMMIT was a rollback.
      await Promise.all([result.written, client.query('commit')]);
    } catch (error) {
      broken = error as Error;
      const lost = isUnreachable(error);
      if (!lost) await client.query('rollback').catch((e: Error) => { broken = e; });
      client.release(lost || broken !== error ? broken : undefined);
      if (committing && result && lost) return this.#readBack(batch, result, attempt, error);
      return this.#recover(batch, attempt, error);
    }
    client.release();
    void this.#writer.publish(result.touched); // known levels all, so there is nothing to wait for
    this.#deps.vault.remember(result.identities.map((i) => i.hash), result.identities.map((i) => i.person));
    batch.forEach((entry, i) => { entry.resolve((result as NonNullable<typeof result>).outcomes[i] as CaptureOutcome); });
  }

  async #recover(batch: Entry[], attempt: number, error: unknown): Promise<void> {
    if (isRetryable(error) && attempt < DEADLOCK_ATTEMPTS) {
      await delay(Math.random() * 5 * 2 ** attempt);
      return this.#commit(batch, attempt + 1);
    }
    // Class 22 and 23, and what our own code throws: some order cannot be written. Halves find it; the others go on.
    const code = errorCode(error) ?? '';
    if (batch.length > 1 && !isUnreachable(error) && (/^2[23]/.test(code) || !/^[0-9A-Z]{5}$/.test(code))) {
      const half = batch.length >> 1;
      await this.#commit(batch.slice(0, half), 1);
      return this.#commit(batch.slice(half), 1);
    }
    this.#failAll(batch, error);
  }

  /** The server took the COMMIT but its answer is lost: the ids tell. */
  async #readBack(batch: Entry[], result: Awaited<ReturnType<typeof captureOrders>>, attempt: number, error: unknown): Promise<void> {
    const written = batch.filter((_, i) => { const o = result.outcomes[i]; return o && 'answer' in o && !o.repeated; }).map((e) => e.order.id);
    const until = Date.now() + READ_BACK_MS;
    while (Date.now() < until) {
      try {
        const { rowCount } = await this.#writer.pool.query('select from orders where id = any($1::uuid[])', [written]);
        if (written.length === 0 || rowCount !== written.length) return await this.#commit(batch, attempt + 1);
        await this.#deps.projection.reread(result.touched.map((l) => l.id));
        batch.forEach((entry, i) => { entry.resolve(result.outcomes[i] as CaptureOutcome); });
        return;
      } catch (again) {
        if (!isUnreachable(again)) return this.#failAll(batch, again);
        await delay(100);
      }
    }
    this.#failAll(batch, error);
  }

  #failAll(batch: Entry[], error: unknown): void {
    const reason = isUnreachable(error)
      ? new Problem('unavailable', 'the database cannot be reached; send the same order again: it is captured once', null, { retryAfter: 2 })
      : error;
    for (const entry of batch) entry.reject(reason);
  }
}

function share(outcome: Promise<CaptureOutcome>): Promise<CaptureOutcome> {
  return outcome.then((o) => ('answer' in o ? { answer: o.answer, repeated: true } : o));
}

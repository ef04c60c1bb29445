import type pg from 'pg';
import type { LockedLevel } from './ledger.ts';
import type { Network } from './network.ts';
import type { StockProjection } from './projection.ts';
import { serveShortages } from './stock/serve-shortages.ts';
import { Tx } from './tx.ts';

/** PostgreSQL errors after which the same transaction may succeed: serialization failure and deadlock. */
const RETRYABLE = new Set(['40001', '40P01']);
/** The server is not there (any more): starting, stopping, or the connection broke. */
const UNREACHABLE = new Set(['57P01', '57P02', '57P03', '08000', '08003', '08006', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOENT']);

export function errorCode(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;
}

export function isRetryable(error: unknown): boolean { return RETRYABLE.has(errorCode(error) ?? ''); }

export function isUnreachable(error: unknown): boolean {
  return UNREACHABLE.has(errorCode(error) ?? '') || (error instanceof Error && /Connection terminated|timeout exceeded when trying to connect|connection error and is not queryable/.test(error.message));
}

const ATTEMPTS = 8;

/**
 * The one way by which a process changes stock and orders. `change` runs a function in a transaction, again on deadlock or
 * serialization failure, tells the projection what was committed and wakes the relays once.
 * The function must be safe to run again from its start; it must not touch anything but the transaction.
 */
export class StockWriter {
  readonly pool: pg.Pool;
  readonly projection: StockProjection | null;
  readonly clock: () => Date;
  /** What locations share, for units that become free; null: all. */
  readonly #network: Network | null;

  constructor(pool: pg.Pool, projection: StockProjection | null, clock: () => Date = () => new Date(), network: Network | null = null) {
    this.pool = pool;
    this.projection = projection;
    this.clock = clock;
    this.#network = network;
  }

  async change<T>(run: (tx: Tx) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(run);
      } catch (error) {
        if (!isRetryable(error) || attempt === ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * 2 ** attempt));
      }
    }
  }

  async #once<T>(run: (tx: Tx) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    const tx = new Tx(client, this.clock());
    let failed: Error | undefined;
    try {
      await client.query('begin');
      const result = await run(tx);
      if (tx.freed.size > 0) await serveShortages(tx, [...tx.freed], this.#network);
      if (tx.woken) await client.query('notify outbox');
      await client.query('commit');
      await this.publish(tx.changed.values());
      return result;
    } catch (error) {
      failed = error as Error;
      // A broken connection cannot roll back: the server does, and the pool throws the client away.
      await client.query('rollback').catch((rollback: Error) => { failed = rollback; });
      throw error;
    } finally {
      client.release(failed !== undefined && isUnreachable(failed) ? failed : undefined);
    }
  }

  /** Shows committed levels to this process's projection; those that are new are read. */
  async publish(levels: Iterable<LockedLevel>): Promise<void> {
    if (!this.projection) return;
    const unknown: number[] = [];
    for (const level of levels) if (!this.projection.committed(level) && level.sellable) unknown.push(level.id);
    if (unknown.length === 0) return;
    // What was committed stays committed: the next refresh shows it.
    await this.projection.reread(unknown).catch((error: Error) => process.emitWarning(`new stock levels not read yet: ${error.message}`));
  }
}

import type pg from 'pg';
import { wakeChannels } from './wake.ts';

/** A hint as it is kept; `key` is unique in its shop. */
export type HintRow = { channelId: number; channelCode: string; key: string; subject: string; topic: string; externalId: string; version: number | null };
export type HintSource = 'push' | 'poll' | 'replay';

/** Keeps hints, each fact once, and wakes their shops for those that are new. Returns how many were. */
export async function storeHints(pool: pg.Pool | pg.ClientBase, hints: readonly HintRow[], source: HintSource, now: Date): Promise<number> {
  if (hints.length === 0) return 0;
  // One row a key: a batch must not meet itself. Sorted, so that two batches meet in one order.
  const unique = [...new Map(hints.map((h) => [`${h.channelId}|${h.key}`, h])).entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, h]) => h);
  const { rows } = await pool.query<{ channel_id: number; fresh: boolean }>({
    name: 'hints_store',
    text: `insert into channel_hints as h (channel_id, key, subject, topic, external_id, version, source, received_at, due_at)
      select c, k, s, t, x, v, $7, $8, $8 from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[]) as u(c, k, s, t, x, v)
      on conflict (channel_id, key) do update set repeated = h.repeated + 1 returning channel_id, repeated = 0 fresh`,
    values: [unique.map((h) => h.channelId), unique.map((h) => h.key), unique.map((h) => h.subject), unique.map((h) => h.topic), unique.map((h) => h.externalId), unique.map((h) => h.version), source, now],
  });
  const fresh = rows.filter((r) => r.fresh);
  const ids = new Set(fresh.map((r) => r.channel_id));
  await wakeChannels(pool, unique.filter((h) => ids.has(h.channelId)).map((h) => h.channelCode), now);
  return fresh.length;
}

type Waiting = { hints: readonly HintRow[]; resolve: () => void; reject: (error: Error) => void };

/** Pushes that arrive together are kept by one statement; each is answered after it is on the disk. */
export class HintQueue {
  readonly #pool: pg.Pool;
  readonly #clock: () => Date;
  #waiting: Waiting[] = [];
  #running = 0;

  constructor(pool: pg.Pool, clock: () => Date) {
    this.#pool = pool;
    this.#clock = clock;
  }

  store(hints: readonly HintRow[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ hints, resolve, reject });
      if (this.#running < 2) setImmediate(() => { void this.#drain(); });
    });
  }

  async #drain(): Promise<void> {
    if (this.#running >= 2) return;
    this.#running++;
    try {
      while (this.#waiting.length > 0) {
        const batch = this.#waiting.splice(0, 500);
        try {
          await this.#write(batch);
          for (const w of batch) w.resolve();
        } catch (error) {
          for (const w of batch) w.reject(error as Error);
        }
      }
    } finally {
      this.#running--;
    }
  }

  /** Two batches that wake and store at once may meet in a deadlock: one of them is tried again. */
  async #write(batch: readonly Waiting[], attempt = 1): Promise<void> {
    try {
      await storeHints(this.#pool, batch.flatMap((w) => w.hints), 'push', this.#clock());
    } catch (error) {
      if ((error as { code?: string }).code !== '40P01' || attempt >= 5) throw error;
      await this.#write(batch, attempt + 1);
    }
  }
}

/** Counts a push that was not believed. Nothing of it is kept. */
export async function countRejection(pool: pg.Pool, channelId: number, reason: string, now: Date): Promise<void> {
  await pool.query({
    name: 'push_rejected',
    text: `insert into push_rejections as r (channel_id, day, reason, count) values ($1, $2::timestamptz::date, $3, 1) on conflict (channel_id, day, reason) do update set count = r.count + 1`,
    values: [channelId, now, reason],
  });
}

/** Hints of one thing, the oldest first; `ids`: all that reading it once answers. */
export type DueHint = { subject: string; externalId: string; ids: number[]; topics: string[]; attempts: number };

/** What is to be read next: things, not messages. In the order in which they were first heard of. */
export async function dueHints(pool: pg.Pool, channelId: number, now: Date, limit: number): Promise<DueHint[]> {
  const { rows } = await pool.query<DueHint>({
    name: 'hints_due',
    text: `select subject, external_id "externalId", array_agg(id order by id) ids, array_agg(distinct topic) topics, max(attempts) attempts from channel_hints
      where channel_id = $1 and done_at is null and due_at <= $2 group by subject, external_id order by min(id) limit $3`,
    values: [channelId, now, limit],
  });
  return rows.map((r) => ({ ...r, ids: r.ids.map(Number) }));
}

export async function hintsDone(pool: pg.Pool, ids: readonly number[], now: Date): Promise<void> {
  await pool.query({ name: 'hints_done', text: 'update channel_hints set done_at = $2, error = null where id = any($1::bigint[])', values: [ids, now] });
}

/** To be tried again after a while that doubles, an hour at most. */
export async function hintsPostponed(pool: pg.Pool, ids: readonly number[], now: Date, error: string): Promise<void> {
  await pool.query({
    name: 'hints_postponed',
    text: `update channel_hints set attempts = attempts + 1, error = $3, due_at = $2::timestamptz + make_interval(secs => least(3600, power(2, least(attempts, 12)))) where id = any($1::bigint[])`,
    values: [ids, now, error.slice(0, 500)],
  });
}

/** Forgets facts that were done long ago; the same fact pushed later still is read, and changes nothing. */
export async function cleanHints(pool: pg.Pool, before: Date): Promise<void> {
  await pool.query('delete from channel_hints where id in (select id from channel_hints where done_at < $1 limit 10000)', [before]);
}

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

/** Sets of a row that is tried again after `$4` ms, or where that is null after a while that doubles with each attempt, five minutes at most: a platform that comes back finds its backlog worked off soon. `$2`: now. */
export const TRIED_AGAIN = `attempts = attempts + case when $4::float8 is null then 1 else 0 end,
  due_at = $2::timestamptz + make_interval(secs => coalesce($4::float8 / 1000, least(300, power(2, least(attempts, 12)))))`;

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

/**
 * What is to be read next: things, not messages, each with all that was heard of it, what waits included: one reading answers it as well. In the order in which they were first heard of; what has failed before stands behind
 * what is new, or many that cannot be read would take all the time.
 */
export async function dueHints(pool: pg.Pool, channelId: number, now: Date, limit: number): Promise<DueHint[]> {
  const { rows } = await pool.query<DueHint>({
    name: 'hints_due',
    text: `with due as materialized (select subject, external_id, max(attempts) > 0 failed, min(id) first from channel_hints
        where channel_id = $1 and done_at is null and due_at <= $2 group by subject, external_id order by 3, 4 limit $3)
      select d.subject, d.external_id "externalId", array_agg(h.id order by h.id) ids, array_agg(distinct h.topic) topics, max(h.attempts) attempts
      from due d join channel_hints h on h.channel_id = $1 and h.external_id = d.external_id and h.subject = d.subject and h.done_at is null group by d.subject, d.external_id, d.failed, d.first order by d.failed, d.first`,
    values: [channelId, now, limit],
  });
  return rows.map((r) => ({ ...r, ids: r.ids.map(Number) }));
}

/** The last hint of a shop that is not read yet; 0: all are. */
export async function lastHint(pool: pg.Pool, channelId: number): Promise<number> {
  const { rows: [row] } = await pool.query<{ id: string | null }>({ name: 'hints_last', text: 'select max(id) id from channel_hints where channel_id = $1 and done_at is null', values: [channelId] });
  return Number(row?.id ?? 0);
}

/** An order that the platform has refused to show so often is not waited for, nor one that has failed for so long and so often: its shop would never know its figures again. */
const [REFUSED_TIMES, FAILED_TIMES, FAILED_S] = [3, 10, 7_200];
/** What one that was refused has sold may be off the figures still, for so long; s. */
export const GIVEN_UP_S = 86_400;

/**
 * How many hints of orders, up to one of them, are not read yet: what they have sold nobody knows. `postponed`: those that are not due, and not given up. Where it was not the order that failed (a refused account, too many
 * calls) it is given up only while others are read: of a shop none of whose orders can be read nothing is known. `givenUp`: how many were, of the refused ones those that came within a day.
 */
export async function unreadOrders(pool: pg.Pool, channelId: number, upTo: number, now: Date): Promise<{ due: number; postponed: number; givenUp: number }> {
  const { rows: [row] } = await pool.query<{ due: number; postponed: number; givenUp: number }>({
    name: 'orders_unread',
    text: `select count(*) filter (where due)::int due, count(*) filter (where not due and not given_up)::int postponed, count(*) filter (where not due and given_up and (refusals < $4 or received_at > $3::timestamptz - make_interval(secs => $7)))::int "givenUp"
      from (select due_at <= $3 due, received_at, refusals, refusals >= $4 or (coalesce(failed_since < $3::timestamptz - make_interval(secs => $6), false)
          and (attempts >= $5 or exists (select from channel_hints r where r.channel_id = $1 and r.subject = 'order' and r.done_at > $3::timestamptz - make_interval(secs => $6)))) given_up
        from channel_hints where channel_id = $1 and done_at is null and id <= $2 and subject = 'order') h`,
    values: [channelId, upTo, now, REFUSED_TIMES, FAILED_TIMES, FAILED_S, GIVEN_UP_S],
  });
  return row ?? { due: 0, postponed: 0, givenUp: 0 };
}

export async function hintsDone(pool: pg.Pool, ids: readonly number[], now: Date): Promise<void> {
  await pool.query({ name: 'hints_done', text: 'update channel_hints set done_at = $2, error = null where id = any($1::bigint[])', values: [ids, now] });
}

/** To be tried again: as the platform asks, which is no failure of what is read, else after a while that doubles. `afterMs`: what it asks for, null: nothing. */
export async function hintsPostponed(pool: pg.Pool, ids: readonly number[], now: Date, error: string, afterMs: number | null): Promise<void> {
  await pool.query({ name: 'hints_postponed', text: `update channel_hints set error = $3, failed_since = coalesce(failed_since, $2), ${TRIED_AGAIN} where id = any($1::bigint[])`, values: [ids, now, error.slice(0, 500), afterMs] });
}

/** The platform refuses to show this very thing: all that was heard of it waits for a minute, then ever longer, at last six hours. */
export async function hintsRefused(pool: pg.Pool, channelId: number, hint: Pick<DueHint, 'subject' | 'externalId'>, now: Date, error: string): Promise<void> {
  await pool.query({
    name: 'hints_refused',
    text: `with waiting as (select id, max(attempts) over () tried, max(refusals) over () refused, min(failed_since) over () since from channel_hints where channel_id = $1 and subject = $2 and external_id = $3 and done_at is null)
      update channel_hints h set error = $5, attempts = w.tried + 1, refusals = least(w.refused + 1, 1000), failed_since = coalesce(w.since, $4), due_at = $4::timestamptz + make_interval(secs => least(21600, 60 * power(4, least(w.refused, 8))))
      from waiting w where h.id = w.id`,
    values: [channelId, hint.subject, hint.externalId, now, error.slice(0, 500)],
  });
}

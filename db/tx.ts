import type pg from 'pg';
import { uuidv7 } from '../runtime/ids.ts';
import { postMovements, type Leg, type LockedLevel } from './ledger.ts';

/** Who did it: `system`, `key:NAME`, `partner:CODE`. Never a person's name. */
export type Actor = string;

const names = new Map<string, string>();

/** A prepared statement for each text: planning the larger ones costs more than running them. The texts are constants, so there are few. */
function statementName(text: string): string {
  let name = names.get(text);
  if (name === undefined) names.set(text, (name = `tx${names.size}`));
  return name;
}

/**
 * One transaction of the stock writer. Collects what must happen after the commit, so that a rollback forgets it.
 * Use in lock order: orders, then stock.
 */
export class Tx {
  readonly changed = new Map<number, LockedLevel>();
  woken = false;
  /** orders that this transaction has locked itself: it must not give them stock behind its own back */
  readonly locked = new Set<string>();
  readonly client: pg.ClientBase;
  readonly now: Date;

  readonly #onFreed: (tx: Tx, skuIds: readonly number[]) => Promise<void>;

  /** `onFreed` is called with the SKUs of which units became free, in the same transaction. */
  constructor(client: pg.ClientBase, now: Date, onFreed: (tx: Tx, skuIds: readonly number[]) => Promise<void>) {
    this.client = client;
    this.now = now;
    this.#onFreed = onFreed;
  }

  async query<T extends pg.QueryResultRow = pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> {
    return (await this.client.query<T>({ name: statementName(text), text, values })).rows;
  }

  async one<T extends pg.QueryResultRow = pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<T | null> {
    return (await this.query<T>(text, values))[0] ?? null;
  }

  /** Posts stock under a command id of its own, or the one given (then a repetition changes nothing). Returns false for a repetition. */
  async post(cause: string, orderId: string | null, legs: readonly Leg[], commandId: string = uuidv7()): Promise<boolean> {
    const levels = await postMovements(this.client, commandId, cause, orderId, legs);
    if (!levels) return false;
    for (const level of levels) this.changed.set(level.id, level);
    const freed = new Set(legs.filter((l) => l.onHand - l.reserved > 0).flatMap((l) => levels.find((v) => v.id === l.levelId && v.sellable)?.skuId ?? []));
    if (freed.size > 0) await this.#onFreed(this, [...freed]);
    return true;
  }

  async event(orderId: string, type: string, actor: Actor, data: Record<string, unknown> | null = null): Promise<void> {
    await this.client.query({
      name: 'event_insert',
      text: 'insert into order_events (order_id, type, at, actor, data) values ($1, $2, $3, $4, $5)',
      values: [orderId, type, this.now, actor, data === null ? null : JSON.stringify(data)],
    });
  }

  /** Asks the order's workflow to look at the facts. Urgent orders are told first. */
  async wake(orderId: string, priority: Date | null = null): Promise<void> {
    await this.client.query({
      name: 'outbox_look',
      text: `insert into outbox (topic, order_id, priority) values ('look', $1, $2)`,
      values: [orderId, priority ?? this.now],
    });
    this.woken = true;
  }
}

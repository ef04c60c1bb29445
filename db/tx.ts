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
  /** SKUs of which units became free: at the end of the transaction, when everybody has what he came for, they go to the orders that wait */
  readonly freed = new Set<number>();
  /** orders that this transaction has locked itself: it must not give them stock behind its own back */
  readonly locked = new Set<string>();
  readonly client: pg.ClientBase;
  readonly now: Date;

  constructor(client: pg.ClientBase, now: Date) {
    this.client = client;
    this.now = now;
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
    for (const leg of legs) {
      const level = leg.onHand - leg.reserved > 0 ? levels.find((v) => v.id === leg.levelId && v.sellable) : undefined;
      if (level) this.freed.add(level.skuId);
    }
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

import type pg from 'pg';
import { urgency, type CaptureAnswer } from '../../domain/order/intake.ts';
import { BulkRows, names, unnest } from '../array-literal.ts';
import { holdOf } from './answer.ts';
import type { Decision } from './decide.ts';
import type { PreparedOrder } from './prepare.ts';

export type Captured = { order: PreparedOrder; decision: Decision; answer: CaptureAnswer };

const LEVELS = [['id', 'bigint'], ['units', 'int']] as const;
const PICKS = [['order_id', 'uuid'], ['line_no', 'int'], ['seq', 'int'], ['level_id', 'bigint'], ['quantity', 'int'], ['expires_at', 'timestamptz']] as const;
const NEWS = [['order_id', 'uuid'], ['at', 'timestamptz'], ['actor', 'text'], ['data', 'jsonb'], ['priority', 'timestamptz']] as const;
const MISSING = [['order_id', 'uuid'], ['line_no', 'int'], ['sku_id', 'int'], ['quantity', 'int'], ['cause', 'text'], ['deadline', 'timestamptz']] as const;
const HOLDS = [['order_id', 'uuid'], ['detail', 'text'], ['placed_at', 'timestamptz']] as const;
const AT = { picks: 1 + LEVELS.length, news: 1 + LEVELS.length + PICKS.length, missing: 1 + LEVELS.length + PICKS.length + NEWS.length };

/** What depends on the stock a batch got, in one statement: a round trip costs both processes more than the rows do. */
const WRITE = `with
  levels as (update stock_levels l set reserved = l.reserved + t.units from ${unnest(LEVELS, 1)} where l.id = t.id),
  picks as materialized (select * from ${unnest(PICKS, AT.picks)}),
  movements as (insert into stock_movements (command_id, leg, level_id, d_on_hand, d_reserved, cause, order_id)
    select order_id, seq, level_id, 0, quantity, 'capture', order_id from picks),
  reserved as (insert into reservations (order_id, line_no, seq, level_id, quantity, status, expires_at)
    select order_id, line_no, seq, level_id, quantity, 'held', expires_at from picks),
  news as materialized (select * from ${unnest(NEWS, AT.news)}),
  events as (insert into order_events (order_id, type, at, actor, data) select order_id, 'order.captured', at, actor, data from news),
  starts as (insert into outbox (topic, order_id, priority) select 'start', order_id, priority from news),
  missing as (insert into shortages (${names(MISSING)}) select * from ${unnest(MISSING, AT.missing)}),
  held as (insert into order_holds (order_id, reason, detail, placed_at, placed_by)
    select order_id, 'unknown_sku', detail, placed_at, 'system' from ${unnest(HOLDS, AT.missing + MISSING.length)})
  select pg_notify('outbox', '')`;

/** Reservations, movements, events and outbox rows of a batch's new orders; wakes the relays at its commit. */
export async function writeStock(client: pg.ClientBase, batch: readonly Captured[]): Promise<void> {
  const levels = new BulkRows(LEVELS);
  const picks = new BulkRows(PICKS);
  const news = new BulkRows(NEWS);
  const missing = new BulkRows(MISSING);
  const holds = new BulkRows(HOLDS);
  const net = new Map<number, number>();
  for (const { order, decision, answer } of batch) {
    const { capturedAt } = order;
    decision.picks.forEach((p, seq) => {
      net.set(p.levelId, (net.get(p.levelId) ?? 0) + p.quantity);
      picks.push(order.id, p.lineNo, seq, p.levelId, p.quantity, order.payBy);
    });
    news.push(order.id, capturedAt, order.actor, JSON.stringify(answer), urgency(order.shipBy ?? decision.promise?.shipBy ?? null, capturedAt, order.intake.priority ?? 0));
    const deadline = new Date(capturedAt.getTime() + order.channel.backorderWindowS * 1000);
    for (const m of decision.missing) missing.push(order.id, m.lineNo, m.skuId, m.quantity, m.cause, deadline);
    if (holdOf(decision) !== null) holds.push(order.id, decision.missing.filter((m) => m.cause === 'unknown_sku').map((m) => m.skuCode).join(', '), capturedAt);
  }
  for (const [level, quantity] of net) levels.push(level, quantity);
  await client.query({ name: 'capture_write', text: WRITE, values: [levels, picks, news, missing, holds].flatMap((c) => c.values()) });
}

import type pg from 'pg';
import { urgency, type CaptureAnswer } from '../../domain/order/intake.ts';
import { ColumnLiterals } from '../array-literal.ts';
import { holdOf } from './answer.ts';
import type { Decision } from './decide.ts';
import type { PreparedOrder } from './prepare.ts';

export type Captured = { order: PreparedOrder; decision: Decision; answer: CaptureAnswer };

/**
 * What depends on the stock a batch got, in one statement: a round trip costs both processes more than the rows do.
 * Parameters: levels 1–2, reservations and movements 3–8, events and outbox 9–13, shortages 14–19, holds 20–22.
 */
const WRITE = `with
  levels as (update stock_levels l set reserved = l.reserved + d.r from unnest($1::bigint[], $2::int[]) as d(id, r) where l.id = d.id),
  movements as (insert into stock_movements (command_id, leg, level_id, d_on_hand, d_reserved, cause, order_id)
    select o, s, l, 0, q, 'capture', o from unnest($3::uuid[], $5::int[], $6::bigint[], $7::int[]) as t(o, s, l, q)),
  reserved as (insert into reservations (order_id, line_no, seq, level_id, quantity, status, expires_at)
    select o, n, s, l, q, 'held', e from unnest($3::uuid[], $4::int[], $5::int[], $6::bigint[], $7::int[], $8::timestamptz[]) as t(o, n, s, l, q, e)),
  events as (insert into order_events (order_id, type, at, actor, data)
    select o, 'order.captured', a, w, d::jsonb from unnest($9::uuid[], $10::timestamptz[], $11::text[], $12::text[]) as t(o, a, w, d)),
  news as (insert into outbox (topic, order_id, priority) select 'start', o, p from unnest($9::uuid[], $13::timestamptz[]) as t(o, p)),
  missing as (insert into shortages (order_id, line_no, sku_id, quantity, cause, deadline)
    select * from unnest($14::uuid[], $15::int[], $16::int[], $17::int[], $18::text[], $19::timestamptz[])),
  held as (insert into order_holds (order_id, reason, detail, placed_at, placed_by)
    select o, 'unknown_sku', d, a, 'system' from unnest($20::uuid[], $21::text[], $22::timestamptz[]) as t(o, d, a))
  select pg_notify('outbox', '')`;

/** Reservations, movements, events and outbox rows of a batch's new orders; wakes the relays at its commit. */
export async function writeStock(client: pg.ClientBase, batch: readonly Captured[]): Promise<void> {
  const levels = new ColumnLiterals('raw', 'raw');
  const picks = new ColumnLiterals('raw', 'raw', 'raw', 'raw', 'raw', 'raw');
  const news = new ColumnLiterals('raw', 'raw', 'text', 'text', 'raw');
  const missing = new ColumnLiterals('raw', 'raw', 'raw', 'raw', 'raw', 'raw');
  const holds = new ColumnLiterals('raw', 'text', 'raw');
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

import type pg from 'pg';
import { decodeId, encodeId } from '../../domain/ids.ts';
import type { MessageParams, MessageStatus, Purpose, Way } from '../../domain/messages/message.ts';
import { Problem } from '../../domain/problem.ts';
import { ownOrder } from '../read/own-orders.ts';
import type { StockWriter } from '../stock-writer.ts';

/** A message without its address and words, which are read when it is sent. `reason`: why it failed or was not sent. `error`: what the last try met. */
export type MessageView = {
  id: string; key: string; order: string | null; purpose: Purpose; template: string; params: MessageParams; ways: Way[]; status: MessageStatus; reason: string | null; error: string | null;
  way: Way | null; messenger: string | null; attempts: number; dueAt: string; expiresAt: string; createdAt: string; sentAt: string | null; settledAt: string | null;
};
type Row = Omit<MessageView, 'id' | 'order' | 'dueAt' | 'expiresAt' | 'createdAt' | 'sentAt' | 'settledAt'> & {
  id: string; orderId: string | null; dueAt: Date; expiresAt: Date; createdAt: Date; sentAt: Date | null; settledAt: Date | null;
};

const SELECT = `select m.id, m.key, m.order_id "orderId", m.purpose, m.template, m.params, m.ways, m.status, m.reason, m.error, m.way, m.messenger, m.attempts, m.due_at "dueAt", m.expires_at "expiresAt",
  m.created_at "createdAt", m.sent_at "sentAt", m.settled_at "settledAt" from messages m left join orders o on o.id = m.order_id`;

const view = ({ id, orderId, dueAt, expiresAt, createdAt, sentAt, settledAt, ...row }: Row): MessageView => ({
  id: encodeId('msg', id), order: orderId === null ? null : encodeId('ord', orderId), ...row, dueAt: dueAt.toISOString(), expiresAt: expiresAt.toISOString(), createdAt: createdAt.toISOString(),
  sentAt: sentAt?.toISOString() ?? null, settledAt: settledAt?.toISOString() ?? null,
});

/** Messages, newest first. A key that is bound to a location sees those of its own orders. `after`: an inside id. */
export async function listMessages(
  pool: pg.Pool, filter: { status: MessageStatus | null; orderId: string | null; after: string | null; limit: number; onlyLocation: number | null },
): Promise<{ messages: MessageView[]; next: string | null }> {
  const { rows } = await pool.query<Row>({
    name: 'messages_list',
    text: `${SELECT} where ($1::text is null or m.status = $1) and ($2::uuid is null or m.order_id = $2) and ($3::uuid is null or m.id < $3) and ($4::int is null or ${ownOrder('o', '$4')}) order by m.id desc limit $5`,
    values: [filter.status, filter.orderId, filter.after, filter.onlyLocation, filter.limit + 1],
  });
  const messages = rows.slice(0, filter.limit).map(view);
  return { messages, next: rows.length > filter.limit ? messages.at(-1)?.id ?? null : null };
}

/** One message. Throws not_found. */
export async function readMessage(pool: pg.Pool, message: string, onlyLocation: number | null): Promise<MessageView> {
  const id = decodeId('msg', message);
  const { rows: [row] } = id === null ? { rows: [] } : await pool.query<Row>({ name: 'message_read', text: `${SELECT} where m.id = $1 and ($2::int is null or ${ownOrder('o', '$2')})`, values: [id, onlyLocation] });
  if (!row) throw new Problem('not_found', `message "${message}" does not exist`);
  return view(row);
}

/** Sends a message that failed or was not sent once more, for another day. Throws `conflict` for one that is out or still to go. */
export async function resendMessage(writer: StockWriter, message: string, actor: string): Promise<void> {
  await writer.change(async (tx) => {
    const id = decodeId('msg', message);
    const row = await tx.one<{ status: MessageStatus; order_id: string | null; template: string }>('select status, order_id, template from messages where id = $1 for no key update', [id]);
    if (!row) throw new Problem('not_found', `message "${message}" does not exist`);
    if (row.status !== 'failed' && row.status !== 'skipped') throw new Problem('conflict', `this message is ${row.status}: only one that failed or was skipped is sent again`);
    await tx.query(
      `update messages set status = 'waiting', reason = null, error = null, refused_ways = '{}', begun_at = null, round = round + 1, attempts = 0, due_at = $2, expires_at = greatest(expires_at, $2::timestamptz + interval '1 day'), leased_until = null,
         settled_at = null where id = $1`, [id, tx.now]);
    if (row.order_id !== null) await tx.event(row.order_id, 'message.resent', actor, { template: row.template });
  });
}

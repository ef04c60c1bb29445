import type { Way } from '../../domain/messages/message.ts';
import type { StockWriter } from '../stock-writer.ts';

export type Outcome =
  | { status: 'sent'; way: Way; messenger: string; ref: string | null }
  | { status: 'failed' | 'skipped'; reason: string; error?: string };

/** What became of a message, once, with the event on its order's timeline. False: somebody else has settled or has it. */
export async function settleMessage(writer: StockWriter, message: { id: string; attempts: number; orderId: string | null; template: string }, outcome: Outcome): Promise<boolean> {
  return writer.change(async (tx) => {
    const sent = outcome.status === 'sent';
    const row = await tx.one(
      `update messages set status = $3, reason = $4, error = coalesce($5, error), way = coalesce($6, way), messenger = coalesce($7, messenger), provider_ref = $8, begun_at = null, leased_until = null,
         sent_at = case when $9 then $10::timestamptz end, settled_at = $10, check_at = case when $9 then $10::timestamptz + interval '1 minute' end where id = $1 and attempts = $2 and status = 'waiting' returning 1`,
      [message.id, message.attempts, outcome.status, sent ? null : outcome.reason, sent ? null : outcome.error?.slice(0, 500) ?? null, sent ? outcome.way : null, sent ? outcome.messenger : null, sent ? outcome.ref : null, sent, tx.now]);
    if (!row) return false;
    if (message.orderId !== null) {
      await tx.event(message.orderId, `message.${outcome.status}`, 'system', { template: message.template, ...(sent ? { way: outcome.way } : { reason: outcome.reason }) });
    }
    return true;
  });
}

export type SentRow = { id: string; round: number; contactId: string; orderId: string | null; template: string; way: Way; messenger: string; ref: string | null; sentAt: Date };

/** Sent messages of which it is time to ask: after a minute, and again whenever that is twice as long ago, for three days. Each is given to one process. */
export async function takeSent(writer: StockWriter, messengers: readonly string[], limit: number): Promise<SentRow[]> {
  const { rows } = await writer.pool.query<SentRow>({
    name: 'messages_take_sent',
    text: `update messages m set check_at = case when $1::timestamptz < m.sent_at + interval '3 days' then $1::timestamptz + ($1::timestamptz - m.sent_at) end from (
        select id from messages where status = 'sent' and check_at <= $1 and messenger = any($2::text[]) order by check_at limit $3 for no key update skip locked) s
      where m.id = s.id returning m.id, m.round, m.contact_id "contactId", m.order_id "orderId", m.template, m.way, m.messenger, m.provider_ref ref, m.sent_at "sentAt"`,
    values: [writer.clock(), messengers, limit],
  });
  return rows;
}

/** The messenger knows whether it arrived. */
export async function settleDelivery(writer: StockWriter, message: SentRow, state: { state: 'delivered' } | { state: 'failed'; reason: string }): Promise<void> {
  await writer.change(async (tx) => {
    const failed = state.state === 'failed';
    const row = await tx.one(`update messages set status = $2, reason = $3, error = coalesce($4, error), settled_at = $5 where id = $1 and status = 'sent' returning 1`,
      [message.id, state.state, failed ? 'not_delivered' : null, failed ? state.reason.slice(0, 500) : null, tx.now]);
    if (row && failed && message.orderId !== null) await tx.event(message.orderId, 'message.failed', 'system', { template: message.template, reason: 'not_delivered' });
  });
}

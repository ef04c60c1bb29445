import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { erasePerson } from '../orders/erase-person.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Vault } from '../vault.ts';

/** What somebody must do about people's data stands among the held orders of its shop, under a name that is no order's; releasing it by its key says that it was done. */
const TASK = 'privacy:';
export const isPrivacyTask = (externalId: string): boolean => externalId.startsWith(TASK);

/**
 * A platform's word about people's data, by its topics, for one order of theirs. `customers/redact` erases the order's person; the orders stay. Refused with `conflict` while the person has open orders: it shows as a
 * task and is tried again. Anything else (a request to see the data, a shop that has left) is a task for somebody.
 */
export async function takePrivacyRequest(writer: StockWriter, vault: Vault, channel: { id: number; code: string }, topics: readonly string[], externalId: string): Promise<void> {
  const { rows: [order] } = await writer.pool.query<{ id: string }>('select id from orders where channel_id = $1 and external_id = $2', [channel.id, externalId]);
  for (const topic of topics) {
    const task = `${TASK}${topic}:${externalId}`;
    if (topic !== 'customers/redact') {
      const what = topic === 'shop/redact' ? 'the shop has removed the app: erase the people of its orders that must not be kept'
        : order ? `the customer of order ${encodeId('ord', order.id)} asks for what is kept about them: send it` : 'a customer asks for what is kept about them: send it, if anything is';
      await hold(writer.pool, channel.id, task, `${what}; then release this by its key`, writer.clock());
      continue;
    }
    if (!order) continue; // never captured: nothing is kept of its people
    try {
      await erasePerson(writer, vault, order.id, `channel:${channel.code}`);
    } catch (error) {
      if (error instanceof Problem && error.code === 'conflict') await hold(writer.pool, channel.id, task, `the platform asks that the person of order ${encodeId('ord', order.id)} be erased; ${error.message}`, writer.clock());
      throw error;
    }
    await privacyTaskDone(writer.pool, channel.id, task, writer.clock());
  }
}

async function hold(pool: pg.Pool, channelId: number, task: string, detail: string, now: Date): Promise<void> {
  await pool.query(
    `insert into channel_orders (channel_id, external_id, state, hold_reason, hold_detail, hold_key, first_seen_at, updated_at) values ($1, $2, 'held', 'privacy', $3, $2, $4, $4)
     on conflict (channel_id, external_id) do update set state = 'held', hold_reason = 'privacy', hold_detail = excluded.hold_detail, updated_at = excluded.updated_at`, [channelId, task, detail, now]);
}

/** Nothing is left to do of it. */
export async function privacyTaskDone(pool: pg.Pool, channelId: number, task: string, now: Date): Promise<void> {
  await pool.query(`update channel_orders set state = 'ignored', hold_reason = 'privacy_done', updated_at = $3 where channel_id = $1 and external_id = $2 and state <> 'ignored'`, [channelId, task, now]);
}

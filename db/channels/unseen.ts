import { CHANGED } from './apply-order.ts';
import type { Applied } from '../../domain/channel/next-steps.ts';
import { TERMINAL, type OrderStatus } from '../../domain/order/status.ts';
import type { Channel } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import { acceptChanged, changedKey, stopChanged } from './keep-back.ts';
import { underOrderLock } from './order-lock.ts';
import { readState, writeState } from './order-state.ts';

const GONE = 'gone';
/** Nothing of it is to be stopped any more. */
const OVER: ReadonlySet<OrderStatus> = new Set([...TERMINAL, 'shipped', 'delivered']);

/**
 * The platform refuses to show an order: somebody must look, or its status must change there. What it is held for already says more, and a key that released it is still to be read.
 */
export async function holdRefused(writer: StockWriter, channelId: number, externalId: string, why: string): Promise<void> {
  await underOrderLock(writer.pool, channelId, externalId, async () => {
    const row = await readState(writer.pool, channelId, externalId);
    const key = `refused:${externalId}`;
    if (row && (row.state === 'held' || (row.hold_key !== null && row.hold_key !== key))) return;
    await writeState(writer.pool, channelId, externalId, { state: 'held', reason: 'refused', detail: why, key, applied: null }, writer.clock());
  });
}

/** The platform has an order no more (deleted in the shop). One that we have is stopped, where nobody works on it yet, until somebody has seen to it; one that we have not is of no interest. */
export async function holdGone(writer: StockWriter, channel: Channel, externalId: string): Promise<void> {
  await underOrderLock(writer.pool, channel.id, externalId, async () => {
    const row = await readState(writer.pool, channel.id, externalId);
    if (!row || row.state === 'ignored') return;
    const say = (state: 'open' | 'held' | 'ignored', reason: string | null, detail: string | null, key: string | null, applied: Applied | null): Promise<void> =>
      writeState(writer.pool, channel.id, externalId, { state, reason, detail, key, applied }, writer.clock());
    if (row.order_id === null) return say('ignored', 'gone_before_capture', null, null, null);
    if (row.applied?.gone === true || row.applied?.status === 'cancelled') return;
    const { rows: [order] } = await writer.pool.query<{ status: OrderStatus }>('select status from orders where id = $1', [row.order_id]);
    if (!order || OVER.has(order.status)) return;
    const key = changedKey(externalId, GONE);
    // Released with its key, it is open: somebody has seen to it.
    if (row.state === 'open' && row.hold_key === key) {
      await acceptChanged(writer, row.order_id, `channel:${channel.code}`);
      if (row.applied) return say('open', null, null, null, { ...row.applied, gone: true });
    }
    const why = 'the platform has it no more';
    await stopChanged(writer, row.order_id, why, `channel:${channel.code}`);
    await say('held', CHANGED, `${why}: see to it, then release it with this key`, key, null);
  });
}

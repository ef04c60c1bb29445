import { createHash } from 'node:crypto';
import { holdOrder, releaseOrder } from '../orders/hold-order.ts';
import type { StockWriter } from '../stock-writer.ts';
import { ordersOf } from './family.ts';
import { isPast } from './take-off.ts';

const KEPT_BACK = 'kept back by the platform';
const CHANGED = 'changed on the platform';

/** Stops an order that its platform keeps back, where nobody works on it yet; the platform takes no parcel of it anyway. */
export const keepBack = (writer: StockWriter, orderId: string, why: string, actor: string): Promise<void> => stop(writer, orderId, `${KEPT_BACK}: ${why}`, actor);
/** The platform lets it go on: so do we. What others hold it for stays. */
export const letGo = (writer: StockWriter, orderId: string, actor: string): Promise<void> => goOn(writer, orderId, KEPT_BACK, 'the platform lets it go', actor);

/** Stops an order of which the platform has more than was captured, where nobody works on it yet: it would leave without the rest. */
export const stopChanged = (writer: StockWriter, orderId: string, why: string, actor: string): Promise<void> => stop(writer, orderId, `${CHANGED}: ${why}`, actor);
/** Somebody has seen to the change, or the platform has taken it back. */
export const acceptChanged = (writer: StockWriter, orderId: string, actor: string): Promise<void> => goOn(writer, orderId, CHANGED, 'the change on the platform is seen to', actor);
/** What releases an order that was changed so: that change and no other. */
export const changedKey = (externalId: string, change: string): string => `changed:${externalId}:${createHash('sha256').update(change).digest('hex').slice(0, 16)}`;

/** Wherever its goods are now: split off, or merged into another. */
async function stop(writer: StockWriter, orderId: string, detail: string, actor: string): Promise<void> {
  for (const id of await ordersOf(writer.pool, orderId)) await holdOrder(writer, id, detail.slice(0, 500), actor).catch(isPast);
}

async function goOn(writer: StockWriter, orderId: string, hold: string, note: string, actor: string): Promise<void> {
  const { rows } = await writer.pool.query<{ id: number; order_id: string }>(
    `select id, order_id from order_holds where order_id = any($1::uuid[]) and reason = 'manual' and detail like $2 and released_at is null`, [await ordersOf(writer.pool, orderId), `${hold}: %`]);
  for (const { id, order_id: on } of rows) await releaseOrder(writer, on, note, actor, Number(id)).catch(isPast);
}

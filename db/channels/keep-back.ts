import { Problem } from '../../domain/problem.ts';
import { holdOrder, releaseOrder } from '../orders/hold-order.ts';
import type { StockWriter } from '../stock-writer.ts';

const HOLD = 'kept back by the platform';

/** Stops an order that its platform keeps back, where nobody works on it yet; the platform takes no parcel of it anyway. */
export async function keepBack(writer: StockWriter, orderId: string, why: string, actor: string): Promise<void> {
  await holdOrder(writer, orderId, `${HOLD}: ${why}`, actor).catch(isPast);
}

/** The platform lets it go on: so do we. What others hold it for stays. */
export async function letGo(writer: StockWriter, orderId: string, actor: string): Promise<void> {
  const { rows } = await writer.pool.query<{ id: number }>(`select id from order_holds where order_id = $1 and reason = 'manual' and detail like $2 and released_at is null`, [orderId, `${HOLD}: %`]);
  for (const { id } of rows) await releaseOrder(writer, orderId, 'the platform lets it go', actor, Number(id)).catch(isPast);
}

/** The order is past it: a location has it, or it is over. */
function isPast(error: unknown): void {
  if (!(error instanceof Problem) || error.code !== 'conflict') throw error;
}

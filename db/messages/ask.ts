import { decodeId } from '../../domain/ids.ts';
import type { MessageParams, Way } from '../../domain/messages/message.ts';
import { Problem } from '../../domain/problem.ts';
import { lockOrder } from '../orders/order.ts';
import { ownOrder } from '../read/own-orders.ts';
import type { StockWriter } from '../stock-writer.ts';
import { enqueueMessage } from './enqueue.ts';

/**
 * An operator writes to the person of an order. `key`: the same key is one message. A template that does not exist is refused here, where somebody can mend it.
 * Returns the message's id inside. Throws not_found, unprocessable.
 */
export async function askMessage(
  writer: StockWriter, order: string, what: { key: string; template: string; params: MessageParams; ways: readonly Way[] }, actor: string, onlyLocation: number | null,
): Promise<string> {
  const orderId = decodeId('ord', order);
  return writer.change(async (tx) => {
    const own = orderId === null ? null : await tx.one(`select 1 from orders o where o.id = $1 and ($2::int is null or ${ownOrder('o', '$2')})`, [orderId, onlyLocation]);
    if (orderId === null || !own) throw new Problem('not_found', `order ${order} does not exist`);
    const { personId, contactId } = await lockOrder(tx, orderId);
    if (!await tx.one('select 1 from message_templates where key = $1 limit 1', [what.template])) throw new Problem('unprocessable', `there is no message template "${what.template}"; make it with PUT /v1/message-templates/${what.template}`, '/template');
    const key = `order:${orderId}:${what.key}`;
    const fresh = await enqueueMessage(tx, { key, person: { personId, contactId }, template: what.template, params: what.params, purpose: 'service', ways: what.ways, orderId });
    if (fresh) await tx.event(orderId, 'message.asked', actor, { template: what.template });
    const row = await tx.one<{ id: string }>('select id from messages where key = $1', [key]);
    if (!row) throw new Error('unreachable: the message was written or was there');
    return row.id;
  });
}

import { encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import type { Vault } from '../vault.ts';

/**
 * Erases the person of an order: their key is destroyed, and with it all that was written about them on any order. Refused with `conflict` while they
 * have an open order, or one with a return under way, which needs them; `openOrders` counts those. Once: again gives the first moment.
 * Lock order: orders, then erasure. Orders locked here gain no returns or resends meanwhile; captures under way are waited for.
 */
export async function erasePerson(writer: StockWriter, vault: Vault, orderId: string, actor: string): Promise<Date> {
  const erased = await writer.change(async (tx) => {
    const order = await tx.one<{ person_id: string }>('select person_id from orders where id = $1', [orderId]);
    if (!order) throw new Problem('not_found', `order ${encodeId('ord', orderId)} does not exist`);
    const personId = order.person_id;
    await tx.query('select 1 from orders where person_id = $1 order by id for no key update', [personId]);
    await vault.lockErasure(tx.client);
    const before = await erasedAt(tx, personId);
    if (before) return { personId, at: before };
    const open = await tx.one<{ n: number }>(
      `select count(*)::int n from orders o where person_id = $1 and (status not in ('closed', 'cancelled', 'rejected', 'expired')
         or exists (select from returns r where r.order_id = o.id and r.status in ('requested', 'authorised', 'received', 'inspected')))`, [personId]);
    const openOrders = open?.n ?? 0;
    if (openOrders > 0) throw new Problem('conflict', `${openOrders} of this person's orders are open: erase the person when they are over`, null, { openOrders });
    await vault.erase(tx.client, personId, tx.now);
    await tx.event(orderId, 'person.erased', actor);
    return { personId, at: tx.now };
  });
  vault.forget([erased.personId]);
  return erased.at;
}

async function erasedAt(tx: Tx, personId: string): Promise<Date | null> {
  return (await tx.one<{ at: Date | null }>('select erased_at at from persons where id = $1', [personId]))?.at ?? null;
}

/** Throws `conflict` when a person has been erased: goods cannot be sent to them. Call under the lock of one of their orders. */
export async function refuseErased(tx: Tx, personId: string): Promise<void> {
  if (await erasedAt(tx, personId)) throw new Problem('conflict', 'the person of this order has been erased: nothing can be sent to them');
}

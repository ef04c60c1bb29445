import { encodeId } from '../../domain/ids.ts';
import { AT_LOCATION, LEFT, TERMINAL, VOID, type OrderStatus } from '../../domain/order/status.ts';
import { Problem } from '../../domain/problem.ts';
import { canonical } from '../capture/prepare.ts';
import type { StockWriter } from '../stock-writer.ts';
import { addressText, type ShipTo, type Vault } from '../vault.ts';
import { lockOrder, readFulfillments, refreshStatus } from './order.ts';

/**
 * Sends an order elsewhere, as long as no location may know of it. The new address is another record of the vault, the rest of the contact is kept;
 * the order is checked and routed anew, and approvals of rules that judge the address or the person lapse: they were given for the old one.
 * The same address again changes nothing. Throws `conflict` naming the state. Returns the order's status.
 */
export async function changeAddress(writer: StockWriter, vault: Vault, orderId: string, shipTo: ShipTo, actor: string): Promise<OrderStatus> {
  return writer.change(async (tx) => {
    const order = await lockOrder(tx, orderId);
    if (TERMINAL.has(order.status)) throw new Problem('conflict', `the order is ${order.status}: its address can no longer change`);
    const living = (await readFulfillments(tx.client, orderId)).filter((f) => !VOID.has(f.status));
    if (living.some((f) => AT_LOCATION.has(f.status) || LEFT.has(f.status))) {
      throw new Problem('conflict', `the order is ${order.status}: a location has the address already; cancel it and order anew`);
    }
    const contact = await vault.readContact(tx.client, order.contactId);
    if (!contact) throw new Problem('conflict', 'the receiver has been erased: no address can be written for them');
    if (canonical(contact.shipTo) === canonical(shipTo)) return order.status;
    const contactId = await vault.writeContact(tx.client, order.personId, { ...contact, shipTo });
    await tx.query(
      `update orders set contact_id = $2, address_hash = $3, dest_country = $4, dest_province = $5, dest_city = $6, dest_district = $7, validated_at = null, version = version + 1,
         approved_rules = array(select r from unnest(approved_rules) r where r not in (select id from audit_rules where kind in ('address', 'blocked', 'duplicate')) order by r)
       where id = $1`,
      // The hash is of the same text as at capture (db/capture/prepare.ts), so that duplicates are found among both.
      [orderId, contactId, vault.hash('address', addressText(shipTo)),
        shipTo.country, shipTo.province, shipTo.city, shipTo.district ?? null]);
    order.validatedAt = null;
    await tx.query(`update fulfillment_orders set status = 'cancelled', ended_at = $2, end_reason = 'address changed' where id = any($1::uuid[])`, [living.map((f) => f.id), tx.now]);
    await tx.query(`update reservations set fulfillment_order_id = null where order_id = $1 and fulfillment_order_id = any($2::uuid[]) and status in ('held', 'confirmed')`,
      [orderId, living.map((f) => f.id)]);
    await tx.event(orderId, 'order.address_changed', actor, { fulfillmentOrders: living.map((f) => encodeId('ful', f.id)) });
    const status = await refreshStatus(tx, order, actor);
    await tx.wake(orderId);
    return status;
  });
}

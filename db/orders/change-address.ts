import { canonicalNames } from '../../domain/address/china.ts';
import { encodeId } from '../../domain/ids.ts';
import { placeKey } from '../../domain/geo.ts';
import { TERMINAL, VOID, type OrderStatus } from '../../domain/order/status.ts';
import { Problem } from '../../domain/problem.ts';
import { canonical } from '../capture/prepare.ts';
import type { Network } from '../network.ts';
import { redate } from '../promise/redate.ts';
import type { StockWriter } from '../stock-writer.ts';
import { addressText, type ShipTo, type Vault } from '../vault.ts';
import { lockOrder, readFulfillments, refreshStatus, unroutedUnits, type FulfillmentOrder } from './order.ts';
import { askBack, sortPlan, unplan } from './replan.ts';
import { forgetWishes } from './wishes.ts';

/** Fulfillment orders whose locations are asked to give them back, and those that go on to the old address because they are packed. Absent: none. */
export type AddressAnswer = { status: OrderStatus; asked?: string[]; kept?: string[] };

/**
 * Sends what of an order is not packed yet elsewhere: plans that no location knows of are made anew at once, locations that know are asked to give theirs back. The new address is another record of the vault, the rest of the contact is kept;
 * the order is checked and routed anew, dated anew where it goes to another city, and approvals of rules that judge the address or the person lapse: they were given for the old one.
 * The same address again changes nothing. Throws `conflict` naming the state. Returns the order's status, and what is asked for or goes on.
 */
export async function changeAddress(writer: StockWriter, network: Network, vault: Vault, orderId: string, shipTo: ShipTo, actor: string): Promise<AddressAnswer> {
  return writer.change(async (tx) => {
    const order = await lockOrder(tx, orderId);
    if (TERMINAL.has(order.status)) throw new Problem('conflict', `the order is ${order.status}: its address can no longer change`);
    const living = (await readFulfillments(tx.client, orderId)).filter((f) => !VOID.has(f.status));
    const { own, askable, kept } = sortPlan(living);
    const unplanned = (await unroutedUnits(tx.client, orderId)).size > 0;
    if (kept.length > 0 && own.length === 0 && askable.length === 0 && !unplanned) {
      throw new Problem('conflict', `the order is ${order.status}: all of it is packed or has left; cancel what can be cancelled and order anew`);
    }
    const contact = await vault.readContact(tx.client, order.contactId);
    if (!contact) throw new Problem('conflict', 'the receiver has been erased: no address can be written for them');
    if (canonical(contact.shipTo) === canonical(shipTo)) return { status: order.status };
    const contactId = await vault.writeContact(tx.client, order.personId, { ...contact, shipTo });
    const { province, city } = canonicalNames(shipTo.country, shipTo.province, shipTo.city);
    await tx.query(
      `update orders set contact_id = $2, address_hash = $3, dest_country = $4, dest_province = $5, dest_city = $6, dest_district = $7, validated_at = null, version = version + 1,
         approved_rules = array(select r from unnest(approved_rules) r where r not in (select id from audit_rules where kind in ('address', 'blocked', 'duplicate')) order by r)
       where id = $1`,
      // The hash is of the same text as at capture (db/capture/prepare.ts), so that duplicates are found among both.
      [orderId, contactId, vault.hash('address', addressText(shipTo)),
        shipTo.country, province, city, shipTo.district ?? null]);
    order.validatedAt = null;
    const moved = placeKey(shipTo.country, province, city) !== placeKey(order.country, order.province, order.city);
    Object.assign(order, { country: shipTo.country, province, city, district: shipTo.district ?? null });
    // What held it for where it was to go is asked again about the new address.
    await tx.query(
      `update order_holds h set released_at = $2, released_by = $3, note = 'address changed' where order_id = $1 and released_at is null
         and (reason in ('unroutable', 'no_carrier') or rule_id in (select id from audit_rules where kind = 'address'))`, [orderId, tx.now, actor]);
    await forgetWishes(tx, orderId);
    await unplan(tx, orderId, own, 'address changed');
    if (askable.length > 0) await askBack(tx, askable, 'address changed');
    if (moved && order.way === 'ship') await redate(tx, network, order, 'address changed', actor, kept.map((f) => f.id));
    const names = (some: readonly FulfillmentOrder[]): string[] => some.map((f) => encodeId('ful', f.id));
    const told = { ...(askable.length > 0 ? { asked: names(askable) } : {}), ...(kept.length > 0 ? { kept: names(kept) } : {}) };
    await tx.event(orderId, 'order.address_changed', actor, { fulfillmentOrders: names(own), ...told });
    const status = await refreshStatus(tx, order, actor);
    await tx.wake(orderId);
    return { status, ...told };
  });
}

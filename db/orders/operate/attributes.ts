import { Problem } from '../../../domain/problem.ts';
import type { Network } from '../../network.ts';
import type { Tx } from '../../tx.ts';
import type { Vault } from '../../vault.ts';
import { askAgain, GIVEN_BACK } from '../hold-given-back.ts';
import { refreshStatus } from '../order.ts';
import { forgetWishes } from '../wishes.ts';
import { lockChangeable, recheck, unroute } from './guard.ts';

/** 反审核: takes an approval back. The order is held, checked again after its release. */
export async function reverseApproval(tx: Tx, orderId: string, reason: string, actor: string): Promise<void> {
  const order = await lockChangeable(tx, orderId);
  if (!order.validatedAt) throw new Problem('conflict', `the order is ${order.status}: it has not been approved`);
  await unroute(tx, order, 'approval reversed');
  order.validatedAt = null;
  await tx.query(`update orders set validated_at = null, approved_rules = '{}', version = version + 1 where id = $1`, [orderId]);
  await tx.query(`insert into order_holds (order_id, reason, detail, placed_at, placed_by) values ($1, 'approval_reversed', $2, $3, $4)`, [orderId, reason, tx.now, actor]);
  await tx.event(orderId, 'order.approval_reversed', actor, { reason });
  await refreshStatus(tx, order, actor);
  await tx.wake(orderId);
}

/** Only this location may serve the order, also one that gave it back before; without it the order is held, never silently served from elsewhere. */
export async function forceLocation(tx: Tx, network: Network, orderId: string, code: string, reason: string, actor: string): Promise<void> {
  const location = network.locations.get(code);
  if (!location?.active) throw new Problem('unknown_location', `location "${code}" is not known or not active`, '/params/location');
  const order = await lockChangeable(tx, orderId);
  await tx.query('update orders set forced_location_id = $2 where id = $1', [orderId, location.id]);
  await askAgain(tx, orderId, location.id);
  await tx.query(`update order_holds set released_at = $2, released_by = $3, note = $4 where order_id = $1 and reason = '${GIVEN_BACK}' and released_at is null`, [orderId, tx.now, actor, reason]);
  await forgetWishes(tx, order.id);
  await recheck(tx, order, 'order.location_forced', actor, { location: code, reason });
}

export async function forceCarrier(tx: Tx, network: Network, orderId: string, code: string, reason: string, actor: string): Promise<void> {
  if (!network.carriers.get(code)?.active) throw new Problem('unknown_carrier', `carrier "${code}" is not known or not active`, '/params/carrier');
  const order = await lockChangeable(tx, orderId);
  await tx.query('update orders set forced_carrier = $2 where id = $1', [orderId, code]);
  await recheck(tx, order, 'order.carrier_forced', actor, { carrier: code, reason });
}

export async function setPriority(tx: Tx, orderId: string, priority: number, reason: string, actor: string): Promise<void> {
  const order = await lockChangeable(tx, orderId);
  await tx.query('update orders set priority = $2, version = version + 1 where id = $1', [orderId, priority]);
  await tx.query(`update outbox set priority = priority - make_interval(days => $2) where order_id = $1 and leased_until is null`, [orderId, priority - order.priority]);
  await tx.event(orderId, 'order.priority_changed', actor, { priority, reason });
}

/** The seller's remark goes into the vault, like everything that people write about an order. */
export async function setSellerRemark(tx: Tx, vault: Vault, orderId: string, remark: string, reason: string, actor: string): Promise<void> {
  const order = await lockChangeable(tx, orderId);
  const contact = await vault.readContact(tx.client, order.contactId);
  if (!contact) throw new Problem('conflict', 'the person of this order has been erased');
  const contactId = await vault.writeContact(tx.client, order.personId, { ...contact, sellerRemark: remark });
  await tx.query('update orders set contact_id = $2, has_remarks = true where id = $1', [orderId, contactId]);
  await recheck(tx, order, 'order.remark_changed', actor, { reason });
}

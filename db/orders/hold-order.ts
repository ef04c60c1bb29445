import { AT_LOCATION, LEFT, TERMINAL, VOID, type OrderStatus } from '../../domain/order/status.ts';
import { Problem } from '../../domain/problem.ts';
import type { StockWriter } from '../stock-writer.ts';
import { askAgain, GIVEN_BACK } from './hold-given-back.ts';
import { lockOrder, readFulfillments, refreshStatus } from './order.ts';
import { placeHold } from './place-hold.ts';

/**
 * Keeps an order from going on until somebody releases it. Refused with `conflict` once a location may know of it: then it can only be cancelled.
 * What the operator wrote is the hold's detail, not its reason: the reason travels to the workflow, which must never see free text.
 * The same hold twice is one. Returns the order's status.
 */
export async function holdOrder(writer: StockWriter, orderId: string, detail: string, actor: string): Promise<OrderStatus> {
  return writer.change(async (tx) => {
    const order = await lockOrder(tx, orderId);
    if (TERMINAL.has(order.status)) throw new Problem('conflict', `the order is ${order.status}: there is nothing left to hold`);
    const living = (await readFulfillments(tx.client, orderId)).filter((f) => !VOID.has(f.status));
    if (living.some((f) => LEFT.has(f.status))) throw new Problem('conflict', `the order is ${order.status}: goods have left and cannot be held`);
    if (living.some((f) => AT_LOCATION.has(f.status))) throw new Problem('conflict', `the order is ${order.status}: a location works on it; cancel it instead (POST …/cancel)`);
    const known = await tx.one(`select 1 from order_holds where order_id = $1 and released_at is null and reason = 'manual' and detail = $2`, [orderId, detail]);
    if (known) return order.status;
    await placeHold(tx, orderId, 'manual', detail, actor);
    const status = await refreshStatus(tx, order, actor);
    await tx.wake(orderId);
    return status;
  });
}

/**
 * Releases every open hold of an order, or the one of `holdId`. Audit rules that placed one are overruled: they are not asked again about this order.
 * Refused with `conflict` where nothing (or no such hold) holds the order. Returns the order's status.
 */
export async function releaseOrder(writer: StockWriter, orderId: string, note: string | null, actor: string, holdId: number | null = null): Promise<OrderStatus> {
  return writer.change(async (tx) => {
    const order = await lockOrder(tx, orderId);
    if (TERMINAL.has(order.status)) throw new Problem('conflict', `the order is ${order.status}: it cannot be released`);
    const released = await tx.query<{ reason: string; rule_id: number | null }>(
      `update order_holds set released_at = $2, released_by = $3, note = $4 where order_id = $1 and released_at is null and ($5::bigint is null or id = $5) returning reason, rule_id`,
      [orderId, tx.now, actor, note, holdId]);
    if (released.length === 0) throw new Problem('conflict', `the order is ${order.status}: ${holdId === null ? 'it is not held' : 'no open hold has this id'}`);
    await tx.query(
      `update orders set approved_rules = array(select distinct r from unnest(approved_rules || $2::int[]) r order by r) where id = $1`,
      [orderId, released.flatMap((h) => h.rule_id ?? [])]);
    // Whoever lets it go on has the places asked again that gave it back.
    if (released.some((h) => h.reason === GIVEN_BACK)) await askAgain(tx, orderId, null);
    await tx.event(orderId, 'order.hold_released', actor, { holds: released.map((h) => h.reason), note });
    const status = await refreshStatus(tx, order, actor);
    await tx.wake(orderId);
    return status;
  });
}

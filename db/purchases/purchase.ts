import { decodeId, encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { PurchaseStatus } from '../../domain/purchase/flow.ts';
import type { Tx } from '../tx.ts';

export type Purchase = { id: string; reference: string; vendor: string; locationId: number; status: PurchaseStatus; cost: number; note: string | null; supplyId: number | null };
/** Who asks. `onlyLocation`: the location that the key is bound to. */
export type Who = { actor: string; onlyLocation: number | null };

export function noSuchPurchase(id: string): Problem { return new Problem('not_found', `purchase order "${id}" does not exist`); }

/** The UUID of a purchase order as a client names it. Throws Problem not_found. */
export function purchaseUuid(id: string): string {
  const uuid = decodeId('pur', id);
  if (uuid === null) throw noSuchPurchase(id);
  return uuid;
}

/** Locks a purchase order: after idempotency keys, before orders and levels. Throws Problem not_found. */
export async function lockPurchase(tx: Tx, uuid: string): Promise<Purchase> {
  const row = await tx.one<Purchase>(
    'select id, reference, vendor, location_id "locationId", status, cost, note, supply_id "supplyId" from purchase_orders where id = $1 for no key update', [uuid]);
  if (!row) throw noSuchPurchase(encodeId('pur', uuid));
  return row;
}

export async function purchaseEvent(tx: Tx, id: string, type: string, actor: string, data: Record<string, unknown> | null = null): Promise<void> {
  await tx.query('insert into purchase_order_events (purchase_id, type, at, actor, data) values ($1, $2, $3, $4, $5)', [id, type, tx.now, actor, data === null ? null : JSON.stringify(data)]);
}

/** The supply by which its units are to come. */
export function purchaseSupply(uuid: string): string { return `PO-${encodeId('pur', uuid).slice(4)}`; }

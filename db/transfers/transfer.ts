import { decodeId, encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { TransferStatus } from '../../domain/transfer/flow.ts';
import { askWorkflow, type WorkflowRef } from '../outbox.ts';
import type { Tx } from '../tx.ts';

/** The allotment of units that are set aside at a sender (migration 0018); no order looks there. */
export const SET_ASIDE = -1;

export const TRANSFER_REASONS = ['replenishment', 'redistribution', 'order', 'manual'] as const;
export type TransferReason = (typeof TRANSFER_REASONS)[number];
export type Transfer = {
  id: string; reference: string; reason: TransferReason; orderId: string | null; fromLocationId: number; toLocationId: number; status: TransferStatus; transitS: number;
  decideBy: Date; shipBy: Date | null; giveUpAt: Date | null; lateAt: Date | null; overdueAt: Date | null; supplyId: number | null; expectedAt: Date | null;
};
const TRANSFER = `id, reference, reason, order_id "orderId", from_location_id "fromLocationId", to_location_id "toLocationId", status, transit_s "transitS", decide_by "decideBy", ship_by "shipBy",
  give_up_at "giveUpAt", late_at "lateAt", overdue_at "overdueAt", supply_id "supplyId", expected_at "expectedAt"`;
/** Who asks. `onlyLocation`: the location that the key is bound to; other locations' transfers are as if they did not exist. */
export type Who = { actor: string; onlyLocation: number | null };

/** The UUID of a transfer as a client names it. Throws Problem not_found. */
export function transferUuid(id: string): string {
  const uuid = decodeId('trf', id);
  if (uuid === null) throw noSuchTransfer(id);
  return uuid;
}

export function noSuchTransfer(id: string): Problem { return new Problem('not_found', `transfer "${id}" does not exist`); }

/**
 * Locks a transfer: after idempotency keys, before orders and levels. `side`: whose command it is, for a key that is bound to a location. Throws Problem not_found where
 * it does not exist or is another location's, `forbidden` where it is the other side's part.
 */
export async function lockTransfer(tx: Tx, uuid: string, onlyLocation: number | null = null, side: 'from' | 'to' | 'any' = 'any'): Promise<Transfer> {
  const row = await tx.one<Transfer>(`select ${TRANSFER} from transfers where id = $1 and ($2::int is null or $2 in (from_location_id, to_location_id)) for no key update`, [uuid, onlyLocation]);
  if (!row) throw noSuchTransfer(encodeId('trf', uuid));
  if (onlyLocation !== null && side !== 'any' && onlyLocation !== (side === 'from' ? row.fromLocationId : row.toLocationId)) {
    throw new Problem('forbidden', side === 'from' ? 'the sending location does that' : 'the receiving location does that');
  }
  return row;
}

export async function transferEvent(tx: Tx, id: string, type: string, actor: string, data: Record<string, unknown> | null = null): Promise<void> {
  await tx.query('insert into transfer_events (transfer_id, type, at, actor, data) values ($1, $2, $3, $4, $5)', [id, type, tx.now, actor, data === null ? null : JSON.stringify(data)]);
}

/** Its workflow: `transfer/<id>`; the name and the input stand in workflows/contract. */
export function transferWorkflow(uuid: string): WorkflowRef {
  const transfer = encodeId('trf', uuid);
  return { type: 'transfer', id: `transfer/${transfer}`, input: { v: 1, transfer } };
}

/** The workflow looks at the facts again. */
export async function wakeTransfer(tx: Tx, uuid: string): Promise<void> { await askWorkflow(tx, 'look', transferWorkflow(uuid)); }

/** The supply by which the units of a transfer are on their way. */
export function supplyReference(uuid: string): string { return `TR-${encodeId('trf', uuid).slice(4)}`; }

import { encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { DeclarationKind, DeclarationStatus } from '../../domain/stock/declaration.ts';
import type { WorkflowRef } from '../outbox.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';

export type Declaration = {
  id: string; code: string; allotmentId: number; kind: DeclarationKind; partner: string; channelId: number; status: DeclarationStatus;
  startsAt: Date; endsAt: Date; settleBy: Date; endedAt: Date | null;
};
export const DECLARATION = `id, code, allotment_id "allotmentId", kind, partner, channel_id "channelId", status, starts_at "startsAt", ends_at "endsAt", settle_by "settleBy", ended_at "endedAt"`;

/** Locks a declaration: the first lock of every command on it. Throws not_found. */
export async function lockDeclaration(tx: Tx, by: { code: string } | { id: string }): Promise<Declaration> {
  const [column, value] = 'code' in by ? ['code', by.code] : ['id', by.id];
  const row = await tx.one<Declaration>(`select ${DECLARATION} from declarations where ${column} = $1 for no key update`, [value]);
  if (!row) throw new Problem('not_found', `declaration "${value}" does not exist`);
  return row;
}

/** Its workflow: `declaration/<id>`; the name and the input stand in workflows/contract. */
export function declarationWorkflow(id: string): WorkflowRef {
  const declaration = encodeId('dec', id);
  return { type: 'declaration', id: `declaration/${declaration}`, input: { v: 1, declaration } };
}

/** This process knows the session and its levels at once; the others hear of them by NOTIFY and the change stream. */
export async function showAtOnce(writer: StockWriter, network: { reload(): Promise<void> }, allotmentId: number): Promise<void> {
  await network.reload();
  const { rows } = await writer.pool.query<{ sku_id: number }>('select distinct sku_id from stock_levels where allotment_id = $1', [allotmentId]);
  await writer.projection?.rereadSkus(writer.pool, rows.map((r) => r.sku_id));
}

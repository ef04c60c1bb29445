import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import type { TransferStatus } from '../../domain/transfer/flow.ts';
import { noSuchTransfer, supplyReference, type TransferReason } from './transfer.ts';

/** Times ISO 8601. `late`: it should have left; `overdue`: it should have come. `supply`: by which it is on its way. */
export type TransferView = {
  id: string; reference: string; reason: TransferReason; order: string | null; from: string; to: string; status: TransferStatus; note: string | null; late: boolean; overdue: boolean; supply: string | null;
  createdAt: string; decideBy: string; shipBy: string | null; expectedAt: string | null; shippedAt: string | null; receivedAt: string | null; endedAt: string | null; units: number;
};
export type TransferDetail = TransferView & {
  lines: { line: number; sku: string; quantity: number; picked: number | null; shipped: number | null; received: number }[];
  variances: { sku: string; kind: string; units: number; receipt: string }[];
  events: { type: string; at: string; actor: string; data: unknown }[];
};
export type TransferFilter = { status: TransferStatus | null; from: number | null; to: number | null; orderId: string | null; before: string | null; limit: number; onlyLocation: number | null };

type Row = { id: string; reference: string; reason: TransferReason; order_id: string | null; from: string; to: string; status: TransferStatus; note: string | null; supply_id: number | null; late_at: Date | null;
  overdue_at: Date | null; created_at: Date; decide_by: Date; ship_by: Date | null; expected_at: Date | null; shipped_at: Date | null; received_at: Date | null; ended_at: Date | null; units: number };
const HEAD = `t.*, f.code "from", d.code "to", (select sum(quantity)::int from transfer_lines n where n.transfer_id = t.id) units
  from transfers t join locations f on f.id = t.from_location_id join locations d on d.id = t.to_location_id`;
const at = (date: Date | null): string | null => date?.toISOString() ?? null;

function view(row: Row): TransferView {
  return {
    id: encodeId('trf', row.id), reference: row.reference, reason: row.reason, order: row.order_id === null ? null : encodeId('ord', row.order_id), from: row.from, to: row.to, status: row.status, note: row.note,
    late: row.late_at !== null, overdue: row.overdue_at !== null, supply: row.supply_id === null ? null : supplyReference(row.id), createdAt: row.created_at.toISOString(), decideBy: row.decide_by.toISOString(),
    shipBy: at(row.ship_by), expectedAt: at(row.expected_at), shippedAt: at(row.shipped_at), receivedAt: at(row.received_at), endedAt: at(row.ended_at), units: row.units,
  };
}

/** The newest first. `onlyLocation`: those that leave it or come to it. */
export async function listTransfers(pool: pg.Pool, filter: TransferFilter): Promise<TransferView[]> {
  const { rows } = await pool.query<Row>(
    `select ${HEAD} where ($1::uuid is null or t.id < $1) and ($2::text is null or t.status = $2) and ($3::int is null or t.from_location_id = $3) and ($4::int is null or t.to_location_id = $4)
       and ($5::uuid is null or t.order_id = $5) and ($6::int is null or $6 in (t.from_location_id, t.to_location_id)) order by t.id desc limit $7`,
    [filter.before, filter.status, filter.from, filter.to, filter.orderId, filter.onlyLocation, filter.limit]);
  return rows.map(view);
}

/** Throws Problem not_found, also for another location's transfer. */
export async function readTransfer(pool: pg.Pool, uuid: string, onlyLocation: number | null): Promise<TransferDetail> {
  const { rows: [row] } = await pool.query<Row>(`select ${HEAD} where t.id = $1 and ($2::int is null or $2 in (t.from_location_id, t.to_location_id))`, [uuid, onlyLocation]);
  if (!row) throw noSuchTransfer(encodeId('trf', uuid));
  const [lines, variances, events] = await Promise.all([
    pool.query<TransferDetail['lines'][number]>(
      `select n.line_no line, k.code sku, n.quantity, n.picked, n.shipped, coalesce((select sum(r.quantity)::int from supply_receipts r where r.supply_id = $2 and r.sku_id = n.sku_id), 0) received
       from transfer_lines n join skus k on k.id = n.sku_id where n.transfer_id = $1 order by n.line_no`, [uuid, row.supply_id]),
    pool.query<TransferDetail['variances'][number]>('select k.code sku, x.kind, x.units, x.reference receipt from supply_variances x join skus k on k.id = x.sku_id where x.supply_id = $1 order by x.id', [row.supply_id]),
    pool.query<{ type: string; at: Date; actor: string; data: unknown }>('select type, at, actor, data from transfer_events where transfer_id = $1 order by id', [uuid]),
  ]);
  return { ...view(row), lines: lines.rows, variances: variances.rows, events: events.rows.map((e) => ({ ...e, at: e.at.toISOString() })) };
}

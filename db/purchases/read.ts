import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import type { PurchaseStatus } from '../../domain/purchase/flow.ts';
import { noSuchPurchase, purchaseSupply } from './purchase.ts';

/** Money in minor units, times ISO 8601. `supply`: by which it is to come. */
export type PurchaseView = {
  id: string; reference: string; vendor: string; location: string; status: PurchaseStatus; units: number; cost: number; note: string | null; supply: string | null;
  createdAt: string; createdBy: string; approvedAt: string | null; approvedBy: string | null; sentAt: string | null; expectedAt: string | null; receivedAt: string | null; endedAt: string | null;
};
export type PurchaseDetail = PurchaseView & {
  lines: { line: number; sku: string; quantity: number; unitCost: number; received: number }[];
  variances: { sku: string; kind: string; units: number; receipt: string }[];
  events: { type: string; at: string; actor: string; data: unknown }[];
};
export type PurchaseFilter = { status: PurchaseStatus | null; vendor: string | null; location: number | null; before: string | null; limit: number };

type Row = Omit<PurchaseView, 'id' | 'supply' | 'createdAt' | 'approvedAt' | 'sentAt' | 'expectedAt' | 'receivedAt' | 'endedAt'> & {
  id: string; supply_id: number | null; created_at: Date; approved_at: Date | null; sent_at: Date | null; expected_at: Date | null; received_at: Date | null; ended_at: Date | null;
};
const HEAD = `p.id, p.reference, p.vendor, l.code "location", p.status, p.cost, p.note, p.supply_id, p.created_at, p.created_by "createdBy", p.approved_at, p.approved_by "approvedBy", p.sent_at, p.expected_at, p.received_at,
  p.ended_at, (select sum(quantity)::int from purchase_order_lines n where n.purchase_id = p.id) units from purchase_orders p join locations l on l.id = p.location_id`;
const at = (date: Date | null): string | null => date?.toISOString() ?? null;

function view({ id, supply_id, created_at, approved_at, sent_at, expected_at, received_at, ended_at, ...row }: Row): PurchaseView {
  return {
    ...row, id: encodeId('pur', id), supply: supply_id === null ? null : purchaseSupply(id), createdAt: created_at.toISOString(), approvedAt: at(approved_at), sentAt: at(sent_at), expectedAt: at(expected_at), receivedAt: at(received_at), endedAt: at(ended_at),
  };
}

/** The newest first. */
export async function listPurchases(pool: pg.Pool, f: PurchaseFilter): Promise<PurchaseView[]> {
  const { rows } = await pool.query<Row>(
    `select ${HEAD} where ($1::uuid is null or p.id < $1) and ($2::text is null or p.status = $2) and ($3::text is null or p.vendor = $3) and ($4::int is null or p.location_id = $4) order by p.id desc limit $5`,
    [f.before, f.status, f.vendor, f.location, f.limit]);
  return rows.map(view);
}

/** Throws Problem not_found, also for another location's. */
export async function readPurchase(pool: pg.Pool, uuid: string, onlyLocation: number | null): Promise<PurchaseDetail> {
  const { rows: [row] } = await pool.query<Row>(`select ${HEAD} where p.id = $1 and ($2::int is null or p.location_id = $2)`, [uuid, onlyLocation]);
  if (!row) throw noSuchPurchase(encodeId('pur', uuid));
  const [lines, variances, events] = await Promise.all([
    pool.query<PurchaseDetail['lines'][number]>(
      `select n.line_no line, k.code sku, n.quantity, n.unit_cost "unitCost", coalesce((select sum(r.quantity)::int from supply_receipts r where r.supply_id = $2 and r.sku_id = n.sku_id), 0) received
       from purchase_order_lines n join skus k on k.id = n.sku_id where n.purchase_id = $1 order by n.line_no`, [uuid, row.supply_id]),
    pool.query<PurchaseDetail['variances'][number]>('select k.code sku, x.kind, x.units, x.reference receipt from supply_variances x join skus k on k.id = x.sku_id where x.supply_id = $1 order by x.id', [row.supply_id]),
    pool.query<{ type: string; at: Date; actor: string; data: unknown }>('select type, at, actor, data from purchase_order_events where purchase_id = $1 order by id', [uuid]),
  ]);
  return { ...view(row), lines: lines.rows, variances: variances.rows, events: events.rows.map((e) => ({ ...e, at: e.at.toISOString() })) };
}

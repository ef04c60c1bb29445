import type pg from 'pg';
import { encodeId } from '../../../domain/ids.ts';
import { ownOrder } from '../../read/own-orders.ts';
import type { SupplyKind, SupplyStatus } from './supply.ts';
import { noSuchSupply, PROMISED } from './supply.ts';

/** Units by SKU; `toCome` = `reserved` + `free`. Times ISO 8601. */
export type SupplyView = {
  reference: string; kind: SupplyKind; status: SupplyStatus; location: string; from: string | null; expectedAt: string; overdue: boolean; receivedAt: string | null; cancelledAt: string | null;
  lateWarnings: number; note: string | null; version: number; announced: number; toCome: number; reserved: number;
};
export type SupplyDetail = SupplyView & {
  lines: { line: number; sku: string; condition: string; quantity: number }[];
  levels: { sku: string; condition: string; allotment: string | null; toCome: number; reserved: number; free: number }[];
  variances: { sku: string; kind: string; units: number; shortened: number; receipt: string; at: string }[];
  orders: { order: string; line: number; units: number }[];
};
type Row = Omit<SupplyView, 'expectedAt' | 'receivedAt' | 'cancelledAt'> & { id: number; expected: Date; received: Date | null; cancelled: Date | null };

const HEAD = `s.id, s.reference, s.kind, s.status, l.code location, f.code "from", s.expected_at expected, s.overdue_at is not null overdue, s.received_at received, s.cancelled_at cancelled,
  s.late_warnings "lateWarnings", s.note, s.version, (select coalesce(sum(quantity), 0)::int from supply_lines n where n.supply_id = s.id) announced,
  (select coalesce(sum(on_hand), 0)::int from stock_levels v where v.supply_id = s.id) "toCome", (select coalesce(sum(reserved), 0)::int from stock_levels v where v.supply_id = s.id) reserved
  from supplies s join locations l on l.id = s.location_id left join locations f on f.id = s.source_location_id`;

function view({ id: _id, expected, received, cancelled, ...row }: Row): SupplyView {
  return { ...row, expectedAt: expected.toISOString(), receivedAt: received?.toISOString() ?? null, cancelledAt: cancelled?.toISOString() ?? null };
}

/** Supplies by the order of their announcement. `onlyLocation`: those that come to it or leave it. */
export async function listSupplies(
  pool: pg.Pool, filter: { status: SupplyStatus | null; location: number | null; after: number; limit: number; onlyLocation: number | null },
): Promise<{ supplies: SupplyView[]; next: number | null }> {
  const { rows } = await pool.query<Row>(
    `select ${HEAD} where s.id > $1 and ($2::text is null or s.status = $2) and ($3::int is null or s.location_id = $3) and ($4::int is null or $4 in (s.location_id, s.source_location_id))
     order by s.id limit $5`, [filter.after, filter.status, filter.location, filter.onlyLocation, filter.limit + 1]);
  const page = rows.slice(0, filter.limit);
  return { supplies: page.map(view), next: rows.length > filter.limit ? page.at(-1)?.id ?? null : null };
}

/** One supply with what is still to come and who waits for it; `onlyLocation` sees the orders that are its own. Throws Problem not_found. */
export async function readSupply(pool: pg.Pool, reference: string, onlyLocation: number | null): Promise<SupplyDetail> {
  const { rows: [row] } = await pool.query<Row>(`select ${HEAD} where s.reference = $1 and s.id <> 0 and ($2::int is null or $2 in (s.location_id, s.source_location_id))`, [reference, onlyLocation]);
  if (!row) throw noSuchSupply(reference);
  const [lines, levels, variances, orders] = await Promise.all([
    pool.query<SupplyDetail['lines'][number]>('select n.line_no line, k.code sku, n.condition, n.quantity from supply_lines n join skus k on k.id = n.sku_id where n.supply_id = $1 order by n.line_no', [row.id]),
    pool.query<SupplyDetail['levels'][number]>(
      `select k.code sku, v.condition, nullif(a.code, '') allotment, v.on_hand "toCome", v.reserved, v.on_hand - v.reserved free from stock_levels v join skus k on k.id = v.sku_id join allotments a on a.id = v.allotment_id
       where v.supply_id = $1 and v.on_hand > 0 order by k.code, v.condition, v.id`, [row.id]),
    pool.query<Omit<SupplyDetail['variances'][number], 'at'> & { at: Date }>(
      'select k.code sku, x.kind, x.units, x.shortened, x.reference receipt, x.at from supply_variances x join skus k on k.id = x.sku_id where x.supply_id = $1 order by x.id', [row.id]),
    pool.query<{ id: string; line: number; units: number }>(
      `select o.id, r.line_no line, sum(r.quantity)::int units from stock_levels v join reservations r on r.level_id = v.id and r.status in ('held', 'confirmed') join orders o on o.id = r.order_id join channels c on c.id = o.channel_id
       where v.supply_id = $1 and ($2::int is null or ${ownOrder('o', '$2')}) group by o.id, c.id, r.line_no order by ${PROMISED}, o.captured_at, o.id, r.line_no limit 1000`, [row.id, onlyLocation]),
  ]);
  return {
    ...view(row), lines: lines.rows, levels: levels.rows, variances: variances.rows.map((v) => ({ ...v, at: v.at.toISOString() })),
    orders: orders.rows.map(({ id, ...o }) => ({ order: encodeId('ord', id), ...o })),
  };
}

import type pg from 'pg';

export type TillReceiptView = {
  location: string; till: string; receiptNo: string; kind: string; refersTo: string | null; soldAt: Date; currency: string; total: number; voidedBy: string | null; unbacked: number;
  lines: { line: number; sku: string; known: boolean; quantity: number; unitPrice: number; discount: number; unbacked: number }[];
};

/** Receipts of a shop in the order of their sale, from `since` on; `open`: only those with units that were not on hand or SKUs that are not known. */
export async function tillReceipts(pool: pg.Pool, locationId: number, since: Date, open: boolean, limit: number): Promise<TillReceiptView[]> {
  const { rows } = await pool.query<Omit<TillReceiptView, 'total'> & { total: string }>(
    `select c.code location, r.till, r.receipt_no "receiptNo", r.kind, r.refers_to "refersTo", r.sold_at "soldAt", r.currency, r.total, r.voided_by "voidedBy", coalesce(l.unbacked, 0)::int unbacked, coalesce(l.lines, '[]') lines
     from till_receipts r join locations c on c.id = r.location_id
     left join lateral (select sum(unbacked) unbacked, bool_or(sku_id is null) unknown,
         json_agg(json_build_object('line', line_no, 'sku', sku_code, 'known', sku_id is not null, 'quantity', quantity, 'unitPrice', unit_price, 'discount', discount, 'unbacked', unbacked) order by line_no) lines
       from till_receipt_lines t where t.location_id = r.location_id and t.till = r.till and t.receipt_no = r.receipt_no) l on true
     where r.location_id = $1 and r.sold_at >= $2 and (not $3 or (r.voided_by is null and (l.unbacked > 0 or l.unknown))) order by r.sold_at, r.till, r.receipt_no limit $4`, [locationId, since, open, limit]);
  return rows.map((r) => ({ ...r, total: Number(r.total) }));
}

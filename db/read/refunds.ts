import type pg from 'pg';
import { decodeId, encodeId } from '../../domain/ids.ts';
import type { Bearer } from '../../domain/order/pricing.ts';
import { Problem } from '../../domain/problem.ts';
import { ownOrder } from './own-orders.ts';

/** Units of an order's line and what they give back: the list price, less the discounts of each bearer, with their part of the freight. */
export type RefundLine = { line: number; units: number; amount: number; list: number; freight: number; byBearer: Record<Bearer, number> };
/** Money in minor units; `lines` are drawn from the shares frozen at capture. */
export type RefundView = {
  id: string; order: string; cause: string; amount: number; currency: string; status: string; lines: RefundLine[];
  createdAt: string; settledAt: string | null; settlementReference: string | null;
};
type Row = {
  id: string; order_id: string; cause: string; amount: number; currency: string; status: string; lines: RefundLine[];
  created_at: Date; settled_at: Date | null; settlement_reference: string | null;
};
const COLUMNS = 'r.id, r.order_id, r.cause, r.amount, r.currency, r.status, r.lines, r.created_at, r.settled_at, r.settlement_reference';

function view(row: Row): RefundView {
  return {
    id: encodeId('ref', row.id), order: encodeId('ord', row.order_id), cause: row.cause, amount: row.amount, currency: row.currency, status: row.status,
    lines: row.lines, createdAt: row.created_at.toISOString(), settledAt: row.settled_at?.toISOString() ?? null,
    settlementReference: row.settlement_reference,
  };
}

/** Refunds of an order, oldest first. */
export async function refundsOf(client: pg.ClientBase | pg.Pool, orderId: string): Promise<RefundView[]> {
  const { rows } = await client.query<Row>({ name: 'refunds_of_order', text: `select ${COLUMNS} from refunds r where r.order_id = $1 order by r.id`, values: [orderId] });
  return rows.map(view);
}

/** Refunds in one state, oldest first, so that what has waited longest is paid first. `after` is an inside id; `next` the cursor of the following page. */
export async function listRefunds(
  pool: pg.Pool, filter: { status: 'due' | 'settled'; after: string | null; limit: number; onlyLocation: number | null },
): Promise<{ refunds: RefundView[]; next: string | null }> {
  const { rows } = await pool.query<Row>({
    name: 'refunds_list',
    text: `select ${COLUMNS} from refunds r join orders o on o.id = r.order_id
      where r.status = $1 and ($2::uuid is null or r.id > $2) and ($3::int is null or ${ownOrder('o', '$3')}) order by r.id limit $4`,
    values: [filter.status, filter.after, filter.onlyLocation, filter.limit + 1],
  });
  const page = rows.slice(0, filter.limit).map(view);
  return { refunds: page, next: rows.length > filter.limit ? page.at(-1)?.id ?? null : null };
}

/** One refund. `onlyLocation`: the location that the key is bound to; a refund of another's order is as if it did not exist. Throws not_found. */
export async function readRefund(pool: pg.Pool, refund: string, onlyLocation: number | null): Promise<RefundView> {
  const id = decodeId('ref', refund);
  const { rows: [row] } = id === null ? { rows: [] } : await pool.query<Row>({
    name: 'refund_read', text: `select ${COLUMNS} from refunds r join orders o on o.id = r.order_id where r.id = $1 and ($2::int is null or ${ownOrder('o', '$2')})`,
    values: [id, onlyLocation],
  });
  if (!row) throw new Problem('not_found', `refund "${refund}" does not exist`);
  return view(row);
}

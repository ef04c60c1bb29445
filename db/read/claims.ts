import type pg from 'pg';
import { decodeId, encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { claimId, claimUuid } from '../claims/claim-id.ts';
import { ownOrder } from './own-orders.ts';

/** Money in minor units of the order's currency. `amount`: what is claimed; `settledAmount`: what the carrier pays, null unless it accepted. */
export type ClaimView = {
  id: string; order: string; parcel: string; waybillNo: string; carrier: string; kind: string; status: string; amount: number; settledAmount: number | null; currency: string;
  openedAt: string; closedAt: string | null; note: string | null;
};
type Row = {
  id: string; order_id: string; parcel_id: string; waybill_no: string; carrier: string; kind: string; status: string; amount: number; settled_amount: number | null; currency: string;
  opened_at: Date; closed_at: Date | null; note: string | null;
};
export const CLAIM_STATUSES = ['open', 'accepted', 'rejected'] as const;
export type ClaimStatus = (typeof CLAIM_STATUSES)[number];

const SELECT = `select c.id, c.order_id, c.parcel_id, p.waybill_no, c.carrier, c.kind, c.status, c.amount, c.settled_amount, o.currency, c.opened_at, c.closed_at, c.note
  from claims c join orders o on o.id = c.order_id join parcels p on p.id = c.parcel_id`;

function view(row: Row): ClaimView {
  return {
    id: claimId(row.id), order: encodeId('ord', row.order_id), parcel: encodeId('par', row.parcel_id), waybillNo: row.waybill_no, carrier: row.carrier, kind: row.kind,
    status: row.status, amount: row.amount, settledAmount: row.settled_amount, currency: row.currency, openedAt: row.opened_at.toISOString(),
    closedAt: row.closed_at?.toISOString() ?? null, note: row.note,
  };
}

/** Claims, oldest first. `after` is an inside id; `next` the cursor of the following page, null at the end. */
export async function listClaims(
  pool: pg.Pool, filter: { status: ClaimStatus | null; after: string | null; limit: number; onlyLocation: number | null },
): Promise<{ claims: ClaimView[]; next: string | null }> {
  const { rows } = await pool.query<Row>({
    name: 'claims_list',
    text: `${SELECT} where ($1::text is null or c.status = $1) and ($2::uuid is null or c.id > $2) and ($3::int is null or ${ownOrder('o', '$3')}) order by c.id limit $4`,
    values: [filter.status, filter.after, filter.onlyLocation, filter.limit + 1],
  });
  const page = rows.slice(0, filter.limit).map(view);
  return { claims: page, next: rows.length > filter.limit ? page.at(-1)?.id ?? null : null };
}

/** One claim. `onlyLocation`: the location that the key is bound to; a claim on another's order is as if it did not exist. Throws not_found. */
export async function readClaim(pool: pg.Pool, claim: string, onlyLocation: number | null): Promise<ClaimView> {
  const id = claimUuid(claim);
  const { rows: [row] } = id === null ? { rows: [] } : await pool.query<Row>({
    name: 'claim_read', text: `${SELECT} where c.id = $1 and ($2::int is null or ${ownOrder('o', '$2')})`, values: [id, onlyLocation],
  });
  if (!row) throw new Problem('not_found', `claim "${claim}" does not exist`);
  return view(row);
}

/** The latest claim for a lost parcel. Throws not_found. */
export async function lossClaimOf(pool: pg.Pool, parcelId: string): Promise<ClaimView> {
  const { rows: [row] } = await pool.query<Row>({ name: 'claim_of_parcel', text: `${SELECT} where c.parcel_id = $1 and c.kind = 'lost' order by c.id desc limit 1`, values: [parcelId] });
  if (!row) throw new Problem('not_found', `no claim was opened for parcel "${encodeId('par', parcelId)}"`);
  return view(row);
}

/** The UUID of a parcel as a client names it; another location's is as if it did not exist. Throws not_found. */
export async function ownParcelId(pool: pg.Pool, parcel: string, onlyLocation: number | null): Promise<string> {
  const id = decodeId('par', parcel);
  const { rowCount } = id === null ? { rowCount: 0 } : await pool.query({
    name: 'parcel_own', text: `select from parcels p join orders o on o.id = p.order_id where p.id = $1 and ($2::int is null or ${ownOrder('o', '$2')})`, values: [id, onlyLocation],
  });
  if (id === null || !rowCount) throw new Problem('not_found', `parcel "${parcel}" does not exist`);
  return id;
}

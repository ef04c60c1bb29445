import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { exceptionId, exceptionUuid } from '../carriers/exception-id.ts';
import type { ExceptionKind } from '../carriers/exceptions.ts';
import { ownOrder } from './own-orders.ts';

export type ExceptionView = {
  id: string; order: string; parcel: string; carrier: string; waybillNo: string; kind: ExceptionKind; detail: string; openedAt: string; closedAt: string | null; closedBy: string | null; outcome: string | null;
};
type Row = Omit<ExceptionView, 'openedAt' | 'closedAt'> & { opened_at: Date; closed_at: Date | null };
const SELECT = `select e.id, e.order_id "order", e.parcel_id parcel, e.carrier, p.waybill_no "waybillNo", e.kind, e.detail, e.opened_at, e.closed_at, e.closed_by "closedBy", e.outcome
  from parcel_exceptions e join parcels p on p.id = e.parcel_id join orders o on o.id = e.order_id`;
const view = ({ opened_at, closed_at, ...row }: Row): ExceptionView => ({ ...row, id: exceptionId(row.id), order: encodeId('ord', row.order), parcel: encodeId('par', row.parcel), openedAt: opened_at.toISOString(), closedAt: closed_at?.toISOString() ?? null });

/** Exceptions of parcels, oldest first. `after`: an inside id. */
export async function listExceptions(
  pool: pg.Pool, filter: { kind: string | null; carrier: string | null; open: boolean; after: string | null; limit: number; onlyLocation: number | null },
): Promise<{ exceptions: ExceptionView[]; next: string | null }> {
  const { rows } = await pool.query<Row>({
    name: 'parcel_exceptions_list',
    text: `${SELECT} where ($1::text is null or e.kind = $1) and ($2::text is null or e.carrier = $2) and (not $3 or e.closed_at is null) and ($4::uuid is null or e.id > $4)
      and ($5::int is null or ${ownOrder('o', '$5')}) order by e.id limit $6`,
    values: [filter.kind, filter.carrier, filter.open, filter.after, filter.onlyLocation, filter.limit + 1],
  });
  const exceptions = rows.slice(0, filter.limit).map(view);
  return { exceptions, next: rows.length > filter.limit ? exceptions.at(-1)?.id ?? null : null };
}

/** One exception; another location's is as if it did not exist. Throws not_found. */
export async function readException(pool: pg.Pool, id: string, onlyLocation: number | null): Promise<ExceptionView & { parcelId: string; orderId: string }> {
  const { rows: [row] } = await pool.query<Row>({ name: 'parcel_exception', text: `${SELECT} where e.id = $1 and ($2::int is null or ${ownOrder('o', '$2')})`, values: [exceptionUuid(id), onlyLocation] });
  if (!row) throw new Problem('not_found', `exception "${id}" does not exist`);
  return { ...view(row), parcelId: row.parcel, orderId: row.order };
}

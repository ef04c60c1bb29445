import type pg from 'pg';
import { decodeId, encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';

export type ReturnView = {
  rma: string; order: string; status: string; kind: string; reason: string; method: string; late: boolean; location: string | null; carrier: string | null;
  waybillNo: string | null; exchangeOrder: string | null; requestedAt: string; authorisedAt: string | null; receivedAt: string | null; inspectedAt: string | null;
  closedAt: string | null; lines: { line: number; quantity: number; received: number | null; disposition: string | null; accepted: number | null }[];
};
type Row = Omit<ReturnView, 'rma' | 'order' | 'exchangeOrder' | 'requestedAt' | 'authorisedAt' | 'receivedAt' | 'inspectedAt' | 'closedAt'> & {
  id: string; orderId: string; exchange: string | null; requested: Date; authorised: Date | null; receivedOn: Date | null; inspected: Date | null; closed: Date | null;
};

const SELECT = `select r.id, r.order_id "orderId", r.status, r.kind, r.reason, r.method, r.late, l.code location, r.carrier, r.waybill_no "waybillNo", r.exchange_order_id exchange,
    r.requested_at requested, r.authorised_at authorised, r.received_at "receivedOn", r.inspected_at inspected, r.closed_at closed,
    (select json_agg(json_build_object('line', n.line_no, 'quantity', n.quantity, 'received', n.received_quantity, 'disposition', n.disposition, 'accepted', n.accepted_quantity)
      order by n.line_no) from return_lines n where n.return_id = r.id) lines
  from returns r left join locations l on l.id = r.location_id`;

function view({ id, orderId, exchange, requested, authorised, receivedOn, inspected, closed, ...row }: Row): ReturnView {
  return {
    ...row, rma: encodeId('rma', id), order: encodeId('ord', orderId), exchangeOrder: exchange === null ? null : encodeId('ord', exchange), requestedAt: requested.toISOString(),
    authorisedAt: authorised?.toISOString() ?? null, receivedAt: receivedOn?.toISOString() ?? null, inspectedAt: inspected?.toISOString() ?? null, closedAt: closed?.toISOString() ?? null,
  };
}

/** Returns of an order, oldest first. */
export async function returnsOf(client: pg.ClientBase | pg.Pool, orderId: string): Promise<ReturnView[]> {
  const { rows } = await client.query<Row>({ name: 'returns_of_order', text: `${SELECT} where r.order_id = $1 order by r.id`, values: [orderId] });
  return rows.map(view);
}

/** One return. `onlyLocation`: the location that the key is bound to; another's return, or one that has no location yet, is as if it did not exist. Throws not_found. */
export async function readReturn(pool: pg.Pool, rma: string, onlyLocation: number | null): Promise<ReturnView> {
  const id = decodeId('rma', rma);
  const { rows: [row] } = id === null ? { rows: [] } : await pool.query<Row>({
    name: 'return_read', text: `${SELECT} where r.id = $1 and ($2::int is null or r.location_id = $2)`, values: [id, onlyLocation],
  });
  if (!row) throw new Problem('not_found', `return "${rma}" does not exist`);
  return view(row);
}

import type pg from 'pg';
import { decodeId, encodeId } from '../../domain/ids.ts';
import type { ReturnStatus } from './returns.ts';

export type ReturnContext = {
  rma: string; orderId: string; status: ReturnStatus; method: 'label' | 'pickup' | 'drop_off'; locationId: number | null; contactId: string; country: string; province: string; city: string;
  shippedFrom: number[]; weightG: number;
};

/** What authorising a return needs to know. Null when the return does not exist. */
export async function returnContext(pool: pg.Pool, rma: string): Promise<ReturnContext | null> {
  const id = decodeId('rma', rma);
  const { rows: [row] } = await pool.query<Omit<ReturnContext, 'rma'>>(
    `select o.id "orderId", r.status, r.method, r.location_id "locationId", o.contact_id "contactId", o.dest_country country, o.dest_province province, o.dest_city city,
       array(select distinct s.location_id from shipments s where s.order_id = o.id order by 1) "shippedFrom",
       coalesce((select sum(k.weight_g * l.quantity) from return_lines l join order_lines ol on ol.order_id = o.id and ol.line_no = l.line_no join skus k on k.id = ol.sku_id
         where l.return_id = r.id), 0)::int "weightG"
     from returns r join orders o on o.id = r.order_id where r.id = $1`, [id]);
  return row ? { rma, ...row, orderId: encodeId('ord', row.orderId) } : null;
}

/** Returns of an order that its own workflow can take a step further. */
export async function openReturns(pool: pg.Pool, orderId: string): Promise<{ rma: string; status: ReturnStatus }[]> {
  const { rows } = await pool.query<{ id: string; status: ReturnStatus }>(
    `select id, status from returns where order_id = $1 and not late and status in ('requested', 'inspected') order by id`, [orderId]);
  return rows.map((r) => ({ rma: encodeId('rma', r.id), status: r.status }));
}

import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';

export type ParcelView = {
  id: string; parcelNo: number; carrier: string; waybillNo: string; weightG: number | null; service: string; dimensionsMm: { length: number; width: number; height: number } | null; chargeableG: number | null; expectedBy: string | null; milestone: string; milestoneAt: string; interceptOutcome: string | null;
  lines: { line: number; quantity: number; lot: string | null; serials: string[] | null }[];
};
export type FulfillmentView = {
  id: string; location: string; status: string; attempt: number; carrier: string | null; waybillNo: string | null; partnerRef: string | null; cost: number; reasons: unknown;
  routedAt: string; releasedAt: string | null; acceptBy: string | null; acceptedAt: string | null; packedAt: string | null; issuedAt: string | null; endedAt: string | null;
  endReason: string | null; cancelRequestedAt: string | null; cancelOutcome: string | null;
  lines: { line: number; quantity: number; short: number; issued: number }[]; parcels: ParcelView[];
};
type Row = {
  id: string; location: string; status: string; attempt: number; carrier: string | null; waybill_no: string | null; partner_ref: string | null; cost: number; reasons: unknown;
  routed_at: Date; released_at: Date | null; accept_by: Date | null; accepted_at: Date | null; packed_at: Date | null; issued_at: Date | null; ended_at: Date | null;
  end_reason: string | null; cancel_requested_at: Date | null; cancel_outcome: string | null; lines: FulfillmentView['lines'];
};
const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

/** SQL for a fulfillment order `f`: its lines as JSON. Lines of a plan given up may have moved to another order (split, merge): their SKU is null. */
export const FULFILLMENT_LINES = `(select json_agg(json_build_object('line', n.line_no, 'sku', ol.sku_code, 'quantity', n.quantity, 'short', n.short_quantity, 'issued', n.issued_quantity)
  order by n.line_no) from fulfillment_order_lines n left join order_lines ol on ol.order_id = f.order_id and ol.line_no = n.line_no where n.fulfillment_order_id = f.id)`;

/** Fulfillment orders of an order with their parcels, oldest first. Costs in minor units. */
export async function fulfillmentsOf(client: pg.ClientBase, orderId: string): Promise<FulfillmentView[]> {
  const { rows } = await client.query<Row>({
    name: 'order_detail_fulfillments',
    text: `select f.*, l.code location, ${FULFILLMENT_LINES} lines from fulfillment_orders f join locations l on l.id = f.location_id where f.order_id = $1 order by f.routed_at, f.id`,
    values: [orderId],
  });
  const parcels = await parcelsOf(client, orderId);
  return rows.map((f) => ({
    id: encodeId('ful', f.id), location: f.location, status: f.status, attempt: f.attempt, carrier: f.carrier, waybillNo: f.waybill_no, partnerRef: f.partner_ref, cost: f.cost,
    reasons: f.reasons, routedAt: f.routed_at.toISOString(), releasedAt: iso(f.released_at), acceptBy: iso(f.accept_by), acceptedAt: iso(f.accepted_at), packedAt: iso(f.packed_at),
    issuedAt: iso(f.issued_at), endedAt: iso(f.ended_at), endReason: f.end_reason, cancelRequestedAt: iso(f.cancel_requested_at), cancelOutcome: f.cancel_outcome,
    lines: f.lines.map(({ line, quantity, short, issued }) => ({ line, quantity, short, issued })), parcels: parcels.get(f.id) ?? [],
  }));
}

/** Parcels by the id of their fulfillment order. */
async function parcelsOf(client: pg.ClientBase, orderId: string): Promise<Map<string, ParcelView[]>> {
  const { rows } = await client.query<Omit<ParcelView, 'milestoneAt' | 'expectedBy'> & { fulfillment: string; at: Date; expected: Date | null }>({
    name: 'order_detail_parcels',
    text: `select s.fulfillment_order_id fulfillment, p.id, p.parcel_no "parcelNo", p.carrier, p.waybill_no "waybillNo", p.weight_g "weightG", p.service, p.chargeable_g "chargeableG", p.expected_by expected,
        case when p.length_mm is not null then json_build_object('length', p.length_mm, 'width', p.width_mm, 'height', p.height_mm) end "dimensionsMm", p.milestone, p.milestone_at at,
        p.intercept_outcome "interceptOutcome", coalesce((select json_agg(json_build_object('line', n.line_no, 'quantity', n.quantity, 'lot', n.lot, 'serials', n.serials)
          order by n.line_no) from parcel_lines n where n.parcel_id = p.id), '[]') lines
      from parcels p join shipments s on s.id = p.shipment_id where p.order_id = $1 order by p.parcel_no, p.id`,
    values: [orderId],
  });
  const by = new Map<string, ParcelView[]>();
  for (const { fulfillment, at, id, expected, ...row } of rows) by.set(fulfillment, [...by.get(fulfillment) ?? [], { ...row, id: encodeId('par', id), expectedBy: iso(expected), milestoneAt: at.toISOString() }]);
  return by;
}

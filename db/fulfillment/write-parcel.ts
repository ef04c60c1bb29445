import { zone, type Place } from '../../domain/geo.ts';
import { Problem } from '../../domain/problem.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { announceParcel } from '../carriers/follows.ts';
import type { FulfillmentOrder, Order } from '../orders/order.ts';
import type { Tx } from '../tx.ts';

/** Outer dimensions of a parcel, mm. */
type Dimensions = { length: number; width: number; height: number };
export type ParcelNews = { parcelNo: number; carrier: string; waybillNo: string; weightG?: number; dimensionsMm?: Dimensions; lines: { lineNo: number; quantity: number; lot?: string; serials?: string[] }[] };

/**
 * Writes a parcel that leaves, with the service it goes by, its lane, the end of the day on which the rate card has it arrive (in the location's zone; a missed cut-off is a day more), and
 * its chargeable weight: the larger of the weight and length × width × height ⁄ the rate's divisor. Returns its id. Throws `conflict` where its waybill is on another parcel.
 */
export async function writeParcel(tx: Tx, order: Order, f: FulfillmentOrder, shipment: string, parcel: ParcelNews): Promise<string> {
  // Handed to another carrier than was planned: by its standard service.
  const service = parcel.carrier === f.carrier ? f.service : 'standard';
  const from = await tx.one<Omit<Place, 'lat' | 'lon'>>('select country, province, city from locations where id = $1', [f.locationId]);
  if (!from) throw new Error(`location ${f.locationId} is not there`);
  const place = (p: Omit<Place, 'lat' | 'lon'>): Place => ({ country: p.country, province: p.province, city: p.city, lat: null, lon: null });
  const to = zone(place(from), place(order));
  const rate = await tx.one<{ volumetric: number | null; expected: Date }>(
    `select r.volumetric_mm3_per_g volumetric,
       ((($5::timestamptz at time zone l.time_zone)::date + r.transit_days + 1
         + case when extract(hour from $5::timestamptz at time zone l.time_zone) * 60 + extract(minute from $5::timestamptz at time zone l.time_zone) > r.cutoff_minutes then 1 else 0 end)::timestamp at time zone l.time_zone) expected
     from carrier_rates r join locations l on l.id = $4 where r.carrier = $1 and r.service = $2 and r.zone = $3`, [parcel.carrier, service, to, f.locationId, tx.now]);
  const size = parcel.dimensionsMm;
  const volumetricG = size && rate?.volumetric ? Math.ceil((size.length * size.width * size.height) / rate.volumetric) : 0;
  const chargeable = parcel.weightG === undefined && volumetricG === 0 ? null : Math.max(parcel.weightG ?? 0, volumetricG);
  const id = uuidv7();
  const written = await tx.query(
    `insert into parcels (id, shipment_id, order_id, parcel_no, carrier, waybill_no, weight_g, milestone, milestone_at, service, zone, expected_by, length_mm, width_mm, height_mm, chargeable_g)
     values ($1, $2, $3, $4, $5, $6, $7, 'issued', $8, $9, $10, $11, $12, $13, $14, $15) on conflict (carrier, waybill_no) do nothing returning 1`,
    [id, shipment, order.id, parcel.parcelNo, parcel.carrier, parcel.waybillNo, parcel.weightG ?? null, tx.now, service, to, rate?.expected ?? null, size?.length ?? null, size?.width ?? null, size?.height ?? null, chargeable]);
  if (written.length === 0) throw new Problem('conflict', `waybill ${parcel.waybillNo} of ${parcel.carrier} is on another parcel`, '/parcels');
  for (const line of parcel.lines) {
    await tx.query('insert into parcel_lines (parcel_id, line_no, quantity, lot, serials) values ($1, $2, $3, $4, $5)',
      [id, line.lineNo, line.quantity, line.lot ?? null, line.serials ? JSON.stringify(line.serials) : null]);
  }
  await announceParcel(tx, id, parcel.carrier);
  return id;
}

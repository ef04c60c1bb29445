import type pg from 'pg';

/** Hours without news after which a carrier is asked. */
const SILENT_HOURS = 2;

/** Takes parcels that have not been heard of for a while, the longest first, so that no other worker asks for them at the same time. */
export async function takeStaleParcels(pool: pg.Pool, now: Date, limit: number): Promise<{ carrier: string; waybillNo: string; contactId: string }[]> {
  const { rows } = await pool.query<{ carrier: string; waybillNo: string; contactId: string }>({
    name: 'parcels_stale',
    text: `update parcels p set polled_at = $1 from (
        select id from parcels where milestone not in ('delivered', 'returned', 'lost') and coalesce(polled_at, milestone_at) < $1::timestamptz - make_interval(hours => $2)
        order by coalesce(polled_at, milestone_at) limit $3 for no key update skip locked) s, orders o
      where p.id = s.id and o.id = p.order_id returning p.carrier, p.waybill_no "waybillNo", o.contact_id "contactId"`,
    values: [now, SILENT_HOURS, limit],
  });
  return rows;
}

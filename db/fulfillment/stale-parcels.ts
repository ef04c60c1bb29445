import type pg from 'pg';

/** Hours without news after which a carrier is asked. */
const SILENT_HOURS = 2;
/** SQL: when a parcel was last heard of, or asked for; the index `parcels_heard` is of this. */
const HEARD = 'greatest(coalesce(polled_at, milestone_at), heard_at)';

export type StaleParcel = { id: string; carrier: string; waybillNo: string; contactId: string };

/** Takes parcels that have not been heard of for a while, the longest first, so that no other worker asks for them at the same time. */
export async function takeStaleParcels(pool: pg.Pool, now: Date, limit: number): Promise<StaleParcel[]> {
  const { rows } = await pool.query<StaleParcel>({
    name: 'parcels_stale',
    text: `update parcels p set polled_at = $1 from (
        select id from parcels where milestone not in ('delivered', 'returned', 'lost') and ${HEARD} < $1::timestamptz - make_interval(hours => $2)
        order by ${HEARD} limit $3 for no key update skip locked) s, orders o
      where p.id = s.id and o.id = p.order_id returning p.id, p.carrier, p.waybill_no "waybillNo", o.contact_id "contactId"`,
    values: [now, SILENT_HOURS, limit],
  });
  return rows;
}

/** Whoever could tell of a parcel wants a pause: it is asked for again from `at` on, as if it had been heard of so long before. */
export async function pollAgain(pool: pg.Pool, id: string, at: Date): Promise<void> {
  await pool.query('update parcels set polled_at = least(polled_at, $2::timestamptz - make_interval(hours => $3)) where id = $1', [id, at, SILENT_HOURS]);
}

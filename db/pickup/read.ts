import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';

export type PickupView = {
  fulfillmentOrder: string; order: string; channel: string; externalId: string; way: string; location: string; status: string; readyBy: string; late: boolean; until: string | null; arrivedAt: string | null; arrivedNote: string | null; wrongCodes: number; uuid: string;
};

/** What is still to be fetched, who waits outside first, then by when it must be ready. */
export async function listPickups(pool: pg.Pool, filter: { locationId: number | null; limit: number }): Promise<PickupView[]> {
  const { rows } = await pool.query<{ id: string; order_id: string; channel: string; external_id: string; way: string; location: string; status: string; ready_by: Date; late: boolean; pickup_until: Date | null; arrived_at: Date | null; arrived_note: string | null; pickup_attempts: number }>(
    `select f.id, f.order_id, c.code channel, o.external_id, o.way, l.code location, f.status, f.ready_by, f.ready_late_at is not null and f.status <> 'packed' late, f.pickup_until, f.arrived_at, f.arrived_note, f.pickup_attempts
     from fulfillment_orders f join orders o on o.id = f.order_id join channels c on c.id = o.channel_id join locations l on l.id = f.location_id
     where f.ready_by is not null and f.handed_out_at is null and f.status in ('releasing', 'released', 'accepted', 'packed') and ($1::int is null or f.location_id = $1)
     order by f.arrived_at nulls last, f.ready_by, f.id limit $2`, [filter.locationId, filter.limit]);
  return rows.map((r) => ({
    fulfillmentOrder: encodeId('ful', r.id), order: encodeId('ord', r.order_id), channel: r.channel, externalId: r.external_id, way: r.way, location: r.location, status: r.status, readyBy: r.ready_by.toISOString(), late: r.late,
    until: r.pickup_until?.toISOString() ?? null, arrivedAt: r.arrived_at?.toISOString() ?? null, arrivedNote: r.arrived_note, wrongCodes: r.pickup_attempts, uuid: r.id,
  }));
}

/** Whether anybody may be told the code of it: it is ready and was not handed out. */
export async function isWaiting(pool: pg.Pool, id: string): Promise<boolean> {
  const { rowCount } = await pool.query(`select from fulfillment_orders where id = $1 and ready_by is not null and status = 'packed' and handed_out_at is null`, [id]);
  return rowCount === 1;
}

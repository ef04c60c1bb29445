import type { TrackingStatus } from '../../domain/order/milestone.ts';
import type { Tx } from '../tx.ts';

/** A piece of news as it was kept; `toldBy`: its carrier, or who follows it. */
export type EarlyNews = { eventId: string; waybillNo: string; status: TrackingStatus; occurredAt: string; endsReturn: boolean; toldBy: string };

/** News from before is a parcel's own only for so long: carriers give their numbers out again. */
const KEPT_DAYS = 30;

/**
 * From here to the commit nobody else writes a parcel, or news of an unknown one, under these waybills: news that comes while the goods issue is written is seen by the one or by the other.
 * Locked after the order.
 */
export async function lockWaybills(tx: Tx, waybills: readonly string[]): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('tributary:waybill'), hashtext(w)) from unnest($1::text[]) w`, [[...new Set(waybills)].sort()]);
}

/** What was told of a waybill before its parcel was known here, by its carrier or by whoever follows it, the oldest first. Call under `lockWaybills`. */
export async function earlyNews(tx: Tx, carrier: string, waybillNo: string): Promise<EarlyNews[]> {
  const rows = await tx.query<{ eventId: string; status: TrackingStatus; at: Date; endsReturn: boolean; toldBy: string }>(
    `select event_id "eventId", status, occurred_at at, ends_return "endsReturn", coalesce(told_by, carrier) "toldBy" from tracking_events
     where waybill_no = $2 and carrier = any(array(select $1::text union all select code from carrier_accounts where $1 = any(asks))) and occurred_at > $3::timestamptz - make_interval(days => $4)
     order by occurred_at, received_at`, [carrier, waybillNo, tx.now, KEPT_DAYS]);
  return rows.map(({ at, ...news }) => ({ ...news, waybillNo, occurredAt: at.toISOString() }));
}

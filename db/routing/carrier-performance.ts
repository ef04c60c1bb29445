import type pg from 'pg';
import type { Zone } from '../../domain/geo.ts';
import { lateRisk } from '../../domain/routing/reliability.ts';
import type { StockWriter } from '../stock-writer.ts';
import { WEEKS } from './reliability.ts';

type Counted = { carrier: string; service: string; zone: Zone; parcels: number; onTime: number; daysLate: number };

/**
 * Counts the parcels that left in the last weeks by carrier, service and zone: those that have arrived, are lost, or are overdue by now. In time is what arrived before the end of the
 * day that the rate card named when it left; parcels that came back (intercepted, undeliverable) say nothing. Writes the smoothed risk of being late. Returns how many lanes were measured.
 */
export async function measureCarriers(writer: StockWriter): Promise<number> {
  return writer.change(async (tx) => {
    const lanes = await tx.query<Counted>(
      `select carrier, service, zone, count(*)::int parcels, count(*) filter (where delivered_at < expected_by)::int "onTime",
         coalesce(sum(ceil(extract(epoch from coalesce(delivered_at, $1) - expected_by) / 86400)) filter (where coalesce(delivered_at, $1) >= expected_by), 0)::int "daysLate"
       from (select p.* from parcels p join shipments s on s.id = p.shipment_id join carriers c on c.code = p.carrier
         where s.issued_at > $1::timestamptz - make_interval(weeks => $2) and s.issued_at <= $1 and p.expected_by is not null and p.milestone not in ('returning', 'returned')
           and (p.delivered_at is not null or p.milestone = 'lost' or p.expected_by <= $1)) p group by 1, 2, 3 order by 1, 2, 3`, [tx.now, WEEKS]);
    const zones = new Map<string, { parcels: number; onTime: number }>();
    for (const { zone, parcels, onTime } of lanes) zones.set(zone, { parcels: (zones.get(zone)?.parcels ?? 0) + parcels, onTime: (zones.get(zone)?.onTime ?? 0) + onTime });
    const risks = lanes.map((l) => lateRisk(l, zones.get(l.zone) ?? l));
    await tx.query('delete from carrier_performance where (carrier, service, zone) not in (select * from unnest($1::text[], $2::text[], $3::text[]))', [lanes.map((l) => l.carrier), lanes.map((l) => l.service), lanes.map((l) => l.zone)]);
    if (lanes.length > 0) await tx.query(
      `insert into carrier_performance (carrier, service, zone, parcels, on_time, days_late, late_risk, measured_at)
       select *, $8::timestamptz from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::int[], $6::int[], $7::int[]) on conflict (carrier, service, zone) do update
         set parcels = excluded.parcels, on_time = excluded.on_time, days_late = excluded.days_late, late_risk = excluded.late_risk, measured_at = excluded.measured_at`,
      [lanes.map((l) => l.carrier), lanes.map((l) => l.service), lanes.map((l) => l.zone), lanes.map((l) => l.parcels), lanes.map((l) => l.onTime), lanes.map((l) => l.daysLate), risks, tx.now]);
    return lanes.length;
  });
}

export type PerformanceView = Counted & { onTimeShare: number; lateRisk: number; measuredAt: string };

/** What was measured; of one carrier where asked for. `onTimeShare` per mille as counted, `lateRisk` per mille as routing takes it. */
export async function listPerformance(pool: pg.Pool, carrier: string | null): Promise<PerformanceView[]> {
  const { rows } = await pool.query<Omit<PerformanceView, 'measuredAt' | 'onTimeShare'> & { at: Date }>(
    `select carrier, service, zone, parcels, on_time "onTime", days_late "daysLate", late_risk "lateRisk", measured_at at from carrier_performance where $1::text is null or carrier = $1 order by 1, 2, 3`, [carrier]);
  return rows.map(({ at, ...r }) => ({ ...r, onTimeShare: Math.round((1000 * r.onTime) / r.parcels), measuredAt: at.toISOString() }));
}

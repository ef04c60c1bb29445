import type pg from 'pg';
import type { LocationKind } from '../network.ts';
import type { Vault } from '../vault.ts';

export type LocationInput = {
  name: string; kind: LocationKind; country: string; province: string; city: string; lat?: number; lon?: number; timeZone: string; cutoffMinutes: number; handlingMinutes: number; workDays: number[];
  handlingCost: number; acceptTimeoutS?: number; rerouteAfterS?: number; noCapacityPauseS?: number; closedPauseS?: number; openMinutes?: number; closeMinutes?: number; handlingUnitCost?: number; dailyCapacity?: number; takesHazardous?: boolean; takesOversized?: boolean; partner?: { url: string; secret?: string }; active?: boolean;
};

/** Ten minutes to accept an order, unless a location or channel says otherwise. */
const ACCEPT_S = 600;

/**
 * Makes or changes a location; the partner's secret is sealed and never read back, so a partner without one keeps the secret it has. Without `partner` it
 * works through the API by hand, and the secret goes.
 */
export async function putLocation(pool: pg.Pool, vault: Vault, code: string, l: LocationInput): Promise<void> {
  await pool.query(
    `insert into locations (code, name, kind, country, province, city, lat, lon, time_zone, cutoff_minutes, handling_minutes, work_days, handling_cost, accept_timeout_s, partner_url, partner_secret, active,
       reroute_after_s, no_capacity_pause_s, closed_pause_s, handling_unit_cost, daily_capacity, takes_hazardous, takes_oversized, open_minutes, close_minutes)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26) on conflict (code) do update set name = excluded.name, kind = excluded.kind, country = excluded.country,
       province = excluded.province, city = excluded.city, lat = excluded.lat, lon = excluded.lon, time_zone = excluded.time_zone, cutoff_minutes = excluded.cutoff_minutes,
       handling_minutes = excluded.handling_minutes, work_days = excluded.work_days, handling_cost = excluded.handling_cost, accept_timeout_s = excluded.accept_timeout_s,
       partner_url = excluded.partner_url, active = excluded.active, reroute_after_s = excluded.reroute_after_s,
       no_capacity_pause_s = excluded.no_capacity_pause_s, closed_pause_s = excluded.closed_pause_s, handling_unit_cost = excluded.handling_unit_cost, daily_capacity = excluded.daily_capacity,
       takes_hazardous = excluded.takes_hazardous, takes_oversized = excluded.takes_oversized, open_minutes = excluded.open_minutes, close_minutes = excluded.close_minutes,
       partner_secret = case when excluded.partner_url is not null then coalesce(excluded.partner_secret, locations.partner_secret) end`,
    [code, l.name, l.kind, l.country, l.province, l.city, l.lat ?? null, l.lon ?? null, l.timeZone, l.cutoffMinutes, l.handlingMinutes, l.workDays, l.handlingCost, l.acceptTimeoutS ?? ACCEPT_S,
      l.partner?.url ?? null, l.partner?.secret === undefined ? null : vault.sealSecret(l.partner.secret), l.active ?? true,
      l.rerouteAfterS ?? null, l.noCapacityPauseS ?? 3600, l.closedPauseS ?? 14_400, l.handlingUnitCost ?? 0, l.dailyCapacity ?? null, l.takesHazardous ?? false, l.takesOversized ?? true, l.openMinutes ?? null, l.closeMinutes ?? null]);
}

/** Coordinates of cities, so that destinations have a distance. */
export async function putPlaces(pool: pg.Pool, places: readonly { country: string; province: string; city: string; lat: number; lon: number }[]): Promise<void> {
  const unique = [...new Map(places.map((p) => [`${p.country}|${p.province}|${p.city}`, p])).values()];
  await pool.query(
    `insert into places (country, province, city, lat, lon) select * from unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[])
     on conflict (country, province, city) do update set lat = excluded.lat, lon = excluded.lon`,
    [unique.map((p) => p.country), unique.map((p) => p.province), unique.map((p) => p.city), unique.map((p) => p.lat), unique.map((p) => p.lon)]);
}

import type pg from 'pg';
import type { Zone } from '../../domain/geo.ts';
import { inTransaction } from '../transaction.ts';
import type { Vault } from '../vault.ts';

export type Rate = { zone: Zone; firstWeightG: number; firstCost: number; stepG: number; stepCost: number; transitDays: number; service?: string; cutoffMinute?: number; volumetricMm3PerG?: number; maxWeightG?: number; takesHazardous?: boolean };
/** Addresses that a carrier does not serve, with all services or one: a country, a province, a city, or postcodes of these. */
export type Refusal = { country: string; province?: string; city?: string; postcodePrefix?: string; service?: string; reason: string };
export type CarrierView = { code: string; name: string; url: string | null; signed: boolean; active: boolean; dailyCapacity: number | null; rates: Rate[]; refusals: Refusal[] };
export type CarrierInput = { name: string; url?: string; secret?: string; active?: boolean; dailyCapacity?: number; rates: Rate[]; refusals?: Refusal[] };

/** Carriers by code, inactive ones too, or the one of the code; never their secrets. */
export async function listCarriers(pool: pg.Pool, code: string | null = null): Promise<CarrierView[]> {
  return (await pool.query<CarrierView>(
    `select c.code, c.name, c.base_url url, c.secret is not null signed, c.active, c.daily_capacity "dailyCapacity", coalesce((select json_agg(json_strip_nulls(json_build_object('zone', r.zone, 'firstWeightG', r.first_weight_g,
       'firstCost', r.first_cost, 'stepG', r.step_g, 'stepCost', r.step_cost, 'transitDays', r.transit_days,
       'service', nullif(r.service, 'standard'), 'cutoffMinute', r.cutoff_minutes, 'volumetricMm3PerG', r.volumetric_mm3_per_g, 'maxWeightG', r.max_weight_g, 'takesHazardous', nullif(r.takes_hazardous, false))) order by r.zone, r.service) from carrier_rates r where r.carrier = c.code), '[]') rates,
       coalesce((select json_agg(json_strip_nulls(json_build_object('country', f.country, 'province', f.province, 'city', f.city, 'postcodePrefix', f.postcode_prefix, 'service', f.service, 'reason', f.reason)) order by f.id)
         from carrier_refusals f where f.carrier = c.code), '[]') refusals
     from carriers c where $1::text is null or c.code = $1 order by c.code`, [code])).rows;
}

/** Makes or changes a carrier with its whole rate card, in one transaction. With a URL and no secret it keeps the secret it has: nobody can read it back to send it again. */
export async function putCarrier(pool: pg.Pool, vault: Vault, code: string, c: CarrierInput): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query(
      `insert into carriers (code, name, base_url, secret, active, daily_capacity) values ($1, $2, $3, $4, $5, $6)
       on conflict (code) do update set name = excluded.name, base_url = excluded.base_url,
         secret = case when excluded.base_url is not null then coalesce(excluded.secret, carriers.secret) end, active = excluded.active, daily_capacity = excluded.daily_capacity`,
      [code, c.name, c.url ?? null, c.secret === undefined ? null : vault.sealSecret(c.secret), c.active ?? true, c.dailyCapacity ?? null]);
    await client.query('delete from carrier_rates where carrier = $1', [code]);
    for (const r of c.rates) {
      await client.query(
        'insert into carrier_rates (carrier, zone, first_weight_g, first_cost, step_g, step_cost, transit_days, service, cutoff_minutes, volumetric_mm3_per_g, max_weight_g, takes_hazardous) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)',
        [code, r.zone, r.firstWeightG, r.firstCost, r.stepG, r.stepCost, r.transitDays, r.service ?? 'standard', r.cutoffMinute ?? null, r.volumetricMm3PerG ?? null, r.maxWeightG ?? null, r.takesHazardous ?? false]);
    }
    await client.query('delete from carrier_refusals where carrier = $1', [code]);
    for (const r of c.refusals ?? []) {
      await client.query('insert into carrier_refusals (carrier, service, country, province, city, postcode_prefix, reason) values ($1, $2, $3, $4, $5, $6, $7)',
        [code, r.service ?? null, r.country, r.province ?? null, r.city ?? null, r.postcodePrefix ?? null, r.reason]);
    }
  });
}

import type pg from 'pg';
import type { Zone } from '../../domain/geo.ts';
import type { Vault } from '../vault.ts';

export type Rate = { zone: Zone; firstWeightG: number; firstCost: number; stepG: number; stepCost: number; transitDays: number };
export type CarrierView = { code: string; name: string; url: string | null; signed: boolean; active: boolean; rates: Rate[] };
export type CarrierInput = { name: string; url?: string; secret?: string; active?: boolean; rates: Rate[] };

/** Carriers by code, inactive ones too, or the one of the code; never their secrets. */
export async function listCarriers(pool: pg.Pool, code: string | null = null): Promise<CarrierView[]> {
  return (await pool.query<CarrierView>(
    `select c.code, c.name, c.base_url url, c.secret is not null signed, c.active, coalesce((select json_agg(json_build_object('zone', r.zone, 'firstWeightG', r.first_weight_g,
       'firstCost', r.first_cost, 'stepG', r.step_g, 'stepCost', r.step_cost, 'transitDays', r.transit_days) order by r.zone) from carrier_rates r where r.carrier = c.code), '[]') rates
     from carriers c where $1::text is null or c.code = $1 order by c.code`, [code])).rows;
}

/** Makes or changes a carrier with its whole rate card, in one transaction. With a URL and no secret it keeps the secret it has: nobody can read it back to send it again. */
export async function putCarrier(pool: pg.Pool, vault: Vault, code: string, c: CarrierInput): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(
      `insert into carriers (code, name, base_url, secret, active) values ($1, $2, $3, $4, $5)
       on conflict (code) do update set name = excluded.name, base_url = excluded.base_url,
         secret = case when excluded.base_url is not null then coalesce(excluded.secret, carriers.secret) end, active = excluded.active`,
      [code, c.name, c.url ?? null, c.secret === undefined ? null : vault.sealSecret(c.secret), c.active ?? true]);
    await client.query('delete from carrier_rates where carrier = $1', [code]);
    for (const r of c.rates) {
      await client.query(
        'insert into carrier_rates (carrier, zone, first_weight_g, first_cost, step_g, step_cost, transit_days) values ($1, $2, $3, $4, $5, $6, $7)',
        [code, r.zone, r.firstWeightG, r.firstCost, r.stepG, r.stepCost, r.transitDays]);
    }
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

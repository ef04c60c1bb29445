import type pg from 'pg';
import type { Zone } from '../../domain/geo.ts';
import type { Vault } from '../vault.ts';

export type Rate = { zone: Zone; firstWeightG: number; firstCost: number; stepG: number; stepCost: number; transitDays: number };
export type CarrierInput = { name: string; url?: string; secret?: string; active?: boolean; rates: Rate[] };

/** Makes or changes a carrier with its whole rate card, in one transaction. */
export async function putCarrier(pool: pg.Pool, vault: Vault, code: string, c: CarrierInput): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(
      `insert into carriers (code, name, base_url, secret, active) values ($1, $2, $3, $4, $5)
       on conflict (code) do update set name = excluded.name, base_url = excluded.base_url, secret = excluded.secret, active = excluded.active`,
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

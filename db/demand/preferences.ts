import type pg from 'pg';
import { preferences, type Preference } from '../../domain/replenishment/preferences.ts';
import { TILL_CHANNEL } from './note-receipts.ts';

/** `of`: category, or the name of an attribute; `by`: whose preference. Days inclusive. */
export type PreferenceQuestion = { of: { kind: 'category' } | { kind: 'attribute'; name: string }; by: 'region' | 'channel'; from: string; to: string; rate: number };

/** What regions (`country/province`) or channels prefer, of what was kept by its buyers; SKUs without the category or attribute are left out. `dispersion`: units that come together. */
export async function readPreferences(pool: pg.Pool, q: PreferenceQuestion): Promise<{ units: number; dispersion: number; items: Preference[] }> {
  const value = q.of.kind === 'category' ? 'k.category' : 'k.attributes ->> $3';
  const { rows } = await pool.query<{ value: string; group: string; units: number; square: number }>(
    `select ${value} "value", ${q.by === 'region' ? `d.country || '/' || d.region` : `coalesce(c.code, '${TILL_CHANNEL.code}')`} "group", sum(w.n)::float8 units, sum(w.n * w.n)::float8 square
     from daily_demand d join skus k on k.id = d.sku_id left join channels c on c.id = d.channel_id cross join lateral (select greatest(0, d.units - d.cancelled - d.returned)::float8 n) w
     where d.day between $1::date and $2::date and ${value} is not null and w.n > 0 group by 1, 2`, [q.from, q.to, ...(q.of.kind === 'attribute' ? [q.of.name] : [])]);
  const units = rows.reduce((sum, r) => sum + r.units, 0);
  const dispersion = units === 0 ? 1 : rows.reduce((sum, r) => sum + r.square, 0) / units;
  return { units, dispersion, items: preferences(rows, dispersion, q.rate) };
}

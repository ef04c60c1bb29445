import type pg from 'pg';
import type { SharingMode } from '../../domain/stock/sharing.ts';
import { inTransaction } from '../transaction.ts';

/** A rule as it is said and stored: codes by id, minutes after local midnight. */
export type SharingRow = {
  channelId: number | null; skuIds: number[] | null; category: string | null; mode: SharingMode; value: number | null; from: number | null; to: number | null; weekdays: number[] | null; priority: number;
};
export type SharingView = Omit<SharingRow, 'channelId' | 'skuIds'> & { channel: string | null; skus: string[] | null };

/** Writes the rules of a location in place of those it had. */
export async function putSharing(pool: pg.Pool, locationId: number, rules: readonly SharingRow[]): Promise<void> {
  await inTransaction(pool, async (client) => {
    // Two at once follow one another: the later one's rules stay, whole.
    await client.query('select 1 from locations where id = $1 for no key update', [locationId]);
    await client.query('delete from sharing_rules where location_id = $1', [locationId]);
    for (const r of rules) {
      await client.query(
        `insert into sharing_rules (location_id, channel_id, sku_ids, category, mode, value, from_minute, to_minute, weekdays, priority) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
        [locationId, r.channelId, r.skuIds, r.category, r.mode, r.value, r.from, r.to, r.weekdays, r.priority]);
    }
  });
}

/** The rules of a location, oldest first. */
export async function listSharing(pool: pg.Pool, locationId: number): Promise<SharingView[]> {
  return (await pool.query<SharingView>(
    `select c.code channel, (select array_agg(s.code order by t.i) from unnest(r.sku_ids) with ordinality as t(id, i) join skus s on s.id = t.id) skus, r.category, r.mode, r.value,
       r.from_minute "from", r.to_minute "to", r.weekdays, r.priority from sharing_rules r left join channels c on c.id = r.channel_id where r.location_id = $1 order by r.id`, [locationId])).rows;
}

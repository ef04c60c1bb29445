import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import { causesOf, whoActs, type ShortageActor } from '../../domain/stock/shortage.ts';
import { ownOrder } from './own-orders.ts';

/** Units that an order wants and no stock covers. `sku` null: the code is unknown. `deadline`: when they are given up; ISO 8601. No personal data. */
export type ShortageView = {
  id: number; order: string; channel: string; externalId: string; line: number; sku: string; units: number; cause: string; acts: ShortageActor; deadline: string; shipBy: string | null; createdAt: string;
};
type Row = Omit<ShortageView, 'order' | 'acts' | 'deadline' | 'shipBy' | 'createdAt'> & { order_id: string; deadline: Date; ship_by: Date | null; created_at: Date };
export type ShortageFilter = { sku: string | null; acts: ShortageActor | null; after: { deadline: Date; id: number } | null; limit: number; onlyLocation: number | null };

/** Open shortages, the nearest deadline first. */
export async function listShortages(pool: pg.Pool, filter: ShortageFilter): Promise<ShortageView[]> {
  const causes = filter.acts === null ? null : causesOf(filter.acts);
  const { rows } = await pool.query<Row>({
    name: 'shortages_list',
    text: `select s.id, s.order_id, c.code channel, o.external_id "externalId", s.line_no line, l.sku_code sku, s.quantity units, s.cause, s.deadline, o.ship_by, s.created_at
      from shortages s join orders o on o.id = s.order_id join channels c on c.id = o.channel_id join order_lines l on l.order_id = s.order_id and l.line_no = s.line_no
      where s.status = 'open' and ($1::text is null or l.sku_code = $1) and ($2::text[] is null or s.cause = any($2)) and ($3::text[] is null or s.cause <> all($3))
        and ($4::timestamptz is null or (s.deadline, s.id) > ($4, $5::bigint)) and ($6::int is null or ${ownOrder('o', '$6')})
      order by s.deadline, s.id limit $7`,
    values: [filter.sku, causes && 'only' in causes ? causes.only : null, causes && 'not' in causes ? causes.not : null, filter.after?.deadline ?? null, filter.after?.id ?? null, filter.onlyLocation, filter.limit],
  });
  return rows.map(({ order_id, deadline, ship_by, created_at, ...row }) => ({
    id: row.id, order: encodeId('ord', order_id), channel: row.channel, externalId: row.externalId, line: row.line, sku: row.sku, units: row.units, cause: row.cause, acts: whoActs(row.cause),
    deadline: deadline.toISOString(), shipBy: ship_by?.toISOString() ?? null, createdAt: created_at.toISOString(),
  }));
}

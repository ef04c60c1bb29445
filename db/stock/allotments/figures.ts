import type pg from 'pg';
import type { Allotment } from '../../../domain/stock/overflow.ts';
import { readTargets, type TargetView } from './targets.ts';

/** `parent` null: the shared stock. */
export type AllotmentView = {
  code: string; name: string; kind: Allotment['kind']; parent: string | null; channel: string | null; overflow: Allotment['overflow']; borrowLimit: number | null;
  startsAt: Date | null; endsAt: Date | null; reallocateEveryS: number | null; nextReallocateAt: Date | null; createdAt: Date; closedAt: Date | null;
};
/** Sellable units that are there; `incoming`: of supplies; `borrowed`: taken from the parents and not given back (null for a key that sees one location). */
export type Figures = { sku: string; onHand: number; reserved: number; free: number; incoming: number; borrowed: number | null };

const VIEW = `a.code, a.name, a.kind, nullif(p.code, '') parent, c.code channel, a.overflow, a.borrow_limit "borrowLimit", a.starts_at "startsAt", a.ends_at "endsAt",
  s.reallocate_every_s "reallocateEveryS", s.next_reallocate_at "nextReallocateAt", a.created_at "createdAt", a.closed_at "closedAt"`;
const JOINS = 'allotments a left join allotments p on p.id = a.parent_id left join channels c on c.id = a.channel_id left join allotment_schedules s on s.allotment_id = a.id';

export type AllotmentFilter = { parent: string | null; kind: string | null; open: boolean | null; after: number; limit: number };

/** Allotments, oldest first; `after` is the id of the last one seen. */
export async function listAllotments(pool: pg.Pool, f: AllotmentFilter): Promise<(AllotmentView & { id: number })[]> {
  return (await pool.query<AllotmentView & { id: number }>(
    `select a.id, ${VIEW} from ${JOINS} where a.id > $1 and a.id <> 0 and ($2::text is null or p.code = $2) and ($3::text is null or a.kind = $3)
       and ($4::boolean is null or (a.closed_at is null) = $4) order by a.id limit $5`, [f.after, f.parent, f.kind, f.open, f.limit])).rows;
}

/** One allotment with its targets and, by SKU code, a page of figures (`after`: the last SKU seen). `locationId`: only what is there. Null when there is none of the code. */
export async function readAllotment(
  pool: pg.Pool, code: string, page: { locationId: number | null; after: string; limit: number },
): Promise<(AllotmentView & { targets: TargetView[]; skus: Figures[] }) | null> {
  const { rows: [row] } = await pool.query<AllotmentView & { id: number }>(`select a.id, ${VIEW} from ${JOINS} where a.code = $1 and a.id <> 0`, [code]);
  if (!row) return null;
  const { id, ...view } = row;
  const { rows: skus } = await pool.query<Figures>(
    `with units as (
       select sku_id, coalesce(sum(on_hand) filter (where supply_id = 0), 0) on_hand, coalesce(sum(reserved) filter (where supply_id = 0), 0) reserved,
         coalesce(sum(on_hand) filter (where supply_id <> 0), 0) incoming
       from stock_levels where allotment_id = $1 and allotment_id <> 0 and condition = 'sellable' and ($2::int is null or location_id = $2) group by 1),
     owed as (select sku_id, borrowed from allotment_borrowings where allotment_id = $1 and $2::int is null and borrowed > 0)
     select k.code sku, coalesce(u.on_hand, 0)::int "onHand", coalesce(u.reserved, 0)::int reserved, coalesce(u.on_hand - u.reserved, 0)::int free, coalesce(u.incoming, 0)::int incoming,
       case when $2::int is null then coalesce(o.borrowed, 0) end borrowed
     from units u full join owed o using (sku_id) join skus k on k.id = sku_id where k.code > $3 order by k.code limit $4`, [id, page.locationId, page.after, page.limit]);
  return { ...view, targets: await readTargets(pool, id), skus };
}

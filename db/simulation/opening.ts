import type pg from 'pg';
import type { SimulatedArrival, SimulatedStock } from '../../domain/simulation/model.ts';
import { inTransaction, SNAPSHOT } from '../transaction.ts';

/** Days before the period in which a recorded order may have reserved its units. */
const RESERVED_BEFORE_DAYS = 60;
const KEEP_DAYS = 7;
type Level = { id: number; location: string; sku: string; allotmentId: number; free: number; rate: number | null };

/** Units of another allotment than the shared one are goods of their own: nobody else can sell them. */
export const poolSku = (sku: string, allotmentId: number): string => (allotmentId === 0 ? sku : `${sku}#${allotmentId}`);
/** The SKU that they are units of. */
export const baseSku = (sku: string): string => sku.replace(/#\d+$/, '');

/**
 * What could be sold when the period began, and what came or went in it for another reason than the recorded orders, both from the ledger: today's free units, less all movements
 * since, less what the recorded orders took whenever. Goods that come back from recorded orders are arrivals.
 */
export async function readStock(pool: pg.Pool, period: { from: Date; to: Date }, skuCodes: readonly string[], orderIds: readonly string[]): Promise<{ stock: SimulatedStock[]; arrivals: SimulatedArrival[] }> {
  // One snapshot: levels and movements must belong together.
  return inTransaction(pool, async (client) => {
    const { rows: levels } = await client.query<Level>(
      `select v.id, c.code location, s.code sku, v.allotment_id "allotmentId", v.on_hand - v.reserved - v.buffer free, r.units / 28.0 rate
       from stock_levels v join locations c on c.id = v.location_id join skus s on s.id = v.sku_id join lots on lots.id = v.lot_id
       left join sales_rates r on r.location_id = v.location_id and r.sku_id = v.sku_id
       where s.code = any($1::text[]) and v.condition = 'sellable' and v.supply_id = 0 and lots.recalled_at is null order by c.code, s.code, v.id`, [skuCodes]);
    const { rows: moved } = await client.query<{ levelId: number; at: Date | null; units: number }>(
      `with own as materialized (select distinct unnest($2::uuid[]) id), m as (
         select level_id, at, d_on_hand - d_reserved units, (d_on_hand <= 0 and exists (select from own where own.id = order_id)) replayed
         from stock_movements where level_id = any($1::bigint[]) and at >= $3::timestamptz - make_interval(days => ${RESERVED_BEFORE_DAYS}) and d_on_hand <> d_reserved)
       select level_id "levelId", at, sum(units)::int units from m where not replayed and at >= $3 and at < $4 group by 1, 2
       union all select level_id, null, sum(units)::int from m where replayed or at >= $4 group by 1 order by 2 nulls first, 1`,
      [levels.map((l) => l.id), orderIds, period.from, period.to]);
    return split(levels, moved);
  }, SNAPSHOT);
}

function split(levels: readonly Level[], moved: readonly { levelId: number; at: Date | null; units: number }[]): { stock: SimulatedStock[]; arrivals: SimulatedArrival[] } {
  const since = new Map<number, number>();
  for (const { levelId, units } of moved) since.set(levelId, (since.get(levelId) ?? 0) + units);
  const byId = new Map(levels.map((l) => [l.id, l]));
  // Lots of one SKU at one location are one shelf.
  const shelves = new Map<string, SimulatedStock>();
  for (const l of levels) {
    const sku = poolSku(l.sku, l.allotmentId);
    const keep = l.allotmentId === 0 && l.rate !== null ? Math.ceil(Number(l.rate) * KEEP_DAYS) : 0;
    const key = `${l.location}|${sku}`;
    const shelf = shelves.get(key) ?? {
      location: l.location, sku, units: 0, ...(keep > 0 ? { keep } : {}), ...(l.rate === null ? {} : { perDay: Number(l.rate) }), ...(l.allotmentId === 0 ? {} : { allotted: true as const }),
    };
    shelf.units += l.free - (since.get(l.id) ?? 0);
    shelves.set(key, shelf);
  }
  const arrivals = moved.flatMap(({ levelId, at, units }): SimulatedArrival[] => {
    const level = byId.get(levelId);
    return at === null || units === 0 || !level ? [] : [{ at: at.getTime(), location: level.location, sku: poolSku(level.sku, level.allotmentId), units }];
  });
  return { stock: [...shelves.values()], arrivals };
}

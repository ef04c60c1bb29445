import type pg from 'pg';

/** Units of a SKU over all locations, sellable, what is under way between them among them. `mean`: on hand through a window; `received`: in the second window, from outside. */
export type StockFacts = { skuId: number; onHand: number; coming: number; meanNow: number; meanBefore: number; opening: number; received: number; ages: [days: number, units: number][] };

/**
 * The ledger's movements say what was on hand at any moment: today's level less what came after. A mean over a window is its last level less Σ movement × the share of the window that had passed. Movements
 * of one command that cancel out (allotments, transfers between locations) are none. Ages: first in, first out: what is there is what came last, layer by layer; what came before `since` is as old as that.
 * @param windows the beginning of the first window, their border, and the end of the second
 */
export async function readStockFacts(db: pg.Pool | pg.ClientBase, skuIds: readonly number[], windows: { from: Date; middle: Date; to: Date }, since: Date): Promise<StockFacts[]> {
  const { rows } = await db.query<Omit<StockFacts, 'ages'>>(
    `with lv as (select v.id, v.sku_id, v.on_hand, s.kind from stock_levels v join supplies s on s.id = v.supply_id where v.sku_id = any($1::int[]) and v.condition = 'sellable'),
       own as (select * from lv where kind in ('none', 'transfer')),
       mv as (select o.sku_id, m.command_id, m.at, sum(m.d_on_hand) d from stock_movements m join own o on o.id = m.level_id where m.at >= $2 and m.d_on_hand <> 0 group by 1, 2, 3 having sum(m.d_on_hand) <> 0),
       cur as (select sku_id, coalesce(sum(on_hand) filter (where kind in ('none', 'transfer')), 0)::int here, coalesce(sum(on_hand) filter (where kind not in ('none', 'transfer')), 0)::int coming from lv group by 1),
       win as (select sku_id, coalesce(sum(d) filter (where at >= $4), 0) later, coalesce(sum(d) filter (where at >= $3 and at < $4), 0) d_now, coalesce(sum(d) filter (where at < $3), 0) d_before,
           coalesce(sum(d * extract(epoch from at - $3::timestamptz)) filter (where at >= $3 and at < $4), 0) / extract(epoch from $4::timestamptz - $3::timestamptz) w_now,
           coalesce(sum(d * extract(epoch from at - $2::timestamptz)) filter (where at < $3), 0) / extract(epoch from $3::timestamptz - $2::timestamptz) w_before,
           coalesce(sum(d) filter (where at >= $3 and at < $4 and d > 0), 0)::int received from mv group by 1)
     select c.sku_id "skuId", c.here "onHand", c.coming, (c.here - coalesce(w.later, 0) - coalesce(w.w_now, 0))::float8 "meanNow",
       (c.here - coalesce(w.later, 0) - coalesce(w.d_now, 0) - coalesce(w.w_before, 0))::float8 "meanBefore", (c.here - coalesce(w.later, 0) - coalesce(w.d_now, 0))::int opening, coalesce(w.received, 0)::int received
     from cur c left join win w on w.sku_id = c.sku_id order by 1`, [skuIds, windows.from, windows.middle, windows.to]);
  const layers = await readLayers(db, skuIds, since, windows.to);
  return rows.map((r) => ({ ...r, ages: layers.get(r.skuId) ?? [] }));
}

/** Units on hand by age in days, the youngest first, by SKU. */
async function readLayers(db: pg.Pool | pg.ClientBase, skuIds: readonly number[], since: Date, now: Date): Promise<Map<number, [number, number][]>> {
  const { rows } = await db.query<{ skuId: number; days: number; units: number }>(
    `with own as (select v.id, v.sku_id, v.on_hand from stock_levels v join supplies s on s.id = v.supply_id where v.sku_id = any($1::int[]) and v.condition = 'sellable' and s.kind in ('none', 'transfer')),
       cur as (select sku_id, sum(on_hand) here from own group by 1),
       came as (select o.sku_id, m.command_id, min(m.at) at, sum(m.d_on_hand) n from stock_movements m join own o on o.id = m.level_id where m.at >= $2 and m.d_on_hand <> 0 group by 1, 2 having sum(m.d_on_hand) > 0),
       layer as (select sku_id, at, n, sum(n) over (partition by sku_id order by at desc, command_id desc) upto from came),
       kept as (select l.sku_id, l.at, least(l.n, c.here - (l.upto - l.n)) units from layer l join cur c using (sku_id) where l.upto - l.n < c.here
         union all select c.sku_id, $2::timestamptz, c.here - coalesce((select max(upto) from layer l where l.sku_id = c.sku_id), 0) from cur c)
     select sku_id "skuId", greatest(0, floor(extract(epoch from $3::timestamptz - at) / 86400))::int days, sum(units)::int units from kept where units > 0 group by 1, 2 order by 1, 2`, [skuIds, since, now]);
  const found = new Map<number, [number, number][]>();
  for (const r of rows) found.set(r.skuId, [...(found.get(r.skuId) ?? []), [r.days, r.units]]);
  return found;
}

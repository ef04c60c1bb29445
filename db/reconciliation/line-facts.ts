import type { Flow, LineFacts } from '../../domain/stock/classify.ts';
import type { Tx } from '../tx.ts';

/** What was counted: a SKU in one condition at the location, of one lot or (null) of all. */
export type CountedKey = { lineNo: number; skuId: number | null; condition: string; lot: string | null; counted: number };
/** As of when, and where the movements since are found. `flowXmin`: those of transactions from here on are not in snapshot_flows; '0': none is. */
export type AsOf = { snapshotId: number; locationId: number; takenAt: Date; windowS: number; flowXmin: string };
/** `open`: the recount that is asked for. `bookable`: a gain has a place, a loss is there to be lost. */
export type FactsOfLine = LineFacts & { open: { id: number; variance: number } | null; placeable: boolean };

type Row = {
  line_no: number; on_hand: number; flows: [number, number][] | null; packed: number; factors: number[] | null; superseded: boolean; placeable: boolean; recount: number | null; variance: number | null;
};

/**
 * The book's side of counted lines, in one statement, so of one moment: levels and the movements that made them are of the same snapshot of the database, and
 * their difference, the book as of `takenAt`, does not depend on what is committed meanwhile.
 */
export async function lineFacts(tx: Tx, at: AsOf, lines: readonly CountedKey[]): Promise<FactsOfLine[]> {
  // Without a name, so that it is planned for these lines and the tables as they are now: they grow by millions while a snapshot is processed.
  const { rows } = await tx.client.query<Row>(
    `with l as materialized (select * from unnest($4::int[], $5::int[], $6::text[], $7::text[]) t(line_no, sku_id, condition, lot)),
     lv as materialized (select l.line_no, v.id, v.on_hand from l join stock_levels v on v.sku_id = l.sku_id and v.location_id = $2 and v.condition = l.condition and v.supply_id = 0
       left join lots o on o.id = v.lot_id where l.lot is null or o.code = l.lot),
     f as (select level_id, command_id, leg, d_on_hand, at from snapshot_flows where snapshot_id = $1 and level_id = any(array(select id from lv))
       union select m.level_id, m.command_id, m.leg, m.d_on_hand, m.at from stock_movements m
         where m.xid >= $8::xid8 and m.at >= $3::timestamptz - make_interval(secs => $9) and m.d_on_hand <> 0 and m.cause <> 'reconciliation' and m.level_id = any(array(select id from lv))),
     net as (select lv.line_no, min(f.at) at, sum(f.d_on_hand)::int units from f join lv on lv.id = f.level_id group by lv.line_no, f.command_id having sum(f.d_on_hand) <> 0),
     packed as materialized (select v.sku_id, v.condition, v.lot_id, sum(r.quantity)::int units from fulfillment_orders o
       join reservations r on r.order_id = o.order_id and r.fulfillment_order_id = o.id and r.status in ('held', 'confirmed') join stock_levels v on v.id = r.level_id
       where o.location_id = $2 and o.status = 'packed' and o.packed_at <= $3::timestamptz + make_interval(secs => $9) group by 1, 2, 3)
     select l.line_no, coalesce(h.units, 0) on_hand, n.flows, coalesce(p.units, 0) packed, u.factors, s.counted_at is not null superseded, r.id recount, r.variance,
       k.id is not null and (not k.lot_tracked or l.lot is not null or exists (select from lv join stock_levels x on x.id = lv.id where lv.line_no = l.line_no and x.allotment_id = 0)) placeable
     from l left join skus k on k.id = l.sku_id
     left join (select line_no, sum(on_hand)::int units from lv group by 1) h on h.line_no = l.line_no
     left join (select line_no, json_agg(json_build_array(extract(epoch from at) * 1000, units) order by at) flows from net group by 1) n on n.line_no = l.line_no
     left join lateral (select sum(p.units)::int units from packed p left join lots o on o.id = p.lot_id where p.sku_id = l.sku_id and p.condition = l.condition and (l.lot is null or o.code = l.lot)) p on true
     left join lateral (select array_agg(factor) factors from sku_units where sku_id = l.sku_id) u on true
     left join lateral (select counted_at from stock_counts c where c.location_id = $2 and c.sku_id = l.sku_id and c.condition = l.condition
       and (l.lot is null or c.lot_code in ('', l.lot)) and c.counted_at > $3::timestamptz limit 1) s on true
     left join recounts r on r.location_id = $2 and r.sku_id = l.sku_id and r.condition = l.condition and r.lot_code = coalesce(l.lot, '') and r.status = 'open'
     order by l.line_no`,
    [at.snapshotId, at.locationId, at.takenAt, lines.map((l) => l.lineNo), lines.map((l) => l.skuId), lines.map((l) => l.condition), lines.map((l) => l.lot), at.flowXmin, at.windowS]);
  const byLine = new Map(rows.map((r) => [r.line_no, r]));
  return lines.map((line) => {
    const row = byLine.get(line.lineNo);
    if (!row) throw new Error(`line ${line.lineNo} has no facts`);
    return {
      counted: line.counted, onHand: row.on_hand, flows: (row.flows ?? []).map(([ms, units]): Flow => ({ at: ms, units })), packed: row.packed, factors: row.factors ?? [],
      known: line.skuId !== null, superseded: row.superseded, placeable: row.placeable, open: row.recount === null ? null : { id: row.recount, variance: row.variance ?? 0 },
    };
  });
}

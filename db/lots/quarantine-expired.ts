import { lockLevels } from '../ledger.ts';
import type { StockWriter } from '../stock-writer.ts';
import { moveUnits, type Move } from '../stock/move-units.ts';

const CHUNK = 500;

/**
 * Free units of lots whose last day is over go into quarantine, in the allotment where they are. Reserved ones stay: they are promised, and the location
 * that packs them sees their date. The day is UTC's, as at capture. Safe to repeat. Returns how many units moved.
 */
export async function quarantineExpired(writer: StockWriter): Promise<number> {
  for (let units = 0, after = 0; ;) {
    const { moved, last, full } = await writer.change(async (tx) => {
      const rows = await tx.query<{ id: number; skuId: number; locationId: number; lotId: number; allotmentId: number }>(
        `select v.id, v.sku_id "skuId", v.location_id "locationId", v.lot_id "lotId", v.allotment_id "allotmentId" from lots o join stock_levels v on v.sku_id = o.sku_id and v.lot_id = o.id
         where o.expires_on < $1::date and v.condition = 'sellable' and v.supply_id = 0 and v.on_hand > v.reserved and v.id > $2 order by v.id limit $3`,
        [tx.now.toISOString().slice(0, 10), after, CHUNK]);
      const locked = await lockLevels(tx.client, rows.map((r) => r.id));
      const moves = rows.flatMap(({ id, ...holder }): Move[] => {
        const level = locked.get(id);
        const free = level ? level.onHand - level.reserved : 0;
        return free > 0 ? [{ fromLevelId: id, to: { ...holder, condition: 'quarantine' }, units: free }] : [];
      });
      await moveUnits(tx, 'expired', moves);
      return { moved: moves.reduce((sum, m) => sum + m.units, 0), last: rows.at(-1)?.id ?? after, full: rows.length === CHUNK };
    });
    units += moved;
    after = last;
    if (!full) return units;
  }
}

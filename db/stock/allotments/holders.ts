import { lockLevels } from '../../ledger.ts';
import type { StockWriter } from '../../stock-writer.ts';
import type { Tx } from '../../tx.ts';
import type { Move } from '../move-units.ts';

type Held = { id: number; skuId: number; locationId: number; allotmentId: number; lotId: number; free: number };

/**
 * What is free of some SKUs in an allotment and in its parent, locked until the transaction ends: sellable units that are there, of lots that are neither
 * recalled nor expired, without what is reserved or kept back by a buffer.
 */
export class Holders {
  readonly #levels: readonly Held[];

  private constructor(levels: readonly Held[]) { this.#levels = levels; }

  static async lock(tx: Tx, allotmentIds: readonly number[], skuIds: readonly number[]): Promise<Holders> {
    const rows = await tx.query<Omit<Held, 'free'>>(
      `select v.id, v.sku_id "skuId", v.location_id "locationId", v.allotment_id "allotmentId", v.lot_id "lotId" from stock_levels v join lots on lots.id = v.lot_id
       where v.sku_id = any($1::int[]) and v.allotment_id = any($2::int[]) and v.condition = 'sellable' and v.supply_id = 0
         and lots.recalled_at is null and (lots.expires_on is null or lots.expires_on >= $3::date) order by lots.expires_on nulls last, v.id`,
      [skuIds, allotmentIds, tx.now.toISOString().slice(0, 10)]);
    const locked = await lockLevels(tx.client, rows.map((r) => r.id));
    return new Holders(rows.map((r) => {
      const level = locked.get(r.id);
      return { ...r, free: level?.sellable ? Math.max(0, level.onHand - level.reserved - level.buffer) : 0 };
    }));
  }

  /** Free units of an allotment, by location, where it has a level. */
  freeBy(allotmentId: number, skuId: number): Map<number, number> {
    const free = new Map<number, number>();
    for (const l of this.#levels) if (l.allotmentId === allotmentId && l.skuId === skuId) free.set(l.locationId, (free.get(l.locationId) ?? 0) + l.free);
    return free;
  }

  /** Takes units for a move into another allotment, first expired first. Null, with nothing taken, when there are not so many. */
  take(from: number, to: number, skuId: number, locationId: number, units: number): Move[] | null {
    if ((this.freeBy(from, skuId).get(locationId) ?? 0) < units) return null;
    const moves: Move[] = [];
    let open = units;
    for (const l of this.#levels) {
      const now = l.allotmentId === from && l.skuId === skuId && l.locationId === locationId ? Math.min(open, l.free) : 0;
      if (now <= 0) continue;
      l.free -= now;
      open -= now;
      moves.push({ fromLevelId: l.id, to: { locationId, skuId, lotId: l.lotId, allotmentId: to }, units: now });
    }
    return moves;
  }
}

/** Shows levels that a move has made to this process's projection: orders that come next must find their own units, not pass over them. After the commit. */
export async function showNewLevels(writer: StockWriter, skuIds: readonly number[]): Promise<void> {
  if (skuIds.length > 0) await writer.projection?.rereadSkus(writer.pool, skuIds);
}

import { uuidv7 } from '../../runtime/ids.ts';
import { lockLevels } from '../ledger.ts';
import type { StockWriter } from '../stock-writer.ts';
import { lockLosers } from '../stock/change-levels.ts';
import { shortenReservations } from '../stock/shorten.ts';
import { findLot } from './lot.ts';

/** Reservations that are taken back in one transaction. */
const CHUNK = 100;

/**
 * Recalls a lot: from this commit on its units are not for sale, then what is reserved of it and has not left is taken back. It cannot be undone; the first
 * reason stays. Safe to repeat, and to be killed: workers take back what is left. Throws Problem not_found.
 */
export async function recallLot(writer: StockWriter, sku: string, code: string, reason: string, actor: string): Promise<void> {
  const lot = await findLot(writer.pool, sku, code);
  await writer.change(async (tx) => {
    const marked = await tx.query('update lots set recalled_at = $2, recall_reason = $3 where id = $1 and recalled_at is null returning 1', [lot.id, tx.now, reason]);
    if (marked.length === 0) return;
    const levels = await tx.query<{ id: number }>('select id from stock_levels where sku_id = $1 and lot_id = $2', [lot.skuId, lot.id]);
    const locked = await lockLevels(tx.client, levels.map((l) => l.id));
    for (const level of locked.values()) tx.changed.set(level.id, level);
    // A movement of nothing tells the other processes to read these levels again.
    await tx.query(
      `insert into stock_movements (command_id, leg, level_id, d_on_hand, d_reserved, cause) select $1, i - 1, v, 0, 0, 'recall' from unnest($2::bigint[]) with ordinality as t(v, i)`,
      [uuidv7(), [...locked.keys()]]);
  });
  await takeBack(writer, lot.id, actor);
}

/**
 * Units that are reserved of recalled lots: a capture that had looked at the lot just before its recall, or a recall that was killed half-way.
 * Worked off by every worker. Returns how many lots were concerned.
 */
export async function tendRecalledLots(writer: StockWriter): Promise<number> {
  const { rows } = await writer.pool.query<{ id: number }>(
    `select distinct o.id from lots o join stock_levels v on v.sku_id = o.sku_id and v.lot_id = o.id and v.reserved > 0 where o.recalled_at is not null order by 1`);
  for (const { id } of rows) await takeBack(writer, id, 'system');
  return rows.length;
}

/** The youngest first, some at a time; their orders get shortages, which are served from other lots. */
async function takeBack(writer: StockWriter, lotId: number, actor: string): Promise<void> {
  const { rows } = await writer.pool.query<{ id: number }>('select v.id from stock_levels v join lots o on o.id = v.lot_id and o.sku_id = v.sku_id where o.id = $1 and v.reserved > 0 order by v.id', [lotId]);
  for (const { id } of rows) {
    for (let more = true; more;) {
      more = await writer.change(async (tx) => {
        const some = await tx.one<{ units: number; reserved: number; free: number }>(
          `select (select coalesce(sum(quantity), 0)::int from (select r.quantity from reservations r where r.level_id = v.id and r.status in ('held', 'confirmed')
             order by r.created_at desc, r.order_id desc limit $2) t) units, v.reserved, v.on_hand - v.reserved free from stock_levels v where v.id = $1`, [id, CHUNK]);
        if (!some || some.units === 0) return false;
        await lockLosers(tx, new Map([[id, -(some.free + some.units)]]));
        const level = (await lockLevels(tx.client, [id])).get(id);
        const taken = level ? await shortenReservations(tx, id, Math.min(some.units, level.reserved), actor, 'recalled') : 0;
        return taken > 0;
      });
    }
  }
}

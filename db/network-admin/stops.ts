import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import { lockOrder } from '../orders/order.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';

export type BlockView = { sku: string; reason: string; blockedAt: string; blockedBy: string; until: string | null };
export type StopsView = { location: string; pause: { reason: string; since: string; until: string } | null; blocks: BlockView[] };

/** What a location takes no orders for: itself for a while, and the SKUs that it has blocked; what is over by its date is left out. */
export async function readStopsOf(pool: pg.Pool, location: { id: number; code: string }, now: Date): Promise<StopsView> {
  const { rows: [pause] } = await pool.query<{ reason: string; since: Date; until: Date }>('select reason, since, until from location_pauses where location_id = $1 and until > $2', [location.id, now]);
  const { rows } = await pool.query<{ sku: string; reason: string; at: Date; by: string; until: Date | null }>(
    `select k.code sku, b.reason, b.blocked_at at, b.blocked_by "by", b.until from location_sku_blocks b join skus k on k.id = b.sku_id
     where b.location_id = $1 and (b.until is null or b.until > $2) order by k.code`, [location.id, now]);
  return {
    location: location.code, pause: pause ? { reason: pause.reason, since: pause.since.toISOString(), until: pause.until.toISOString() } : null,
    blocks: rows.map((b) => ({ sku: b.sku, reason: b.reason, blockedAt: b.at.toISOString(), blockedBy: b.by, until: b.until?.toISOString() ?? null })),
  };
}

/** A location keeps a SKU from every order, until a moment or (null) until somebody ends it. Again with the same reason and end it stays as it was. Throws Problem `unprocessable` for an end in the past. */
export async function blockSku(writer: StockWriter, locationId: number, skuId: number, block: { reason: string; until: Date | null }, actor: string): Promise<void> {
  await writer.change(async (tx) => {
    if (block.until !== null && block.until <= tx.now) throw new Problem('unprocessable', 'until is not in the future: a block ends later, or is taken away with DELETE', '/until');
    await tx.query(
      `insert into location_sku_blocks (location_id, sku_id, reason, blocked_at, blocked_by, until) values ($1, $2, $3, $4, $5, $6) on conflict (location_id, sku_id) do update
         set reason = excluded.reason, until = excluded.until, blocked_at = excluded.blocked_at, blocked_by = excluded.blocked_by
         where (location_sku_blocks.reason, location_sku_blocks.until) is distinct from (excluded.reason, excluded.until)`,
      [locationId, skuId, block.reason, tx.now, actor, block.until]);
  });
}

/** Ends a block before its time: orders that wait for the SKU look again. False where there was none. */
export async function unblockSku(writer: StockWriter, locationId: number, skuId: number): Promise<boolean> {
  return writer.change(async (tx) => {
    await routeAgain(tx, locationId, skuId);
    const gone = await tx.query('delete from location_sku_blocks where location_id = $1 and sku_id = $2 returning 1', [locationId, skuId]);
    await wakeShort(tx, [skuId]);
    return gone.length > 0;
  });
}

/** Ends a location's pause before its time. False where there was none. */
export async function endPause(writer: StockWriter, locationId: number): Promise<boolean> {
  return writer.change(async (tx) => {
    await routeAgain(tx, locationId, null);
    return (await tx.query('delete from location_pauses where location_id = $1 returning 1', [locationId])).length > 0;
  });
}

/** Takes away what is over by its date, and wakes the orders that are short of the SKUs. Those whose routing waits have the date themselves. Returns how many were over. */
export async function tendStops(writer: StockWriter): Promise<number> {
  const { rows } = await writer.pool.query('select 1 from location_sku_blocks where until <= $1 union all select 1 from location_pauses where until <= $1 limit 1', [writer.clock()]);
  if (rows.length === 0) return 0;
  return writer.change(async (tx) => {
    const blocks = await tx.query<{ sku: number }>('delete from location_sku_blocks where until <= $1 returning sku_id sku', [tx.now]);
    const pauses = await tx.query('delete from location_pauses where until <= $1 returning 1', [tx.now]);
    await wakeShort(tx, [...new Set(blocks.map((b) => b.sku))]);
    return blocks.length + pauses.length;
  });
}

/** Orders whose routing waits and that have units at the location (of the SKU) are routed now. */
async function routeAgain(tx: Tx, locationId: number, skuId: number | null): Promise<void> {
  const waiting = await tx.query<{ id: string }>(
    `select o.id from orders o where o.routing_waits is not null and o.route_after > $3 and exists (select from reservations r join stock_levels v on v.id = r.level_id
       where r.order_id = o.id and r.status = 'confirmed' and r.fulfillment_order_id is null and ($2::int is null or v.sku_id = $2) and v.location_id = $1) order by o.id`, [locationId, skuId, tx.now]);
  for (const { id } of waiting) {
    const order = await lockOrder(tx, id);
    await tx.query('update orders set route_after = $2 where id = $1 and routing_waits is not null', [id, tx.now]);
    await tx.wake(id, order.shipBy);
  }
}

async function wakeShort(tx: Tx, skuIds: readonly number[]): Promise<void> {
  if (skuIds.length === 0) return;
  const woken = await tx.query(
    `insert into outbox (topic, order_id, priority) select 'look', s.order_id, min(s.deadline) from shortages s where s.status = 'open' and s.sku_id = any($1::int[])
       and not exists (select from outbox o where o.order_id = s.order_id and o.topic = 'look' and o.leased_until is null) group by s.order_id returning 1`, [skuIds]);
  if (woken.length > 0) tx.woken = true;
}

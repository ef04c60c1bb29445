import { decodeId } from '../../../domain/ids.ts';
import { Problem } from '../../../domain/problem.ts';
import type { WaveResult } from '../../../domain/routing/wave/model.ts';
import type { Network } from '../../network.ts';
import { mergeOrders } from '../../orders/operate/merge-orders.ts';
import { joinRemarks } from '../../orders/operate/join-remarks.ts';
import { lockOrder } from '../../orders/order.ts';
import type { StockWriter } from '../../stock-writer.ts';
import type { Tx } from '../../tx.ts';
import type { Vault } from '../../vault.ts';

/** `whole`: all the orders of the plan are as they were. */
type Planned = { orders: string[]; locations: string[]; whole: boolean };

/** Null: there is no such wave. */
export async function waveStatus(writer: StockWriter, waveId: string): Promise<string | null> {
  const { rows: [row] } = await writer.pool.query<{ status: string }>('select status from waves where id = $1', [waveId]);
  return row?.status ?? null;
}

/** Keeps what the solver found; the first result stays. */
export async function keepWave(writer: StockWriter, waveId: string, found: WaveResult | null): Promise<void> {
  await writer.change(async (tx) => {
    const wave = await tx.one<{ status: string }>('select status from waves where id = $1 for no key update', [waveId]);
    if (wave?.status !== 'queued') return;
    if (found) {
      const { plans, ...result } = found;
      for (const [planNo, { orders, plan }] of plans.entries()) {
        if (plan.shipments.length === 0) continue;
        await tx.query('update wave_orders set plan_no = $3, locations = $4 where wave_id = $1 and order_id = any($2::uuid[])',
          [waveId, orders.map((o) => decodeId('ord', o)), planNo, [...new Set(plan.shipments.map((s) => s.location))].sort()]);
      }
      await tx.query('update waves set result = $2 where id = $1', [waveId, JSON.stringify(result)]);
    }
    await tx.query(`update waves set status = 'solved', solved_at = $2 where id = $1`, [waveId, tx.now]);
  });
}

/**
 * Hands the plans of a solved wave to their orders, one after the other: those that leave in one parcel are merged, each learns where it is wanted sent from, and is routed now. An order that has changed meanwhile goes
 * its own way. Killed half-way, the next attempt goes on with the rest.
 */
export async function applyWave(writer: StockWriter, network: Network, vault: Vault, waveId: string): Promise<void> {
  const { rows } = await writer.pool.query<{ orders: string[]; locations: string[] | null }>(
    `select array_agg(order_id order by order_id) orders, min(locations) locations from wave_orders where wave_id = $1 and applied_at is null group by plan_no, case when plan_no is null then order_id end order by plan_no nulls last`, [waveId]);
  for (const { orders, locations } of rows) {
    await writer.change(async (tx) => {
      // One whose address or lines have changed since is not what was solved: its window goes on.
      const same: string[] = [];
      for (const id of orders) if ((await lockOrder(tx, id)).waveId === waveId) same.push(id);
      if (locations !== null) await hand(tx, network, vault, waveId, { orders: same, locations, whole: same.length === orders.length });
      else for (const id of same) await release(tx, id, null);
      await tx.query('update wave_orders set applied_at = $3 where wave_id = $1 and order_id = any($2::uuid[])', [waveId, orders, tx.now]);
    });
  }
  await writer.pool.query(`update waves set status = 'done', done_at = $2 where id = $1 and status = 'solved'`, [waveId, writer.clock()]);
}

async function hand(tx: Tx, network: Network, vault: Vault, waveId: string, { orders, locations, whole }: Planned): Promise<void> {
  let stays: string[] = orders;
  if (orders.length > 1 && whole) {
    await tx.query('savepoint merging');
    try {
      const into = await mergeOrders(tx, network, orders, 'the same parcel', 'system');
      await joinRemarks(tx, vault, into, orders);
      stays = [into];
      await tx.query('release savepoint merging');
    } catch (error) {
      // One of them has changed since: each goes alone.
      if (!(error instanceof Problem)) throw error;
      await tx.query('rollback to savepoint merging');
      await tx.query('release savepoint merging');
    }
  }
  for (const id of stays) await release(tx, id, locations);
  if (stays.length > 0) await tx.event(stays[0] as string, 'order.waved', 'system', { wave: waveId, orders: orders.length, locations });
}

/** Its window is over: it is routed now. */
async function release(tx: Tx, orderId: string, locations: readonly string[] | null): Promise<void> {
  const order = await lockOrder(tx, orderId);
  if (!order.routeAfter || order.routeAfter <= tx.now) return;
  await tx.query('update orders set route_after = $2, wave_locations = $3 where id = $1', [orderId, tx.now, locations]);
  await tx.wake(orderId, order.shipBy);
}

/** The wave came to nothing: its orders are routed alone when their windows end. */
export async function failWave(writer: StockWriter, waveId: string, error: string): Promise<void> {
  await writer.pool.query(`update waves set status = 'failed', error = $2, done_at = $3 where id = $1 and status <> 'done'`, [waveId, error.slice(0, 2000), writer.clock()]);
}

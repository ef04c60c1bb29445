import { encodeId } from '../../../domain/ids.ts';
import { uuidv7 } from '../../../runtime/ids.ts';
import { askWorkflow, type WorkflowRef } from '../../outbox.ts';
import type { StockWriter } from '../../stock-writer.ts';
import { byArm } from '../canary/ruling.ts';

/** A wave begins so long before the first of its orders would be routed alone: time for the solver. Should it be late, they go alone. */
const LEAD_MS = 30_000;
const MOST_ORDERS = 300;

export const waveRef = (id: string): WorkflowRef => ({ type: 'wave', id: `wave/${encodeId('wav', id)}`, input: { v: 1, wave: encodeId('wav', id) } });

/** Gathers the orders that wait in their merge windows, when the first one's is about to end; one process does it at a time. While a canary runs its orders are a wave of their own. Returns how many orders were gathered; 0: none is due, or one alone waits. */
export async function gatherWave(writer: StockWriter): Promise<number> {
  const soon = await writer.pool.query({ name: 'wave_due', text: `select 1 from orders where route_after is not null and wave_id is null and status = 'confirmed' and way = 'ship' and routing_waits is null and route_after > $1 and route_after <= $2 limit 1`, values: [writer.clock(), new Date(writer.clock().getTime() + LEAD_MS)] });
  if (soon.rowCount === 0) return 0;
  return writer.change(async (tx) => {
    const lock = await tx.one<{ mine: boolean }>(`select pg_try_advisory_xact_lock(hashtext('tributary:waves')) mine`);
    if (!lock?.mine) return 0;
    const rows = await tx.query<{ id: string }>(
      `select o.id from orders o where o.route_after is not null and o.wave_id is null and o.status = 'confirmed' and o.route_after > $1 and o.hold_reason is null and o.validated_at is not null and o.scheduled_from is null and o.way = 'ship' and o.routing_waits is null
         and not exists (select from shortages where order_id = o.id and status = 'open') and not exists (select from fulfillment_orders where order_id = o.id)
         and not exists (select from reservations r join stock_levels v on v.id = r.level_id and v.supply_id <> 0 where r.order_id = o.id and r.status in ('held', 'confirmed'))
       order by o.route_after, o.id limit $2 for no key update of o skip locked`, [tx.now, MOST_ORDERS]);
    let gathered = 0;
    for (const orders of await byArm(tx, rows.map((r) => r.id))) {
      if (orders.length < 2) continue;
      const id = uuidv7();
      await tx.query('insert into waves (id, created_at, orders) values ($1, $2, $3)', [id, tx.now, orders.length]);
      await tx.query('insert into wave_orders (wave_id, order_id) select $1, o from unnest($2::uuid[]) o', [id, orders]);
      await tx.query('update orders set wave_id = $1 where id = any($2::uuid[])', [id, orders]);
      await askWorkflow(tx, 'start', waveRef(id));
      gathered += orders.length;
    }
    return gathered;
  });
}

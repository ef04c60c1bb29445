import { reportLost } from '../claims/lose-parcel.ts';
import { lockOrder } from '../orders/order.ts';
import type { StockWriter } from '../stock-writer.ts';
import { raiseException, silentNow } from './exceptions.ts';

const BATCH = 100;

/**
 * Parcels that have been silent for longer than their carrier's rule allows become exceptions, or count as lost; one that somebody has closed is
 * not raised again until the parcel is heard of. Returns how many.
 */
export async function tendSilence(writer: StockWriter): Promise<number> {
  const { rows } = await writer.pool.query<{ id: string; order_id: string }>({
    name: 'parcels_silent',
    text: `select p.id, p.order_id from parcels p join lateral (select * from tracking_rules t where t.carrier in (p.carrier, '*') order by t.carrier = '*' limit 1) r on true
      where p.milestone not in ('delivered', 'returned', 'lost') and (
        coalesce(p.heard_at, p.milestone_at) <= $1::timestamptz - make_interval(hours => r.lost_hours)
        or coalesce(p.heard_at, p.milestone_at) <= $1::timestamptz - make_interval(hours => case when p.milestone = 'issued' then r.pickup_hours else r.stuck_hours end)
          and not exists (select from parcel_exceptions e where e.parcel_id = p.id and e.kind = case when p.milestone = 'issued' then 'not_picked_up' else 'stuck' end
            and (e.closed_at is null or e.heard_at = coalesce(p.heard_at, p.milestone_at))))
      order by coalesce(p.heard_at, p.milestone_at) limit $2`,
    values: [writer.clock(), BATCH],
  });
  let raised = 0;
  for (const { id, order_id } of rows) {
    const found = await writer.change(async (tx) => {
      const order = await lockOrder(tx, order_id);
      const silent = await silentNow(tx, id);
      if (!silent || silent.kind === 'lost') return silent;
      return await raiseException(tx, order, silent, silent.kind, `nothing heard for ${silent.hours} hours`, 'system') ? silent : null;
    });
    if (found?.kind === 'lost') await reportLost(writer, id, `nothing heard for ${found.hours} hours`, 'system');
    if (found) raised++;
  }
  return raised;
}

import { PAYMENT_DUE } from '../../domain/order/payment.ts';
import { limitLevels } from '../../domain/stock/sharing.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { GAVE_BACK_TO } from '../orders/gave-back.ts';
import { GIVEN_BACK, liftGivenBack } from '../orders/hold-given-back.ts';
import { lockOrder, refreshStatus } from '../orders/order.ts';
import { postMovements } from '../ledger.ts';
import type { Network } from '../network.ts';
import type { Tx } from '../tx.ts';

type Open = { id: number; orderId: string; channelId: number; lineNo: number; skuId: number; quantity: number; forced: number | null; allotmentId: number; levels: string[]; heldUntil: Date | null };

const MOST = 200;

/**
 * Gives units that have become free in this transaction to the orders that wait for them, by promise date, before anybody else can see them.
 * Units that are there come before those of a supply, which only orders take whose channel's horizon reaches its date.
 * Never more than a location shares with the order's channel. A pre-sale whose deposit is paid waits in the same line; its units are held until its balance is due.
 * An order that another transaction has locked just now is passed over and told to look: waiting for it here would turn the lock order round.
 */
export async function serveShortages(tx: Tx, skuIds: readonly number[], network: Network | null): Promise<void> {
  const levels = [...tx.changed.values()].filter((l) => l.sellable && skuIds.includes(l.skuId) && l.onHand - l.reserved - l.buffer > 0);
  if (levels.length === 0) return;
  const open = await tx.query<Open>(
    `with recursive waiting as (
       select s.id, s.order_id, o.channel_id, s.line_no, s.sku_id, s.quantity, o.forced_location_id, o.allotment_id, coalesce(o.ship_by, s.deadline) due, case when o.payment_status = 'deposit' then o.payment_due_at end held_until,
         (select c.supply_horizon_s from channels c where c.id = o.channel_id) horizon
       from shortages s join orders o on o.id = s.order_id
       where s.status = 'open' and s.sku_id = any($1::int[]) and o.closed_at is null and (o.hold_reason is null or o.hold_reason = '${GIVEN_BACK}') and ((o.payment_status not in ${PAYMENT_DUE} and o.validated_at is not null) or (o.payment_status = 'deposit' and o.payment_due_at > $5))
         and o.id <> all($2::uuid[]) and o.status not in ('cancelled', 'rejected', 'expired', 'closed')
       order by due, s.id limit $3 for no key update of o, s skip locked),
     chain as (
       select id own, id, overflow, parent_id from allotments where id in (select allotment_id from waiting)
       union all select c.own, a.id, a.overflow, a.parent_id from chain c join allotments a on a.id = c.parent_id where c.overflow = 'parent')
     select w.id, w.order_id "orderId", w.channel_id "channelId", w.line_no "lineNo", w.sku_id "skuId", w.quantity, w.forced_location_id forced, w.allotment_id "allotmentId", w.held_until "heldUntil",
       array(select v.id from stock_levels v join chain c on c.own = w.allotment_id and c.id = v.allotment_id join locations l on l.id = v.location_id and l.active join supplies p on p.id = v.supply_id
         where v.id = any($4::bigint[]) and v.sku_id = w.sku_id and coalesce(w.forced_location_id, v.location_id) = v.location_id
           and (v.supply_id = 0 or (p.status = 'open' and p.expected_at > $5 and p.expected_at <= $5 + make_interval(secs => w.horizon)))
           and not ${GAVE_BACK_TO('w.order_id', '$5')} order by v.supply_id <> 0, p.expected_at, v.id) levels
     from waiting w order by w.due, w.id`,
    [skuIds, [...tx.locked], MOST, levels.map((l) => l.id), tx.now]);
  if (open.length > 0 && network?.sharing((open[0] as Open).channelId, tx.now)) await network.skusById(skuIds);
  const free = new Map(levels.map((l) => [l.id, l.onHand - l.reserved - l.buffer]));
  for (const shortage of open) {
    const picks: { levelId: number; units: number }[] = [];
    let rest = shortage.quantity;
    const share = network?.sharing(shortage.channelId, tx.now) ?? null;
    const own = shortage.levels.flatMap((id) => levels.filter((l) => l.id === Number(id) && network?.blocked(l.locationId, l.skuId, tx.now) !== true).map((l) => ({ ...l, free: free.get(l.id) ?? 0 }))); // int8[] comes as text
    for (const { id: levelId, free: shared } of limitLevels(own, share)) {
      const units = Math.min(rest, shared);
      if (units <= 0) continue;
      picks.push({ levelId, units });
      free.set(levelId, (free.get(levelId) ?? 0) - units);
      rest -= units;
    }
    if (picks.length > 0) await give(tx, shortage, picks, rest);
  }
  await wakeOthers(tx, skuIds, free);
}

async function give(tx: Tx, shortage: Open, picks: readonly { levelId: number; units: number }[], rest: number): Promise<void> {
  const changed = await postMovements(tx.client, uuidv7(), 'reserve', shortage.orderId, picks.map((p) => ({ levelId: p.levelId, onHand: 0, reserved: p.units })));
  for (const level of changed ?? []) tx.changed.set(level.id, level);
  await tx.query(
    `insert into reservations (order_id, line_no, seq, level_id, quantity, status, expires_at)
     select $1, $2, coalesce((select max(seq) from reservations where order_id = $1), -1) + t.i, t.v, t.q, case when $5::timestamptz is null then 'confirmed' else 'held' end, $5
     from unnest($3::bigint[], $4::int[]) with ordinality as t(v, q, i)`,
    [shortage.orderId, shortage.lineNo, picks.map((p) => p.levelId), picks.map((p) => p.units), shortage.heldUntil]);
  if (rest === 0) await tx.query(`update shortages set status = 'served', closed_at = $2 where id = $1`, [shortage.id, tx.now]);
  else await tx.query('update shortages set quantity = $2 where id = $1', [shortage.id, rest]);
  await tx.event(shortage.orderId, 'order.shortage_served', 'system', { units: shortage.quantity - rest });
  await liftGivenBack(tx, shortage.orderId);
  // Locked above: this does not wait.
  await refreshStatus(tx, await lockOrder(tx, shortage.orderId), 'system');
  await tx.wake(shortage.orderId);
}

/** Who could not be served here (locked, on hold, more than fit) looks for itself; one unconsumed wake each is enough. */
async function wakeOthers(tx: Tx, skuIds: readonly number[], free: ReadonlyMap<number, number>): Promise<void> {
  if (![...free.values()].some((units) => units > 0)) return;
  const { rowCount } = await tx.client.query({
    name: 'shortages_wake',
    text: `insert into outbox (topic, order_id, priority)
      select 'look', order_id, min(deadline) from (select order_id, deadline from shortages where status = 'open' and sku_id = any($1::int[])
        order by deadline, id limit 200) s
      where not exists (select from outbox o where o.order_id = s.order_id and o.topic = 'look' and o.leased_until is null)
      group by order_id order by 3, 2`,
    values: [skuIds],
  });
  if (rowCount) tx.woken = true;
}

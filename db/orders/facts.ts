import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import { TERMINAL, type OrderStatus } from '../../domain/order/status.ts';
import { isPaymentDue } from '../../domain/order/payment.ts';
import type { OrderFacts } from '../../domain/order/flow.ts';
import type { Network } from '../network.ts';
import { CAN_BE_SENT } from '../pickup/lacking.ts';
import { chainPairs } from './order-pools.ts';
import { GAVE_BACK_FOR_GOOD, GAVE_BACK_TO, UNANSWERED } from './gave-back.ts';

/** SQL: units of the supply `p` are there, or will come within the horizon of the channel of order `o` (at the moment `$2`). */
const TO_COME = `(p.id = 0 or (p.status = 'open' and p.expected_at > $2 and p.expected_at <= $2::timestamptz + make_interval(secs => (select supply_horizon_s from channels where id = o.channel_id))))`;

/** SQL: a place (of those that `which` names) has units that are missing. */
const SERVABLE = (which: string): string => `exists (select from shortages s join stock_levels v on v.sku_id = s.sku_id and v.condition = 'sellable' and (o.allotment_id, v.allotment_id) in (select * from unnest($3::int[], $4::int[]))
          and v.on_hand - v.reserved - v.buffer > 0 join locations l on l.id = v.location_id and l.active
          join lots on lots.id = v.lot_id and lots.recalled_at is null and (lots.expires_on is null or lots.expires_on >= ($2::timestamptz at time zone 'UTC')::date)
          join supplies p on p.id = v.supply_id and ${TO_COME}
          where s.order_id = $1 and s.status = 'open' and coalesce(o.forced_location_id, v.location_id) = v.location_id and ${which})`;

type Row = {
  status: OrderStatus; hold_reason: string | null; validated_at: Date | null; payment_status: string; payment_due_at: Date | null; route_after: Date | null;
  delivered_at: Date | null; return_until: Date | null; deliver_by: Date | null; held: boolean; backorder_until: Date | null; servable: boolean; stranded: boolean; to_send: boolean; ask_again: Date | null;
  routable: boolean; shipping: boolean; to_release: string[]; to_recall: string[]; to_remind: string[]; to_intercept: string[]; locations: string[]; accept_by: Date | null; release_retry: Date | null;
  return_work: boolean; return_open: boolean; incoming_at: Date | null; channel_id: number; captured_at: Date; ship_by: Date | null; promise_check_at: Date | null; promise_over: boolean; way: string; pickup_at: Date | null; brought_by: Date | null;
};

/** Everything the workflow decides by, in one query. Null when the order does not exist. */
export async function readFacts(client: pg.ClientBase | pg.Pool, network: Network, orderId: string, now: Date): Promise<OrderFacts | null> {
  const { rows: [row] } = await client.query<Row>({
    name: 'order_facts',
    text: `with f as (select f.*, l.code, l.accept_timeout_s from fulfillment_orders f join locations l on l.id = f.location_id where f.order_id = $1)
      select o.status, o.hold_reason, o.validated_at, o.payment_status, o.payment_due_at, o.route_after, o.delivered_at, o.return_until, o.deliver_by,
        o.channel_id, o.captured_at, o.ship_by, o.promise_check_at, o.promise_over, o.way,
        (select min(case when status <> 'packed' then case when ready_late_at is null then ready_by end when pickup_reminded_at is null then pickup_until - interval '1 day' else pickup_until end)
          from f where ready_by is not null and status in ('releasing', 'released', 'accepted', 'packed') and cancel_requested_at is null) pickup_at,
        case when o.way = 'ship_to_store' and not exists (select from f where ready_by is not null) and not exists (select from order_events where order_id = $1 and type = 'pickup.late') then o.deliver_by end brought_by,
        exists (select from reservations where order_id = $1 and status = 'held') held,
        (select min(deadline) from shortages where order_id = $1 and status = 'open') backorder_until,
        ${SERVABLE(`not ${GAVE_BACK_TO('$1', '$2')}`)} servable,
        (select min(ask_again_at) from f where status = 'rejected' and ask_again_at > $2 and exists (select from shortages where order_id = $1 and status = 'open')) ask_again,
        ${CAN_BE_SENT('$2')} to_send,
        exists (select from f where ask_again_at is null) and not exists (select from f where ask_again_at > $2 or (${UNANSWERED})) and ${SERVABLE(`p.id = 0 and ${GAVE_BACK_FOR_GOOD}`)} stranded,
        exists (select from reservations r join stock_levels v on v.id = r.level_id and v.supply_id = 0
          where r.order_id = $1 and r.status = 'confirmed' and r.fulfillment_order_id is null) routable,
        (select max(p.expected_at) from reservations r join stock_levels v on v.id = r.level_id join supplies p on p.id = v.supply_id and p.id <> 0
          where r.order_id = $1 and r.status in ('held', 'confirmed')) incoming_at,
        exists (select from f where status in ('issued', 'delivered')) shipping,
        array(select id from f where status in ('routed', 'releasing') and cancel_requested_at is null and (release_retry_at is null or release_retry_at <= $2) order by id) to_release,
        (select min(release_retry_at) from f where status in ('routed', 'releasing') and cancel_requested_at is null and release_retry_at > $2) release_retry,
        array(select id from f where cancel_requested_at is not null and cancel_outcome is null order by id) to_recall,
        array(select id from f where reminder = 'due' and status = 'released' and cancel_requested_at is null order by id) to_remind,
        array(select id from parcels where order_id = $1 and intercept_requested_at is not null and intercept_outcome is null order by id) to_intercept,
        array(select distinct code from f where status not in ('rejected', 'cancelled') order by code) locations,
        (select min(case when escalated_at is null then accept_by else coalesce(reroute_at, escalated_at + make_interval(secs => accept_timeout_s)) end)
          from f where status in ('releasing', 'released') and cancel_requested_at is null and (o.way = 'ship' or escalated_at is null)) accept_by,
        exists (select from returns where order_id = $1 and not late and status in ('requested', 'inspected')) return_work,
        exists (select from returns where order_id = $1 and not late and status in ('requested', 'authorised', 'received', 'inspected'))
          or exists (select from refund_requests where order_id = $1 and status in ('intercepting', 'intercepted')) return_open
      from orders o where o.id = $1`,
    values: [orderId, now, ...chainPairs(network)],
  });
  if (!row) return null;
  const iso = (d: Date | null): string | null => d?.toISOString() ?? null;
  const window = row.status === 'delivered' && !row.return_open ? row.return_until : null;
  const promiseAt = promiseLook(network, row);
  const deadlines = [row.pickup_at, row.brought_by, row.accept_by, row.release_retry, row.ask_again, window].filter((d) => d !== null).sort((a, b) => a.getTime() - b.getTime());
  return {
    v: 1, status: row.status, done: TERMINAL.has(row.status), holdReason: TERMINAL.has(row.status) ? null : row.hold_reason, validated: row.validated_at !== null,
    awaitingPaymentUntil: isPaymentDue(row.payment_status) ? iso(row.payment_due_at) ?? 'it comes' : null,
    toReserve: row.held || row.servable || row.to_send || (row.stranded && !(row.routable && row.shipping)), backorderUntil: iso(row.backorder_until),
    // A whole order is routed together: while units are missing it waits, unless part of it is on its way already.
    toRoute: row.routable && ((row.backorder_until === null && row.incoming_at === null) || row.shipping), routeAfter: iso(row.route_after),
    toRelease: row.to_release.map((id) => encodeId('ful', id)), toRecall: row.to_recall.map((id) => encodeId('ful', id)),
    toIntercept: row.to_intercept.map((id) => encodeId('par', id)),
    ...(row.to_remind.length === 0 ? {} : { toRemind: row.to_remind.map((id) => encodeId('ful', id)) }),
    ...(promiseAt === null ? {} : { promiseAt: promiseAt.toISOString() }),
    returnWork: row.return_work, nextDeadline: iso(deadlines[0] ?? null), promiseBy: iso(row.deliver_by), locations: row.locations,
  };
}

/** When an order's promise is looked at: by what was last seen; the first time shortly before it should be handed over, or at once where units are missing. Moments of the past are fixed ones: clocks differ. Null: no ladder, nothing to look at. */
function promiseLook(network: Network, row: Row): Date | null {
  const ladder = network.ladders.get(row.channel_id)?.ladder;
  if (!ladder || row.way !== 'ship' || row.promise_over || row.hold_reason !== null || row.validated_at === null || TERMINAL.has(row.status)) return null;
  // Units were missing at capture: the first look finds the date that the customer could expect.
  if (!row.deliver_by) return row.promise_check_at ?? (row.backorder_until && row.captured_at);
  if (row.delivered_at) return row.promise_check_at || row.delivered_at > row.deliver_by ? row.delivered_at : null;
  if (row.promise_check_at) return row.promise_check_at;
  if (row.backorder_until) return row.captured_at;
  return row.status === 'shipped' || !row.ship_by ? row.deliver_by : new Date(row.ship_by.getTime() - ladder.atRiskMinutes * 60_000);
}

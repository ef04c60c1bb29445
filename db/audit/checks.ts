/**
 * One thing that must hold. `sql` selects the rows that break it as one column `detail`: ids, numbers and states, never personal data. Ids of ours are
 * written `ord:UUID`, `ful:UUID`, …, and shown as clients see them. `$1` (where `timed`) is the moment of the audit.
 */
export type Check = { readonly name: string; readonly timed?: boolean; readonly sql: string };

/** SQL: the reservation `r` has the line of an order or a lease that it is for. */
export const HAS_OWNER = `exists (select from orders o join order_lines l on l.order_id = o.id where o.id = r.order_id and l.line_no = r.line_no)
  or exists (select from lease_lines l where l.lease_id = r.order_id and l.line_no = r.line_no)`;
export const TERMINAL = `('closed', 'cancelled', 'rejected', 'expired')`;
/** A table written at capture speed has no foreign key to orders (ADR 0010): the audit looks for what a key would have refused. */
const orphans = (name: string, table: string, row: string): Check => ({
  name, sql: `select format('${row} without order ord:%s', t.order_id) detail from ${table} t where not exists (select from orders o where o.id = t.order_id)`,
});

export const CHECKS: readonly Check[] = [
  {
    name: 'levels-movements',
    sql: `select format('level %s: on hand %s, its movements make %s; reserved %s, its movements make %s', v.id, v.on_hand, coalesce(m.on_hand, 0), v.reserved, coalesce(m.reserved, 0)) detail
      from stock_levels v left join (select level_id, sum(d_on_hand) on_hand, sum(d_reserved) reserved from stock_movements group by 1) m on m.level_id = v.id
      where v.on_hand <> coalesce(m.on_hand, 0) or v.reserved <> coalesce(m.reserved, 0)`,
  },
  {
    name: 'levels-reservations',
    sql: `select format('level %s: reserved %s, its live reservations make %s', v.id, v.reserved, coalesce(r.units, 0)) detail
      from stock_levels v left join (select level_id, sum(quantity) units from reservations where status in ('held', 'confirmed') group by 1) r on r.level_id = v.id
      where v.reserved <> coalesce(r.units, 0)`,
  },
  {
    name: 'levels-bounds',
    sql: `select format('level %s: reserved %s of %s on hand', id, reserved, on_hand) detail from stock_levels where not (reserved >= 0 and reserved <= on_hand)`,
  },
  orphans('orphan-order-lines', 'order_lines', 'a line'),
  orphans('orphan-order-events', 'order_events', 'an event'),
  orphans('orphan-order-holds', 'order_holds', 'a hold'),
  orphans('orphan-outbox', '(select * from outbox where order_id is not null)', 'an outbox row'), // the others are for workflows of other types
  orphans('orphan-shortages', 'shortages', 'a shortage'),
  {
    name: 'orphan-reservations',
    sql: `select format('reservation %s of ord:%s, line %s: its order line, stock level or fulfillment order does not exist', r.seq, r.order_id, r.line_no) detail from reservations r
      where not (${HAS_OWNER})
        or not exists (select from stock_levels v where v.id = r.level_id)
        or (r.fulfillment_order_id is not null and not exists (select from fulfillment_orders f where f.id = r.fulfillment_order_id))`,
  },
  {
    name: 'orphan-movements',
    sql: `select format('movement %s/%s: level %s does not exist', m.command_id, m.leg, m.level_id) detail
      from stock_movements m where not exists (select from stock_levels v where v.id = m.level_id)`,
  },
  {
    name: 'orders-without-lines', // the lines of a merged order stand in the one it was merged into
    sql: `select format('ord:%s', o.id) detail from orders o where not exists (select from order_lines l where l.order_id = o.id)
      and not (o.status = 'cancelled' and o.total_amount = 0 and exists (select from order_events e where e.order_id = o.id and e.type = 'order.merged_into'))`,
  },
  {
    name: 'orders-without-contact', // the row stays when a person is erased: only its key goes
    sql: `select format('ord:%s: its vault record does not exist', o.id) detail from orders o where not exists (select from vault_records v where v.id = o.contact_id)`,
  },
  {
    name: 'stale-hold', timed: true,
    sql: `select format('%s:%s, line %s: %s units held until %s', case when exists (select from leases l where l.id = r.order_id) then 'res' else 'ord' end, r.order_id, line_no, quantity, expires_at) detail from reservations r
      where status = 'held' and expires_at < coalesce($1::timestamptz, now()) - interval '60 seconds'`,
  },
  {
    name: 'terminal-reservations',
    sql: `select format('ord:%s is %s and has %s live reservations and %s open shortages', id, status, live, short) detail from (
        select o.id, o.status, (select count(*) from reservations r where r.order_id = o.id and r.status in ('held', 'confirmed')) live,
          (select count(*) from shortages s where s.order_id = o.id and s.status = 'open') short
        from orders o where o.status in ${TERMINAL} and o.id in
          (select order_id from reservations where status in ('held', 'confirmed') union select order_id from shortages where status = 'open')) t`,
  },
  {
    name: 'ended-leases',
    sql: `select format('res:%s is %s and has %s units reserved', l.id, l.status, sum(r.quantity)) detail from leases l join reservations r on r.order_id = l.id and r.status in ('held', 'confirmed')
      where l.status <> 'active' group by l.id`,
  },
  {
    name: 'line-units',
    sql: `select format('ord:%s, line %s: %s cancelled and %s issued of %s', order_id, line_no, cancelled_quantity, issued_quantity, quantity) detail
      from order_lines where cancelled_quantity < 0 or issued_quantity < 0 or cancelled_quantity + issued_quantity > quantity`,
  },
  {
    name: 'line-issued',
    sql: `select format('ord:%s, line %s: %s issued, its parcels hold %s', l.order_id, l.line_no, l.issued_quantity, coalesce(p.units, 0)) detail
      from order_lines l left join (select p.order_id, i.line_no, sum(i.quantity) units from parcel_lines i join parcels p on p.id = i.parcel_id group by 1, 2) p
        on p.order_id = l.order_id and p.line_no = l.line_no
      where l.issued_quantity <> coalesce(p.units, 0)`,
  },
  {
    name: 'line-routed',
    sql: `select format('ord:%s, line %s: fulfillment orders carry %s of %s active units', l.order_id, l.line_no, f.units, l.quantity - l.cancelled_quantity) detail
      from order_lines l join (select f.order_id, i.line_no, sum(i.quantity - i.short_quantity) units
        from fulfillment_order_lines i join fulfillment_orders f on f.id = i.fulfillment_order_id where f.status not in ('rejected', 'cancelled') group by 1, 2) f
        on f.order_id = l.order_id and f.line_no = l.line_no
      where f.units > l.quantity - l.cancelled_quantity`,
  },
  {
    name: 'line-money',
    sql: `select format('ord:%s, line %s: list %s - discounts %s + freight %s is not net %s', order_id, line_no, list_amount, discount_amount, freight_share, net_amount) detail
      from order_lines where list_amount - discount_amount + freight_share <> net_amount`,
  },
  {
    name: 'order-money',
    sql: `select format('ord:%s: list %s - discounts %s + freight %s, total %s; its lines make %s', o.id, o.list_amount, o.discount_amount, o.freight_amount, o.total_amount, l.net) detail
      from orders o join (select order_id, sum(net_amount) net from order_lines group by 1) l on l.order_id = o.id
      where o.list_amount - o.discount_amount + o.freight_amount <> o.total_amount or l.net <> o.total_amount`,
  },
  {
    name: 'refund-units',
    sql: `with booked as (select r.order_id, p.line, sum(p.units) units from refunds r, jsonb_to_recordset(r.lines) as p(line integer, units integer) group by 1, 2)
      select format('ord:%s, line %s: refunds for %s units, ', coalesce(l.order_id, b.order_id), coalesce(l.line_no, b.line), coalesce(b.units, 0))
        || coalesce(l.refunded_quantity || ' marked as refunded, ' || l.quantity || ' ordered', 'but the order has no such line') detail
      from order_lines l full join booked b on b.order_id = l.order_id and b.line = l.line_no
      where l.order_id is null or b.units > l.refunded_quantity or l.refunded_quantity not between 0 and l.quantity`,
  },
  {
    name: 'refund-amounts',
    sql: `with booked as (select r.order_id, p.line, sum(p.amount) amount from refunds r, jsonb_to_recordset(r.lines) as p(line integer, amount bigint) group by 1, 2)
      select format('ord:%s, line %s: refunds of %s, net %s', l.order_id, l.line_no, b.amount, l.net_amount) detail
      from order_lines l join booked b on b.order_id = l.order_id and b.line = l.line_no where b.amount > l.net_amount`,
  },
  {
    name: 'refund-sums',
    sql: `select format('ref:%s of ord:%s: amount %s, its lines make %s', r.id, r.order_id, r.amount, coalesce(p.amount, 0)) detail
      from refunds r left join lateral (select sum(x.amount) amount from jsonb_to_recordset(r.lines) as x(amount bigint)) p on true
      where r.amount <> coalesce(p.amount, 0)`,
  },
  {
    // An accepted request cancels all that has not left, so no goods issue may follow. A transaction's clock is read before it waits for the order's
    // lock: where the two met, the order of their events, written under the lock, tells which came first.
    name: 'refund-before-issue',
    sql: `select format('ord:%s: refund requested at %s, shp:%s issued at %s', s.order_id, q.at, s.id, s.issued_at) detail
      from shipments s join (select order_id, min(requested_at) at from refund_requests group by 1) q on q.order_id = s.order_id
      where s.issued_at > q.at
        and (select count(*) from shipments t where t.order_id = s.order_id) > (select count(*) from order_events e where e.order_id = s.order_id and e.type = 'fulfillment.issued'
          and e.id < (select min(r.id) from order_events r where r.order_id = s.order_id and r.type = 'refund.requested'))`,
  },
  {
    // Both are written in one transaction of the roll-up. Rebuilding the day adds it up anew: POST /v1/demand/days/DAY/rebuild
    name: 'demand-sums',
    sql: `select format('demand of %s, SKU %s, location %s, channel %s, %s/%s: units, revenue, cancelled, returned, lost are %s; its parts make %s', day, sku_id, location_id, channel_id, country, region,
        concat_ws(', ', coalesce(d.units, 0), coalesce(d.revenue, 0), coalesce(d.cancelled, 0), coalesce(d.returned, 0), coalesce(d.lost, 0)),
        concat_ws(', ', coalesce(p.units, 0), coalesce(p.revenue, 0), coalesce(p.cancelled, 0), coalesce(p.returned, 0), coalesce(p.lost, 0))) detail
      from daily_demand d full join (select day, sku_id, location_id, channel_id, country, region, sum(units) units, sum(revenue) revenue, sum(cancelled) cancelled, sum(returned) returned, sum(lost) lost
          from demand_parts group by 1, 2, 3, 4, 5, 6) p using (day, sku_id, location_id, channel_id, country, region)
      where (coalesce(d.units, 0), coalesce(d.revenue, 0), coalesce(d.cancelled, 0), coalesce(d.returned, 0), coalesce(d.lost, 0))
        <> (coalesce(p.units, 0), coalesce(p.revenue, 0), coalesce(p.cancelled, 0), coalesce(p.returned, 0), coalesce(p.lost, 0))`,
  },
  {
    name: 'campaign-budgets',
    sql: `select format('stage %s of cmp:%s: %s counted as given, its orders got %s', b.stage, b.campaign_id, b.spent, coalesce(r.amount, 0)) detail
      from campaign_budgets b left join lateral (select sum(r.amount) amount from promotions p join promotion_redemptions r on r.promotion_id = p.id and r.given_back_at is null
        where p.campaign_id = b.campaign_id and (b.stage = 0 or p.stage = b.stage::text)) r on true
      where b.spent <> coalesce(r.amount, 0)`,
  },
];

/**
 * Where Temporal cannot be asked: a captured order that no outbox row stands for must have been worked on, in a later transaction than its capture. A minute's
 * grace, because the row goes when Temporal has the order, just before its workflow's first step.
 */
export const CAPTURED_WITHOUT_WORKFLOW: Check = {
  name: 'captured-forgotten', timed: true,
  sql: `select format('ord:%s was captured at %s; no outbox row stands for it and nothing has happened to it since', o.id, o.captured_at) detail from orders o
    where o.status = 'captured' and o.captured_at < coalesce($1::timestamptz, now()) - interval '60 seconds' and not exists (select from outbox x where x.order_id = o.id)
      and (select count(distinct e.xid) from order_events e where e.order_id = o.id) < 2`,
};

/** Orders whose workflow must exist: they are not over, and no outbox row is left that would start one. */
export const ORDERS_WITH_WORKFLOW = `select o.id from orders o where o.status not in ${TERMINAL} and not exists (select from outbox x where x.order_id = o.id) order by o.id`;

import { TILL_CHANNEL } from './note-receipts.ts';

/** SQL: the sale `s` that the line `n` of a till's return `t` belongs to, of the same till if there are several; follows a `select … from`. No row where it is not known, or `t` is no return. */
export const SOLD_AS = `till_receipts s where t.kind = 'return' and s.location_id = t.location_id and s.receipt_no = t.refers_to and s.kind = 'sale' and s.voided_by is null
        and exists (select from till_receipt_lines m where m.location_id = s.location_id and m.till = s.till and m.receipt_no = s.receipt_no and m.sku_id = n.sku_id) order by s.till = t.till desc, s.till limit 1`;

/**
 * SQL: what the orders `$1` (uuid[]) say of demand, by line and location, as rows of demand_parts.
 * A line's units belong to the location that has (had) them reserved or sent them; what no location has, to those that had it last, else to the shop that took the order, else to
 * none (0). Units are cancelled, and lost, in this order: those that no location ever had, those that one had last, the others. Re-sent orders and samples are no demand.
 * Receipts of tills (by their ids among `$1`) are demand of their shop, in its own country and province; a return that names its receipt belongs to the day, till and channel of that sale. What was voided never was.
 */
export const DEMAND_FACTS = `
  home as (select coalesce(mode() within group (order by time_zone), 'UTC') zone from locations where active),
  o as (select * from orders where id = any($1::uuid[]) and type in ('retail', 'wholesale', 'consignment')),
  l as (select o.id order_id, l.line_no, l.sku_id, l.quantity, l.list_amount - l.discount_amount money, l.cancelled_quantity cancelled, l.returned_quantity returned, o.ordered_at,
      o.channel_id, o.location_id shop, o.dest_country country, o.dest_province region,
      coalesce((select sum(s.quantity) from shortages s where s.order_id = o.id and s.line_no = l.line_no and s.status = 'cancelled'), 0) missed
    from o join order_lines l on l.order_id = o.id where l.sku_id is not null),
  kept as (select r.order_id, r.line_no, v.location_id, sum(r.quantity) q from reservations r join stock_levels v on v.id = r.level_id
    where r.order_id = any($1::uuid[]) and r.status in ('held', 'confirmed', 'issued') group by 1, 2, 3),
  gone as (select g.order_id, g.line_no, g.location_id, sum(least(g.quantity, g.left_open - g.before)) q from (
      select l.order_id, l.line_no, v.location_id, r.quantity, sum(r.quantity) over (partition by r.order_id, r.line_no order by r.seq desc) - r.quantity before,
        l.quantity - coalesce((select sum(q) from kept k where k.order_id = l.order_id and k.line_no = l.line_no), 0) left_open
      from l join reservations r on r.order_id = l.order_id and r.line_no = l.line_no and r.status in ('released', 'short') join stock_levels v on v.id = r.level_id) g
    where g.left_open > g.before group by 1, 2, 3),
  parted as (select *, 1 kind from gone union all select *, 2 from kept),
  rest as (select l.order_id, l.line_no, coalesce(l.shop, 0), l.quantity - coalesce((select sum(q) from parted p where p.order_id = l.order_id and p.line_no = l.line_no), 0) q, 0 kind from l),
  cut as (select x.*, sum(q) over w - q before, sum(q) over w upto from (select * from rest where q > 0 union all select * from parted) x (order_id, line_no, location_id, q, kind)
    window w as (partition by order_id, line_no order by kind, location_id)),
  receipts as (select r.*, coalesce(r.channel_id, ${TILL_CHANNEL.id}) sold_by from till_receipts r where r.id = any($1::uuid[]) and r.kind in ('sale', 'return') and r.voided_by is null),
  facts as (
    select l.order_id, l.line_no, l.sku_id, (l.ordered_at at time zone coalesce(v.time_zone, home.zone))::date as day, c.location_id, l.channel_id, l.country, l.region, c.q::int units,
      (div(l.money * c.upto, l.quantity) - div(l.money * c.before, l.quantity))::bigint revenue,
      greatest(0, least(c.q, l.cancelled - c.before))::int cancelled,
      greatest(0, least(c.q, l.returned - (l.quantity - c.upto)))::int returned,
      greatest(0, least(c.q, l.cancelled - c.before, l.missed - c.before))::int lost
    from cut c join l on l.order_id = c.order_id and l.line_no = c.line_no left join locations v on v.id = c.location_id cross join home
    union all
    select f.order_id, 0, f.sku_id, (f.at at time zone coalesce(v.time_zone, home.zone))::date, coalesce(f.location_id, 0), f.channel_id, f.country, f.region, 0, 0, 0, 0, f.quantity
    from refused_demand f left join locations v on v.id = f.location_id cross join home
    where f.order_id = any($1::uuid[]) and not exists (select from orders x where x.channel_id = f.channel_id and x.external_id = f.external_id)
    union all
    select t.id, n.line_no, n.sku_id, (coalesce(s.sold_at, t.sold_at) at time zone v.time_zone)::date, t.location_id, coalesce(s.sold_by, t.sold_by), v.country, v.province,
      case t.kind when 'sale' then n.quantity else 0 end, case t.kind when 'sale' then n.quantity * n.unit_price - n.discount else 0 end, 0, case t.kind when 'return' then n.quantity else 0 end, 0
    from receipts t join till_receipt_lines n on n.location_id = t.location_id and n.till = t.till and n.receipt_no = t.receipt_no and n.sku_id is not null join locations v on v.id = t.location_id
      left join lateral (select s.sold_at, coalesce(s.channel_id, ${TILL_CHANNEL.id}) sold_by from ${SOLD_AS}) s on true)`;

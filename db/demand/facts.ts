/**
 * SQL: what the orders `$1` (uuid[]) say of demand, by line and location, as rows of demand_parts.
 * A line's units belong to the location that has (had) them reserved or sent them; what no location has, to those that had it last, else to the shop that took the order, else to
 * none (0). Units are cancelled, and lost, in this order: those that no location ever had, those that one had last, the others. Re-sent orders and samples are no demand.
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
    where f.order_id = any($1::uuid[]) and not exists (select from orders x where x.channel_id = f.channel_id and x.external_id = f.external_id))`;

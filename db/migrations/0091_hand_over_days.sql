-- A short pick counts by its share of the order.
alter table location_reliability alter accepted type numeric(12, 3), alter rejected type numeric(12, 3);

-- The working day of the location with whose goods a fulfillment order leaves: by it a location's daily capacity is counted. Known for what was routed in the last two weeks; what an older worker
-- still writes counts for the day of its writing.
alter table fulfillment_orders add hand_over_on date;
update fulfillment_orders f set hand_over_on = (
  select day::date from locations l join orders o on o.id = f.order_id
    cross join lateral (select greatest(f.routed_at, o.scheduled_from) at time zone l.time_zone) as t(local)
    cross join lateral generate_series(date_trunc('day', t.local) + case when t.local > date_trunc('day', t.local) + make_interval(mins => l.cutoff_minutes) then interval '1 day' else interval '0' end,
      date_trunc('day', t.local) + interval '60 days', interval '1 day') day
  where l.id = f.location_id and extract(isodow from day) = any(l.work_days) and not exists (select from location_closed_days c where c.location_id = l.id and c.day = day::date)
  order by day limit 1)
where routed_at > now() - interval '14 days' and status not in ('rejected', 'cancelled');
alter table fulfillment_orders alter hand_over_on set default (now() at time zone 'UTC')::date;
create index fulfillment_orders_hand_over on fulfillment_orders (location_id, hand_over_on) where hand_over_on is not null;

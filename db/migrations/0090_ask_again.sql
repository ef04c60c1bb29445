-- From when on a location that gave an order (or a SKU of it) back may be asked again; null: not by itself, only where somebody says so. What was given back before stays so, but for the orders that still look for stock
-- and were given back for a reason that passes: they are asked again now.
alter table fulfillment_orders add ask_again_at timestamptz;
update fulfillment_orders f set ask_again_at = now()
  where f.status = 'rejected' and f.end_reason in ('no_capacity', 'closed', 'silent', 'refused') and f.ended_at > now() - interval '8 days'
    and exists (select from shortages s where s.order_id = f.order_id and s.status = 'open')
    and not exists (select from fulfillment_order_lines l where l.fulfillment_order_id = f.id and l.short_quantity > 0);
insert into outbox (topic, order_id, priority)
  select distinct 'look', f.order_id, now() from fulfillment_orders f where f.ask_again_at is not null;

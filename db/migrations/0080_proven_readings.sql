-- Units that a platform has sold in orders that are not captured, by its SKU: off its figure, and in no account. Null: none, or it is not known yet.
alter table channel_orders add column held_units jsonb;
create index channel_orders_uncounted on channel_orders (channel_id) where held_units is not null;
-- Orders that were held before this: they are read again to learn it. What is asked about people's data is no order.
insert into channel_hints (channel_id, key, subject, topic, external_id, source, received_at, due_at)
  select channel_id, 'held:' || external_id || ':units', 'order', 'held', external_id, 'replay', now(), now() from channel_orders
  where state = 'held' and order_id is null and coalesce(hold_key, '') not like 'privacy:%' on conflict do nothing;

-- A platform's figure, read and not yet proven: every order from before it must be taken first. {figure, granted, tries, key}: the account and the open change when it was read.
alter table listings add column reading jsonb, add column read_at timestamptz;
create index listings_reading on listings (channel_id, read_at) where reading is not null;
-- Units that the platform shows too few of where unpaid orders are hidden: {units, since}
alter table listings add column short jsonb;

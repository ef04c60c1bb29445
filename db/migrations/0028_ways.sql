-- Ways of fulfilment (docs/ways.md). Who fetches it does so at orders.forced_location_id.
alter table orders add way text not null default 'ship' check (way in ('ship', 'pickup', 'curbside', 'ship_to_store'));
alter table channels
  add pickup_ready_s integer not null default 7200 check (pickup_ready_s > 0),   -- how soon a shop has it ready, while it works
  add pickup_keep_days smallint not null default 3 check (pickup_keep_days between 1 and 60);
alter table fulfillment_orders
  add ready_by timestamptz,          -- set with the release of what is fetched
  add ready_late_at timestamptz,     -- was not ready by then: noticed
  add pickup_until timestamptz,      -- set when it is ready: who has not come by then does not get it
  add pickup_reminded_at timestamptz,
  add pickup_attempts smallint not null default 0, -- wrong codes
  add arrived_at timestamptz,        -- the customer waits outside
  add arrived_note text,             -- bay or vehicle
  add handed_out_at timestamptz;
create index fulfillment_orders_pickup on fulfillment_orders (location_id, id) where ready_by is not null and handed_out_at is null;

-- Rejection and change, carrier choice (docs/rejection.md, docs/routing.md).

-- A location that says nothing is reminded, then the order goes elsewhere. The channel's times count where it has any, else the location's; no second time: as long as the first.
alter table channels
  add accept_timeout_s integer check (accept_timeout_s > 0),
  add reroute_after_s integer check (reroute_after_s > 0);
alter table locations
  add reroute_after_s integer check (reroute_after_s > 0),
  -- how long it is given nothing new after it rejected for want of hands, or because it is closed; 0: not at all
  add no_capacity_pause_s integer not null default 3600 check (no_capacity_pause_s >= 0),
  add closed_pause_s integer not null default 14400 check (closed_pause_s >= 0);
alter table fulfillment_orders
  add reroute_at timestamptz,      -- set with the reminder, whose time is escalated_at
  add reminder text check (reminder in ('due', 'told', 'by_hand', 'unsupported', 'unreachable')), -- what came of the call; due: it is to be made
  add service text not null default 'standard',
  add contact_id uuid,             -- whom it goes to, from the release on: the order's may change
  add replan boolean not null default false; -- taken back to be planned anew: its units are not cancelled

-- Locations that are given nothing new for a while, and SKUs that a location keeps from every order. What is over is taken away by housekeeping, which wakes who waited for it.
create table location_pauses (
  location_id integer primary key references locations,
  reason text not null,
  since timestamptz not null,
  until timestamptz not null
);
create table location_sku_blocks (
  location_id integer not null references locations,
  sku_id integer not null references skus,
  reason text not null,
  blocked_at timestamptz not null,
  blocked_by text not null,
  until timestamptz, -- null: until somebody ends it
  primary key (location_id, sku_id)
);
create index location_sku_blocks_until on location_sku_blocks (until) where until is not null;
create trigger location_sku_blocks_notify after insert or update or delete on location_sku_blocks for each statement execute function notify_network();
-- Routing waits for a pause or block to end: orders.route_after is that moment, this is why.
alter table orders add routing_waits text;

-- A recount may be asked for by a rejection, not only by a snapshot.
alter table recounts alter snapshot_id drop not null;

-- How often locations take what they are given, measured once an hour over the last weeks.
create table location_reliability (
  location_id integer primary key references locations,
  accepted integer not null check (accepted >= 0),
  rejected integer not null check (rejected >= 0),
  acceptance integer not null check (acceptance between 0 and 1000), -- per mille, smoothed
  measured_at timestamptz not null
);
create index fulfillment_orders_routed_at on fulfillment_orders using brin (routed_at);

-- Carriers: services, cut-offs, what they refuse, capacity, how they did.
alter table carrier_rates
  add service text not null default 'standard',
  add cutoff_minutes smallint check (cutoff_minutes between 0 and 1440); -- after local midnight; handed over later, it leaves a day later
alter table carrier_rates drop constraint carrier_rates_pkey;
alter table carrier_rates add primary key (carrier, service, zone);
alter table carriers add daily_capacity integer check (daily_capacity > 0); -- parcels a day (UTC); null: as many as come
create table carrier_refusals (
  id integer generated always as identity primary key,
  carrier text not null references carriers,
  service text,           -- null: every service
  country char(2) not null,
  province text,          -- null: all of the country
  city text,              -- null: all of the province
  postcode_prefix text,   -- null: every postcode; looked at when the waybill is asked for
  reason text not null,
  check (city is null or province is not null)
);
create index carrier_refusals_carrier on carrier_refusals (carrier);
create trigger carrier_refusals_notify after insert or update or delete on carrier_refusals for each statement execute function notify_network();
create table carrier_performance (
  carrier text not null references carriers,
  service text not null,
  zone text not null check (zone in ('same_city', 'same_province', 'national', 'international')),
  parcels integer not null check (parcels >= 0),
  on_time integer not null check (on_time >= 0),
  days_late integer not null check (days_late >= 0), -- begun days, of all late parcels together
  late_risk integer not null check (late_risk between 0 and 1000), -- per mille, smoothed
  measured_at timestamptz not null,
  primary key (carrier, service, zone)
);
create trigger carrier_performance_notify after insert or update or delete on carrier_performance for each statement execute function notify_network();
alter table parcels
  add service text not null default 'standard',
  add zone text,
  add expected_by timestamptz,     -- when it should arrive by the rate card of the day it left
  add delivered_at timestamptz,
  add length_mm integer check (length_mm > 0),
  add width_mm integer check (width_mm > 0),
  add height_mm integer check (height_mm > 0),
  add chargeable_g integer check (chargeable_g >= 0);

-- Units that the buyer wants cancelled and a location has not given back yet.
alter table order_lines add cancel_wanted integer not null default 0 check (cancel_wanted >= 0);

alter table parcels validate constraint parcels_milestone_check;

-- When silence is an exception; '*': every carrier without a row of its own.
create table tracking_rules (
  carrier text primary key,
  pickup_hours integer check (pickup_hours > 0), -- issued and not picked up; null: never
  stuck_hours integer check (stuck_hours > 0), -- moving, and nothing heard
  lost_hours integer check (lost_hours > 0), -- nothing heard for so long counts as lost, with a claim
  returned boolean not null default true,
  changed_by text not null,
  changed_at timestamptz not null
);
insert into tracking_rules (carrier, pickup_hours, stuck_hours, lost_hours, changed_by, changed_at) values ('*', 24, 48, null, 'system', now());

-- One open exception of a kind per parcel.
create table parcel_exceptions (
  id uuid primary key,
  parcel_id uuid not null references parcels,
  order_id uuid not null references orders,
  kind text not null check (kind in ('not_picked_up', 'stuck', 'lost', 'returned')),
  carrier text not null,
  detail text not null,
  opened_at timestamptz not null,
  closed_at timestamptz,
  closed_by text,
  outcome text,
  check ((closed_at is null) = (closed_by is null))
);
create unique index parcel_exceptions_open on parcel_exceptions (parcel_id, kind) where closed_at is null;
create index parcel_exceptions_list on parcel_exceptions (id) where closed_at is null;
create index parcel_exceptions_order on parcel_exceptions (order_id);
-- Who is silent, the longest first.
create index parcels_silent on parcels (coalesce(heard_at, milestone_at)) where milestone not in ('delivered', 'returned', 'lost');

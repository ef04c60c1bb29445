-- The network: channels, locations, carriers, SKUs, keys. Small tables, integer ids inside, codes outside.
create table channels (
  id smallint generated always as identity primary key,
  code text not null unique,
  name text not null,
  platform text not null,
  intake_mode text not null check (intake_mode in ('strict', 'accept')),
  currency char(3) not null,
  payment_window_s integer not null check (payment_window_s > 0),
  backorder_window_s integer not null check (backorder_window_s >= 0),
  merge_window_s integer not null check (merge_window_s >= 0),
  return_window_s integer not null check (return_window_s >= 0),
  active boolean not null default true,
  created_at timestamptz not null default now()
);

create table locations (
  id integer generated always as identity primary key,
  code text not null unique,
  name text not null,
  kind text not null check (kind in ('warehouse', 'store', 'dealer', 'third_party', 'vendor')),
  country char(2) not null,
  province text not null,
  city text not null,
  lat double precision check (lat between -90 and 90),
  lon double precision check (lon between -180 and 180),
  time_zone text not null,
  cutoff_minutes smallint not null check (cutoff_minutes between 0 and 1440),
  handling_minutes integer not null check (handling_minutes >= 0),
  work_days smallint[] not null,
  handling_cost bigint not null check (handling_cost >= 0),
  accept_timeout_s integer not null check (accept_timeout_s > 0),
  partner_url text,
  partner_secret bytea, -- sealed with the vault's master key
  active boolean not null default true,
  created_at timestamptz not null default now(),
  check ((lat is null) = (lon is null))
);

-- Coordinates of cities, so that a destination without coordinates has a distance.
create table places (
  country char(2) not null, province text not null, city text not null,
  lat double precision not null, lon double precision not null,
  primary key (country, province, city)
);

create table carriers (
  code text primary key,
  name text not null,
  base_url text,
  secret bytea,
  active boolean not null default true
);

create table carrier_rates (
  carrier text not null references carriers,
  zone text not null check (zone in ('same_city', 'same_province', 'national', 'international')),
  first_weight_g integer not null check (first_weight_g > 0),
  first_cost bigint not null check (first_cost >= 0),
  step_g integer not null check (step_g > 0),
  step_cost bigint not null check (step_cost >= 0),
  transit_days smallint not null check (transit_days >= 0),
  primary key (carrier, zone)
);

create table routing_policies (
  version text primary key,
  params jsonb not null,
  active boolean not null default false,
  created_at timestamptz not null default now()
);
create unique index routing_policies_active on routing_policies (active) where active;
insert into routing_policies (version, params, active) values ('nearest-1',
  '{"maxShipments":4,"splitPenalty":500,"kindRank":{"warehouse":0,"third_party":1,"store":2,"vendor":3,"dealer":4}}', true);

create table skus (
  id integer generated always as identity primary key,
  code text not null unique,
  name text not null,
  category text,
  unit text not null default 'piece',
  weight_g integer not null check (weight_g >= 0),
  cost bigint check (cost >= 0),
  lot_tracked boolean not null default false,
  active boolean not null default true,
  created_at timestamptz not null default now()
);

create table api_keys (
  id integer generated always as identity primary key,
  name text not null,
  key_hash bytea not null unique,
  scopes text[] not null check (cardinality(scopes) > 0),
  location_id integer references locations,
  carrier text references carriers,
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);

-- 审单: rules are data.
create table audit_rules (
  id integer generated always as identity primary key,
  name text not null unique,
  kind text not null check (kind in ('amount', 'address', 'remark', 'duplicate', 'blocked', 'margin')),
  action text not null check (action in ('pass', 'hold', 'reject')),
  priority integer not null default 100,
  channel_id smallint references channels,
  params jsonb not null,
  active boolean not null default true,
  created_at timestamptz not null default now()
);

-- Only keyed hashes: the list holds no personal data in plain text.
create table blocked_entries (
  kind text not null check (kind in ('buyer', 'phone', 'address')),
  hash bytea not null,
  reason text not null,
  created_at timestamptz not null default now(),
  primary key (kind, hash)
);

-- Every process caches the network; a change to it wakes them all.
create function notify_network() returns trigger language plpgsql as $$ begin perform pg_notify('network', tg_table_name); return null; end $$;
create trigger channels_notify after insert or update or delete on channels for each statement execute function notify_network();
create trigger locations_notify after insert or update or delete on locations for each statement execute function notify_network();
create trigger places_notify after insert or update or delete on places for each statement execute function notify_network();
create trigger carriers_notify after insert or update or delete on carriers for each statement execute function notify_network();
create trigger carrier_rates_notify after insert or update or delete on carrier_rates for each statement execute function notify_network();
create trigger routing_policies_notify after insert or update or delete on routing_policies for each statement execute function notify_network();
create trigger audit_rules_notify after insert or update or delete on audit_rules for each statement execute function notify_network();
create trigger api_keys_notify after insert or update or delete on api_keys for each statement execute function notify_network();
create trigger skus_notify after update or delete on skus for each statement execute function notify_network();

-- Demand: what was wanted, by day, SKU, location, channel and region (docs/demand.md); what merchandising knows of a SKU.
alter table skus
  add attributes jsonb not null default '{}', -- texts: colour, size band
  add list_price bigint check (list_price >= 0),
  add season_start date,
  add season_end date,                        -- after it what is left is worth less
  add pack_size integer not null default 1 check (pack_size > 0), -- units that are moved and bought together
  add check (season_start is null or season_end is null or season_start <= season_end);
create index skus_category on skus (category) where category is not null;

-- Orders that a strict channel refused for want of stock: demand that no order shows. Written in capture's transaction; a later order of the same id takes its place.
create table refused_demand (
  order_id uuid not null, -- the id that it would have had
  channel_id smallint not null,
  external_id text not null,
  sku_id integer not null,
  quantity integer not null check (quantity > 0), -- as wanted of the SKU, of which some or all were missing
  location_id integer, -- the shop that took the order
  country text not null,
  region text not null,
  at timestamptz not null,
  xid xid8 not null default pg_current_xact_id(),
  primary key (channel_id, external_id, sku_id)
);
create index refused_demand_xid on refused_demand (xid);
create index refused_demand_order on refused_demand (order_id);

-- Orders whose part in the demand is to be worked out anew; taken off in the transaction that does it.
create table demand_dirty (order_id uuid primary key);

-- What each order says, by line and location: the difference to what it said before goes into daily_demand, so a late cancel or return is exact and nothing counts twice.
create table demand_parts (
  order_id uuid not null,
  line_no integer not null,
  sku_id integer not null,
  day date not null,            -- business day of the location
  location_id integer not null, -- 0: no location had the units
  channel_id smallint not null,
  country text not null,        -- of the destination
  region text not null,         -- its province
  units integer not null,
  revenue bigint not null,
  cancelled integer not null,
  returned integer not null,
  lost integer not null
);
create index demand_parts_order on demand_parts (order_id);
create index demand_parts_day on demand_parts (day);

create table daily_demand (
  day date not null,
  sku_id integer not null,
  location_id integer not null,
  channel_id smallint not null,
  country text not null,
  region text not null,
  units bigint not null,     -- ordered, those cancelled or returned later among them
  revenue bigint not null,   -- of these units, after discounts, without freight; minor units
  cancelled bigint not null, -- of units
  returned bigint not null,  -- of units
  lost bigint not null,      -- wanted and not served: refused (not in units), or cancelled while we lacked them (in units and cancelled)
  primary key (sku_id, day, location_id, channel_id, country, region)
) with (fillfactor = 75);
create index daily_demand_day on daily_demand (day, location_id);
create index daily_demand_location on daily_demand (location_id, day);

-- When a location that has carried a SKU had nothing of it to sell.
create table stock_outs (
  sku_id integer not null references skus,
  location_id integer not null references locations,
  since timestamptz not null,
  until timestamptz, -- null: still
  primary key (sku_id, location_id, since),
  check (until >= since)
);
create unique index stock_outs_open on stock_outs (sku_id, location_id) where until is null;
create index stock_outs_until on stock_outs (until);

-- When a SKU was promoted: by a promotion, campaign or by hand (`source`). Null: everywhere.
create table promoted_spans (
  source text not null,
  sku_id integer not null references skus,
  location_id integer references locations,
  channel_id smallint references channels,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  check (starts_at < ends_at),
  unique nulls not distinct (source, sku_id, location_id, channel_id)
);
create index promoted_spans_sku on promoted_spans (sku_id, starts_at);

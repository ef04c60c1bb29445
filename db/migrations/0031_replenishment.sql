-- Replenishment (docs/replenishment.md): what is forecast, by which policy stock is planned, what was proposed and why, and purchase orders.

-- The last forecast of a SKU at a location: the weeks after `week`, its Monday.
create table forecasts (
  sku_id integer not null references skus,
  location_id integer not null references locations,
  week date not null,
  made_at timestamptz not null,
  method text not null,
  source text not null,
  pattern text not null,
  mean double precision not null check (mean >= 0),          -- units of the first week
  variance double precision not null check (variance >= 0),  -- of the first week's demand, its forecast error
  uplift double precision not null,
  estimated integer not null,  -- weeks whose demand was estimated because stock was out
  weeks jsonb not null,        -- [{mean, quantiles}], quantiles .1 .25 .5 .75 .9 .95
  backtest jsonb not null,     -- {origins, loss, methods: [{method, loss}]}
  primary key (sku_id, location_id)
);
create index forecasts_location on forecasts (location_id, sku_id);

-- What a workflow replenishment/<scope> plans: some locations, all SKUs or some categories, by one policy. No SKU × location is in two scopes that are active.
create table replenishment_scopes (
  code text primary key,
  location_ids integer[] not null check (cardinality(location_ids) > 0),
  categories text[],            -- null: all SKUs
  policy jsonb not null,
  active boolean not null default true,
  version integer not null default 1,
  plans bigint not null default 0, -- plans committed so far: whoever planned from an older state plans again
  next_at timestamptz,             -- when it is looked at by its cadence
  forecast_week date,              -- all its forecasts of this week are made
  created_at timestamptz not null,
  updated_at timestamptz not null
);

-- How a unit gets from one location to another.
create table transfer_lanes (
  from_location_id integer not null references locations,
  to_location_id integer not null references locations,
  per_unit bigint not null check (per_unit >= 0), -- minor units
  days integer not null check (days >= 0),
  primary key (from_location_id, to_location_id),
  check (from_location_id <> to_location_id)
);

create table vendors (
  code text primary key,
  name text not null,
  lead_days integer not null check (lead_days >= 0),
  lead_variance double precision not null default 0 check (lead_variance >= 0), -- in days²
  active boolean not null default true
);
create table vendor_terms (
  vendor text not null references vendors,
  sku_id integer not null references skus,
  location_id integer references locations, -- null: to any
  unit_cost bigint not null check (unit_cost >= 0),
  pack integer not null check (pack > 0),
  minimum integer not null check (minimum >= 0),
  available integer check (available >= 0), -- units it has; null: any number
  unique nulls not distinct (vendor, sku_id, location_id)
);
create index vendor_terms_sku on vendor_terms (sku_id);

-- Levels by hand: of a new SKU without history, or where somebody knows better. They replace what is computed.
create table reorder_rules (
  location_id integer not null references locations,
  sku_id integer not null references skus,
  reorder_point integer not null check (reorder_point >= 0),
  level integer not null,
  primary key (location_id, sku_id),
  check (level > reorder_point)
);

-- SKU × location whose stock fell to its reorder point, or of which a proposal failed; taken off by the plan that sees it.
create table replenishment_dirty (
  sku_id integer not null,
  location_id integer not null,
  stamp bigint generated always as identity,
  at timestamptz not null,
  primary key (sku_id, location_id)
);

create function replenishment_scope(of_sku integer, at_location integer) returns text language sql stable as $$
  select s.code from replenishment_scopes s where s.active and at_location = any(s.location_ids)
    and (s.categories is null or (select k.category from skus k where k.id = of_sku) = any(s.categories)) limit 1 $$;

-- In the transaction that takes stock to its reorder point; what is above it, or has none, costs a comparison.
create function wake_replenishment() returns trigger language plpgsql as $$
declare scope text := replenishment_scope(new.sku_id, new.location_id);
begin
  if scope is null then return null; end if;
  insert into replenishment_dirty as d (sku_id, location_id, at) values (new.sku_id, new.location_id, now())
    on conflict (sku_id, location_id) do update set stamp = default, at = excluded.at;
  insert into outbox (topic, workflow_type, workflow_id, input, priority)
    select 'look_workflow', 'replenishment', 'replenishment/' || scope, jsonb_build_object('v', 1, 'scope', scope), now()
    where not exists (select from outbox o where o.workflow_id = 'replenishment/' || scope and o.leased_until is null);
  if found then perform pg_notify('outbox', ''); end if;
  return null;
end $$;
create trigger stock_levels_reorder after update of on_hand, reserved on stock_levels for each row
  when (new.reorder_point is not null and new.on_hand - new.reserved <= new.reorder_point and old.on_hand - old.reserved > new.reorder_point)
  execute function wake_replenishment();

create table replenishment_plans (
  id uuid primary key,
  scope text not null references replenishment_scopes,
  cause text not null check (cause in ('cadence', 'wake', 'manual')),
  at timestamptz not null,
  sites integer not null,
  transfers integer not null,
  purchases integer not null,
  unmet integer not null,
  spent bigint not null,
  seconds double precision not null
);
create index replenishment_plans_scope on replenishment_plans (scope, id);

-- What the last plan that looked at a SKU × location found.
create table replenishment_sites (
  sku_id integer not null references skus,
  location_id integer not null references locations,
  plan_id uuid not null references replenishment_plans,
  facts jsonb not null,  -- {free, position, level, reorderPoint, safetyStock, weekly, lead, …}
  unmet integer not null,
  unmet_reason text,
  primary key (sku_id, location_id)
);
create index replenishment_sites_unmet on replenishment_sites (location_id, sku_id) where unmet > 0;

-- A transfer or purchase order that a plan wants; counts as under way until it is carried out, and then what was made of it does.
create table replenishment_orders (
  id uuid primary key,
  plan_id uuid not null references replenishment_plans,
  scope text not null references replenishment_scopes,
  kind text not null check (kind in ('transfer', 'purchase')),
  from_location_id integer references locations,
  vendor text references vendors,
  to_location_id integer not null references locations,
  days integer not null,
  approve boolean not null,   -- by the rule; else somebody does
  cost bigint not null,
  status text not null default 'planned' check (status in ('planned', 'done', 'failed')),
  transfer_id uuid,
  purchase_id uuid,
  problem text,
  created_at timestamptz not null,
  done_at timestamptz,
  check ((kind = 'transfer') = (from_location_id is not null)),
  check ((kind = 'purchase') = (vendor is not null)),
  check ((status = 'done') = (transfer_id is not null or purchase_id is not null))
);
create index replenishment_orders_planned on replenishment_orders (scope, id) where status = 'planned';
create index replenishment_orders_scope on replenishment_orders (scope, id);
create table replenishment_order_lines (
  order_id uuid not null references replenishment_orders,
  sku_id integer not null references skus,
  units integer not null check (units > 0),
  cost bigint not null,
  why jsonb not null, -- the site's facts when it was planned
  primary key (order_id, sku_id)
);

create table purchase_orders (
  id uuid primary key,
  reference text not null unique,
  vendor text not null references vendors,
  location_id integer not null references locations,
  status text not null check (status in ('proposed', 'approved', 'sent', 'partly_received', 'received', 'closed', 'cancelled')),
  cost bigint not null check (cost >= 0),
  note text,
  expected_at timestamptz,
  supply_id integer unique references supplies,
  created_at timestamptz not null,
  created_by text not null,
  approved_at timestamptz,
  approved_by text,
  sent_at timestamptz,
  received_at timestamptz,
  ended_at timestamptz,
  check ((status in ('closed', 'cancelled')) = (ended_at is not null)),
  check ((status in ('sent', 'partly_received', 'received', 'closed')) <= (supply_id is not null))
);
create index purchase_orders_open on purchase_orders (location_id, status) where ended_at is null;
create index purchase_orders_vendor on purchase_orders (vendor, id);
create table purchase_order_lines (
  purchase_id uuid not null references purchase_orders,
  line_no integer not null,
  sku_id integer not null references skus,
  quantity integer not null check (quantity > 0),
  unit_cost bigint not null check (unit_cost >= 0),
  primary key (purchase_id, line_no)
);
create index purchase_order_lines_sku on purchase_order_lines (sku_id);
create table purchase_order_events (
  id bigint generated always as identity primary key,
  purchase_id uuid not null references purchase_orders,
  type text not null,
  at timestamptz not null,
  actor text not null,
  data jsonb
);
create index purchase_order_events_purchase on purchase_order_events (purchase_id, id);

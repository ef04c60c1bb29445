-- Slow-mover warning (滞销预警, docs/slow-movers.md): rules as data, what was found with its evidence, one open alert for each subject.
create table slow_mover_policy (
  single boolean primary key default true check (single),
  every_s integer not null check (every_s >= 3600),          -- how often everything is looked at
  medium_from bigint not null check (medium_from >= 0),      -- money at risk from which on an alert is medium, high; minor units
  high_from bigint not null check (high_from >= medium_from),
  season_days integer not null check (season_days > 0),      -- days left of a SKU whose season end nobody gave
  requested_at timestamptz,                                  -- somebody wants it looked at now
  evaluated_at timestamptz,
  outcome jsonb                                              -- of the last evaluation
);
insert into slow_mover_policy (every_s, medium_from, high_from, season_days) values (86400, 100000, 1000000, 90);

-- What differs from the defaults in domain/slow-movers/rules.ts; category null: for all.
create table slow_mover_rules (
  kind text not null check (kind in ('trend', 'region_trend', 'selling_rate', 'turnover', 'cover', 'age', 'outlook')),
  category text,
  enabled boolean not null,
  params jsonb not null,
  updated_at timestamptz not null,
  updated_by text not null,
  unique nulls not distinct (kind, category)
);

create table slow_mover_alerts (
  id uuid primary key,
  subject text not null,
  kind text not null check (kind in ('sku', 'sku_region', 'category')),
  sku_id integer references skus,
  category text,
  region text,
  status text not null check (status in ('open', 'acknowledged', 'snoozed', 'in_campaign', 'closed')),
  severity text not null check (severity in ('low', 'medium', 'high')),
  money_at_risk bigint not null check (money_at_risk >= 0),
  triggers jsonb not null, -- rule, words, numbers
  figures jsonb not null,
  opened_at timestamptz not null,
  seen_at timestamptz not null, -- when its cause was there last
  snoozed_until timestamptz,
  campaign text,                -- that it was turned into
  closed_at timestamptz,
  check ((status = 'closed') = (closed_at is not null)),
  check ((status = 'snoozed') = (snoozed_until is not null)),
  check ((kind = 'category') = (sku_id is null))
);
create unique index slow_mover_alerts_open on slow_mover_alerts (subject) where closed_at is null;
create index slow_mover_alerts_money on slow_mover_alerts (money_at_risk desc, id) where closed_at is null;
create index slow_mover_alerts_sku on slow_mover_alerts (sku_id, id);

create table slow_mover_events (
  id bigint generated always as identity primary key,
  alert_id uuid not null references slow_mover_alerts,
  type text not null,
  at timestamptz not null,
  actor text not null,
  data jsonb
);
create index slow_mover_events_alert on slow_mover_events (alert_id, id);

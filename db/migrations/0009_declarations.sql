-- Declarations: partner sessions with units of their own (DESIGN 4, `declaration/<id>`), and outbox rows for workflows of any type.
create table declarations (
  id uuid primary key,
  code text not null unique, -- its allotment's code: orders name the session by it
  allotment_id integer not null unique references allotments,
  kind text not null check (kind in ('live_stream', 'influencer', 'group_buy')),
  partner text not null,
  channel_id smallint not null references channels,
  status text not null default 'declared' check (status in ('declared', 'live', 'settling', 'settled', 'cancelled')),
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  settle_by timestamptz not null, -- the report is written then at the latest
  contract json not null,         -- the answer as it was given
  report json,
  declared_at timestamptz not null,
  declared_by text not null,
  live_at timestamptz,
  ended_at timestamptz,           -- sales are over, free units have gone home
  end_reason text,
  settled_at timestamptz,
  emptied_at timestamptz,         -- over, and its last reserved unit has left or gone home
  check (starts_at < ends_at)
);
create index declarations_open on declarations (ends_at) where emptied_at is null;

-- Where the units came from and stand: one row a pair of levels. Counters only grow; what is there now says stock_levels.
create table declaration_lines (
  declaration_id uuid not null references declarations,
  sku_id integer not null references skus,
  home_level_id bigint not null references stock_levels, -- where they were taken and go back to
  level_id bigint not null references stock_levels,      -- the level of the declaration's allotment
  firm boolean not null,                                 -- physically there; else a supply that is still to come
  confidence double precision not null check (confidence between 0 and 1),
  declared integer not null default 0 check (declared >= 0),
  topped_up integer not null default 0 check (topped_up >= 0),
  given_back integer not null default 0 check (given_back >= 0),
  primary key (declaration_id, level_id, home_level_id)
);

-- Units that went home after the end, by level: what was free then, and what cancellations freed later.
create table declaration_releases (
  declaration_id uuid not null references declarations,
  level_id bigint not null references stock_levels,
  home_level_id bigint not null references stock_levels,
  units integer not null check (units > 0),
  released_at timestamptz not null,
  primary key (declaration_id, level_id, home_level_id, released_at)
);

-- How sure the contract is, and how long settlement waits; one row.
create table declaration_policy (
  single boolean primary key default true check (single),
  uncounted_confidence double precision not null check (uncounted_confidence between 0 and 1), -- of a location that never sent a count: books are mostly right, but nobody has looked
  supply_confidence double precision not null check (supply_confidence between 0 and 1),       -- share of incoming units that may be relied on
  settle_after_s integer not null check (settle_after_s >= 0)                                  -- after the end, for payments under way
);
insert into declaration_policy values (true, 0.9, 0.7, 86400);

create index orders_allotment on orders (allotment_id, id) where allotment_id <> 0;
create index stock_levels_allotment on stock_levels (allotment_id) where allotment_id <> 0;

-- Orders name themselves by order_id; every other workflow says its type, id and input.
alter table outbox
  alter order_id drop not null,
  add workflow_type text,
  add workflow_id text,
  add input jsonb,
  drop constraint outbox_topic_check,
  add constraint outbox_topic_check check (topic in ('start', 'look', 'start_return', 'start_workflow', 'look_workflow')),
  add constraint outbox_target check (case when topic in ('start_workflow', 'look_workflow')
    then order_id is null and workflow_type is not null and workflow_id is not null and input is not null else order_id is not null end);
create index outbox_workflow on outbox (workflow_id, id) where workflow_id is not null;

-- Clearance campaigns (DESIGN 4, `clearance/<id>`): a plan, timed stages, their prices, what they sold, the report.

-- Members of a segment (会员分群) that campaigns write to. Who they are stands in the vault.
create table segments (
  id integer generated always as identity primary key,
  code text not null unique,
  created_at timestamptz not null
);
create table segment_members (
  segment_id integer not null references segments,
  person_id uuid not null,
  contact_id uuid not null,
  added_at timestamptz not null,
  primary key (segment_id, person_id)
);

create table campaigns (
  id uuid primary key,
  reference text not null unique,
  name text not null,
  status text not null check (status in ('draft', 'approved', 'running', 'paused', 'ended', 'escalated')),
  plan jsonb not null,                  -- as it stands now, changes included; domain/clearance/plan.ts
  currency char(3) not null,
  location_ids integer[] check (location_ids is null or cardinality(location_ids) > 0),
  channel_ids smallint[] check (channel_ids is null or cardinality(channel_ids) > 0),
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  alert_id text,                        -- the slow-mover alert that it answers
  created_at timestamptz not null,
  created_by text not null,
  approved_at timestamptz,
  approved_by text,
  started_at timestamptz,
  paused_at timestamptz,
  ended_at timestamptz,
  end_reason text check (end_reason in ('target', 'time', 'budget', 'stages', 'stopped', 'lapsed')),
  stock integer not null default 0,     -- units at its start
  sold integer not null default 0,      -- as of looked_at
  spent bigint not null default 0,
  looked_at timestamptz,
  scanned_to uuid not null,             -- orders below it have been looked through for its SKUs
  report jsonb,
  reported_at timestamptz,
  answered_at timestamptz,              -- an operator has answered the escalation
  answered_by text,
  answer text,
  check (starts_at < ends_at),
  check ((status in ('ended', 'escalated')) = (ended_at is not null) and (ended_at is null) = (end_reason is null)),
  check ((status = 'paused') = (paused_at is not null)),
  check (status <> 'escalated' or answered_at is null)
);
create index campaigns_open on campaigns (id) where ended_at is null;
create index campaigns_escalated on campaigns (id) where status = 'escalated';

-- One campaign at a time has a SKU: held by the database, whoever comes first. Ranges of one integer, so that no extension is needed.
create table campaign_skus (
  campaign_id uuid not null references campaigns,
  sku_id integer not null references skus,
  list_price bigint not null check (list_price > 0),
  cost bigint not null check (cost >= 0),
  span tstzrange not null,
  live boolean not null default true,   -- false: the campaign is over
  stock integer not null default 0 check (stock >= 0),
  base_per_day double precision not null default 0 check (base_per_day >= 0), -- units a day before the campaign
  primary key (campaign_id, sku_id),
  constraint campaign_skus_once exclude using gist (int4range(sku_id, sku_id, '[]') with &&, span with &&) where (live)
);

-- What was free where when it began.
create table campaign_stock (
  campaign_id uuid not null references campaigns,
  sku_id integer not null references skus,
  location_id integer not null references locations,
  units integer not null check (units >= 0),
  primary key (campaign_id, sku_id, location_id)
);

create table campaign_stages (
  campaign_id uuid not null references campaigns,
  no integer not null check (no > 0),   -- its place in the plan
  kind text not null check (kind in ('staff', 'coupon', 'live_stream', 'bundle', 'gift', 'markdown')),
  status text not null default 'planned' check (status in ('planned', 'open', 'over')),
  revision integer not null default 0,  -- of its promotions: an end is never taken back, so what begins again is a new one
  opened_at timestamptz,
  closed_at timestamptz,
  end_reason text check (end_reason in ('time', 'target', 'budget', 'campaign', 'missed')),
  next_step_at timestamptz,             -- when the next markdown is thought about
  declaration_id uuid references declarations,
  issued boolean not null default false, -- every member of the segment has its coupon, of this revision
  messages integer not null default 0,
  message_cost bigint not null default 0,
  primary key (campaign_id, no),
  check ((status = 'over') = (end_reason is not null)),
  check (status <> 'open' or opened_at is not null)
);
create unique index campaign_stages_one_open on campaign_stages (campaign_id) where status = 'open';

-- Public prices of a markdown stage, step by step: what elasticity is measured by.
create table campaign_prices (
  campaign_id uuid not null references campaigns,
  sku_id integer not null references skus,
  stage_no integer not null,
  price bigint not null check (price >= 0),
  live_from timestamptz not null,
  live_until timestamptz,               -- null: still
  primary key (campaign_id, sku_id, live_from),
  check (live_until >= live_from)
);

create table campaign_proposals (
  campaign_id uuid not null references campaigns,
  no integer not null,
  stage_no integer not null,
  at timestamptz not null,
  lines jsonb not null,                 -- by SKU: from, price, expected units, elasticity, what stands in the way
  status text not null check (status in ('open', 'applied', 'declined', 'superseded')),
  decided_at timestamptz,
  decided_by text,
  primary key (campaign_id, no),
  check ((status = 'open') = (decided_at is null))
);
create unique index campaign_proposals_one_open on campaign_proposals (campaign_id) where status = 'open';

-- Order lines of its SKUs that were captured while it ran; what became of them is read from the orders.
create table campaign_lines (
  campaign_id uuid not null references campaigns,
  order_id uuid not null,
  line_no integer not null,
  sku_id integer not null,
  channel_id smallint not null,
  captured_at timestamptz not null,
  primary key (campaign_id, order_id, line_no)
);

create table campaign_events (
  id bigint generated always as identity primary key,
  campaign_id uuid not null references campaigns,
  type text not null,
  at timestamptz not null,
  actor text not null,
  data jsonb
);
create index campaign_events_of on campaign_events (campaign_id, id);

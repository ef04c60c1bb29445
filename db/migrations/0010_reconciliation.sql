-- Reconciliation: what locations count, compared with the ledger as of the time of the count (DESIGN 3 and 4).

-- Units of measure: `factor` base units make one. The base unit itself is skus.unit, with factor 1.
create table sku_units (
  sku_id integer not null references skus,
  unit text not null,
  factor integer not null check (factor > 0),
  primary key (sku_id, unit)
);

-- How a location's counts are judged; the row without a location is for all that have none of their own.
create table reconciliation_rules (
  location_id integer unique nulls not distinct references locations,
  tolerance_units integer not null check (tolerance_units >= 0),
  tolerance_percent double precision not null check (tolerance_percent between 0 and 100), -- of the expected units
  window_s integer not null check (window_s >= 0), -- movements this close to the count may be in it or not
  pull_every_s integer check (pull_every_s >= 60)  -- how often the partner is asked for its stock; null: never
);
insert into reconciliation_rules values (null, 2, 1, 900, null);

create table snapshots (
  id bigint generated always as identity primary key,
  location_id integer not null references locations,
  external_id text not null,
  kind text not null check (kind in ('full', 'delta')),
  source text not null check (source in ('wms', 'pos', 'dealer', 'third_party')),
  origin text not null check (origin in ('api', 'import', 'pull')),
  taken_at timestamptz not null,
  received_at timestamptz not null,
  status text not null default 'staged' check (status in ('staged', 'comparing', 'refused', 'done')),
  reason text, -- why it was refused
  body_hash bytea,
  answer json, -- not jsonb: a repetition gets the very same text
  lines integer not null default 0,
  bad_lines integer not null default 0,
  last_line integer not null default 0, -- settled up to this line
  flow_xmin xid8, -- movements of transactions from here on are not in snapshot_flows
  counts jsonb,
  done_at timestamptz,
  unique (location_id, external_id)
);
create index snapshots_waiting on snapshots (location_id, taken_at, id) where status in ('staged', 'comparing');
create index snapshots_full on snapshots (location_id, taken_at) where kind = 'full' and status in ('comparing', 'done');
create index snapshots_pulled on snapshots (location_id, received_at) where origin = 'pull';

-- One line a SKU, condition and lot, in base units; line_no is the first line of the upload that told of it.
create table snapshot_lines (
  snapshot_id bigint not null references snapshots,
  line_no integer not null,
  sku_code text not null,
  sku_id integer,
  condition text not null check (condition in ('sellable', 'damaged', 'quarantine', 'display')),
  lot_code text, -- null: all lots together
  unit text,
  counted integer not null check (counted >= 0),
  expected integer,
  variance integer,
  class text check (class in ('match', 'timing', 'in_flight', 'unit_of_measure', 'unknown_sku', 'superseded', 'loss', 'gain')),
  action text check (action in ('none', 'adjust', 'recount')),
  shortened integer not null default 0, -- reserved units that were gone
  settled_at timestamptz,
  primary key (snapshot_id, line_no)
) with (fillfactor = 70);

-- On-hand movements of the location around and after the count, read once a snapshot; gone when it is done.
create table snapshot_flows (
  snapshot_id bigint not null references snapshots,
  level_id bigint not null,
  command_id uuid not null,
  leg smallint not null,
  d_on_hand integer not null,
  at timestamptz not null,
  primary key (snapshot_id, level_id, command_id, leg)
);
-- Movements are appended, so the blocks of a time are few and this index is nearly free to keep.
create index stock_movements_at on stock_movements using brin (at) with (autosummarize = on);

-- When each was counted last: what is older than that says nothing new. lot_code '': all lots together.
create table stock_counts (
  location_id integer not null references locations,
  sku_id integer not null references skus,
  condition text not null,
  lot_code text not null default '',
  counted_at timestamptz not null,
  counted integer not null,
  primary key (location_id, sku_id, condition, lot_code)
) with (fillfactor = 70);

create table recounts (
  id bigint generated always as identity primary key,
  location_id integer not null references locations,
  sku_id integer not null references skus,
  condition text not null,
  lot_code text not null default '',
  status text not null default 'open' check (status in ('open', 'done')),
  snapshot_id bigint not null references snapshots, -- the last that asked for it
  counted integer not null,
  expected integer not null,
  variance integer not null,
  opened_at timestamptz not null,
  closed_at timestamptz,
  closed_by text,
  figure integer, -- what the recount found
  answer json
);
create unique index recounts_open on recounts (location_id, sku_id, condition, lot_code) where status = 'open';

-- Sums that halve in ten snapshots; matched / counted is the location's count accuracy.
create table location_accuracy (
  location_id integer primary key references locations,
  counted_lines double precision not null,
  matched_lines double precision not null check (matched_lines <= counted_lines),
  updated_at timestamptz not null
);

-- Transfers between locations (DESIGN 4, `transfer/<id>`): set aside at the sender, sent as a supply of the receiver, received with variance.

-- Units that are set aside for a transfer, at the sender: no order looks there. One for all transfers; whose they are says transfer_parts.
alter table allotments
  drop constraint allotments_kind_check,
  add constraint allotments_kind_check check (kind in ('shared', 'group', 'channel', 'campaign', 'declaration', 'transfer'));
insert into allotments (id, kind, name, code, parent_id, overflow) values (-1, 'transfer', 'set aside for transfers', '~transfers', 0, 'never');

create table transfers (
  id uuid primary key,
  reference text not null unique,
  reason text not null check (reason in ('replenishment', 'redistribution', 'order', 'manual')),
  order_id uuid,                       -- the order that it is for
  from_location_id integer not null references locations,
  to_location_id integer not null references locations,
  status text not null check (status in ('proposed', 'approved', 'picking', 'shipped', 'received', 'closed', 'cancelled')),
  note text,
  transit_s integer not null check (transit_s > 0), -- how long it is expected to be on its way
  decide_by timestamptz not null,      -- a proposal that nobody has approved by then lapses
  ship_by timestamptz,                 -- from its approval on: later than this is late
  give_up_at timestamptz,              -- and then the units are free again
  late_at timestamptz,                 -- was noticed late at the sender
  overdue_at timestamptz,              -- was noticed overdue on its way
  supply_id integer unique references supplies,
  expected_at timestamptz,
  created_at timestamptz not null,
  approved_at timestamptz,
  shipped_at timestamptz,
  received_at timestamptz,
  ended_at timestamptz,                -- closed or cancelled
  check (from_location_id <> to_location_id),
  check ((status in ('closed', 'cancelled')) = (ended_at is not null)),
  check ((status in ('shipped', 'received', 'closed')) <= (supply_id is not null))
);
create index transfers_open on transfers (id) where ended_at is null;
create index transfers_from on transfers (from_location_id, id);
create index transfers_to on transfers (to_location_id, id);
create index transfers_order on transfers (order_id) where order_id is not null;

create table transfer_lines (
  transfer_id uuid not null references transfers,
  line_no integer not null,
  sku_id integer not null references skus,
  quantity integer not null check (quantity > 0),
  picked integer check (picked between 0 and quantity),
  shipped integer check (shipped between 0 and quantity),
  primary key (transfer_id, line_no)
);

-- The units of an approved transfer: taken from `home_level_id`, standing on `level_id` until they are sent or go home.
create table transfer_parts (
  transfer_id uuid not null references transfers,
  line_no integer not null,
  home_level_id bigint not null references stock_levels,
  level_id bigint not null references stock_levels,
  lot_id integer not null references lots,
  units integer not null check (units > 0),
  primary key (transfer_id, line_no, home_level_id)
);

create table transfer_events (
  id bigint generated always as identity primary key,
  transfer_id uuid not null references transfers,
  type text not null,
  at timestamptz not null,
  actor text not null,
  data jsonb
);
create index transfer_events_transfer on transfer_events (transfer_id, id);

-- The dates of transfers; one row.
create table transfer_policy (
  single boolean primary key default true check (single),
  decide_within_s integer not null check (decide_within_s > 0),
  ship_within_s integer not null check (ship_within_s > 0),       -- from the approval
  give_up_after_s integer not null check (give_up_after_s > ship_within_s),
  transit_s integer not null check (transit_s > 0)                -- where the transfer says nothing
);
insert into transfer_policy values (true, 604800, 86400, 604800, 172800);

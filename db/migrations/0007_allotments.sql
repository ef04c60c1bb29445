-- What an allotment should have (a rule a row; the most specific one counts at a location), when it is brought there by itself, and which closed ones still hold units.
create table allotment_targets (
  allotment_id integer not null references allotments,
  sku_id integer references skus,           -- null: every SKU
  location_id integer references locations, -- null: all locations together
  mode text not null check (mode in ('units', 'percent')),
  value integer not null check (value >= 0 and (mode = 'units' or value <= 100)),
  unique nulls not distinct (allotment_id, sku_id, location_id)
);

-- Apart from allotments, so that a run does not make every process read the network again.
create table allotment_schedules (
  allotment_id integer primary key references allotments,
  reallocate_every_s integer not null check (reallocate_every_s >= 60),
  next_reallocate_at timestamptz not null
);
create index allotment_schedules_due on allotment_schedules (next_reallocate_at);

-- Closed allotments with units in them: reserved ones stay until they are issued or released, then go home.
create table allotment_closings (
  allotment_id integer primary key references allotments,
  closed_at timestamptz not null
);

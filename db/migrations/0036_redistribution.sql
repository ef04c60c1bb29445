-- Redistribution (docs/redistribution.md): proposals of moves between locations; what is accepted becomes a transfer.
create table redistribution_policy (
  single boolean primary key default true check (single),
  every_s integer not null check (every_s >= 3600),
  lapse_after_s integer not null check (lapse_after_s >= 3600), -- a proposal that nobody has accepted by then lapses
  horizon_days integer not null check (horizon_days > 0),       -- units that are not sold by then gain nothing, where the season does not end before
  minimum_gain bigint not null check (minimum_gain >= 0),       -- of a trip, over its cost; minor units
  same_city bigint not null check (same_city >= 0),             -- a trip costs, by zone
  same_province bigint not null check (same_province >= 0),
  national bigint not null check (national >= 0),
  per_unit bigint not null check (per_unit >= 0),               -- handling of a unit, both ends
  salvage_percent integer not null check (salvage_percent between 0 and 100), -- of its cost, what an unsold unit is still worth
  keep_units integer not null check (keep_units >= 0),          -- a location never gives its last so many units of a SKU
  most_lanes integer not null check (most_lanes between 1 and 2000),
  requested_at timestamptz,
  planned_at timestamptz,
  outcome jsonb
);
insert into redistribution_policy (every_s, lapse_after_s, horizon_days, minimum_gain, same_city, same_province, national, per_unit, salvage_percent, keep_units, most_lanes)
values (604800, 259200, 28, 2000, 1500, 3000, 6000, 50, 50, 1, 300);

-- A trip: all that goes from one location to another in one plan of a category.
create table move_proposals (
  id uuid primary key,
  category text,
  from_location_id integer not null references locations,
  to_location_id integer not null references locations,
  status text not null check (status in ('proposed', 'accepted', 'rejected', 'lapsed')),
  units integer not null check (units > 0),
  gained bigint not null,  -- expected margin there, and of the same units here
  lost bigint not null,
  cost bigint not null,
  gain bigint not null,    -- gained − lost − cost
  how text not null,       -- optimal, time or greedy
  created_at timestamptz not null,
  lapses_at timestamptz not null,
  decided_at timestamptz,
  decided_by text,
  reason text,
  transfer text,           -- the transfer that it became
  check ((status = 'proposed') = (decided_at is null)),
  check ((status = 'accepted') = (transfer is not null))
);
create index move_proposals_open on move_proposals (lapses_at) where status = 'proposed';

create table move_proposal_lines (
  proposal_id uuid not null references move_proposals,
  line_no integer not null,
  sku_id integer not null references skus,
  units integer not null check (units > 0),
  gained bigint not null,
  lost bigint not null,
  sells_there double precision not null, -- chance that the first of the units sells there, and the first of them here
  sells_here double precision not null,
  words text not null,
  primary key (proposal_id, line_no)
);

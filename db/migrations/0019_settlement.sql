-- Dealers and vendors that ship for the brand (代发): what they are owed (docs/settlement.md).
create table settlement_parties (
  location_id integer primary key references locations,
  currency char(3) not null,
  handling_fee bigint not null default 0 check (handling_fee >= 0) -- minor units for each shipment
);
-- For one SKU, or (null) for every other: so much a unit, or so many percent of what the customer paid. The newest whose time has come counts.
create table settlement_terms (
  id integer generated always as identity primary key,
  location_id integer not null references settlement_parties,
  sku_id integer references skus,
  price bigint check (price >= 0),
  percent_of_net smallint check (percent_of_net between 0 and 100),
  valid_from timestamptz not null,
  author text not null,
  created_at timestamptz not null,
  check ((price is null) <> (percent_of_net is null)),
  unique nulls not distinct (location_id, sku_id, valid_from)
);
create table settlement_statements (
  id bigint generated always as identity primary key,
  location_id integer not null references settlement_parties,
  period_to timestamptz not null,
  currency char(3) not null,
  amount bigint not null,   -- what is owed to the location; negative: what it owes
  entries integer not null,
  status text not null default 'closed' check (status in ('closed', 'paid')),
  closed_at timestamptz not null,
  closed_by text not null,
  paid_at timestamptz,
  payment_reference text,
  unique (location_id, period_to)
);
-- Never changed, but for an amount that was not known yet, and the statement that they are on.
create table settlement_entries (
  id bigint generated always as identity primary key,
  location_id integer not null references settlement_parties,
  kind text not null check (kind in ('goods', 'handling', 'return', 'adjustment')),
  order_id uuid references orders,
  fulfillment_order_id uuid,
  line_no integer,
  sku_id integer,
  units integer not null,          -- negative: came back
  net bigint,                      -- what the customer paid for these units
  amount bigint,                   -- minor units owed to the location; null: no term says what
  booked_at timestamptz not null,
  cause_id uuid not null,          -- shipment, return or adjustment
  note text,
  statement_id bigint references settlement_statements,
  unique nulls not distinct (kind, cause_id, line_no, fulfillment_order_id)
);
create index settlement_entries_open on settlement_entries (location_id, booked_at) where statement_id is null;
create index settlement_entries_order on settlement_entries (order_id);
create index settlement_entries_statement on settlement_entries (statement_id, id) where statement_id is not null;

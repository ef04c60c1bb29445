-- Supplies: where they go and come from, what was announced, received and lost on the way; orders paid by deposit and balance.
alter table supplies
  add location_id integer references locations,        -- where the units are expected
  add source_location_id integer references locations, -- of a transfer whose units left our own books
  add received_at timestamptz,                         -- complete
  add cancelled_at timestamptz,
  add late_warnings integer not null default 0,        -- orders told so far that it is late
  add overdue_at timestamptz,                          -- its orders were told that it did not come on its date; null again with a new one
  add note text,
  add announced_by text,
  add version integer not null default 1;
create index supplies_location on supplies (location_id, id);
create index supplies_open on supplies (expected_at) where status = 'open' and id <> 0;
create index stock_levels_supply on stock_levels (supply_id) where supply_id <> 0;

-- What was announced; what is still to come stands in stock_levels.
create table supply_lines (
  supply_id integer not null references supplies,
  line_no integer not null,
  sku_id integer not null references skus,
  condition text not null,
  lot_id integer not null references lots, -- 0: not known yet, or not tracked
  quantity integer not null check (quantity > 0),
  primary key (supply_id, line_no)
);

create table supply_receipts (
  supply_id integer not null references supplies,
  reference text not null,
  line_no integer not null,
  sku_id integer not null references skus,
  condition text not null,
  lot_id integer not null references lots,
  quantity integer not null check (quantity > 0),
  received_at timestamptz not null,
  received_by text not null,
  primary key (supply_id, reference, line_no)
);

-- Announced and received differ: `short` units never came, `surplus` units nobody announced, `condition`: came, but not fit to be what was announced.
create table supply_variances (
  id bigint generated always as identity primary key,
  supply_id integer not null references supplies,
  reference text not null, -- the receipt that showed it
  sku_id integer not null references skus,
  kind text not null check (kind in ('short', 'surplus', 'condition')),
  units integer not null check (units > 0),
  shortened integer not null default 0 check (shortened between 0 and units), -- units that orders had reserved
  at timestamptz not null
);
create index supply_variances_supply on supply_variances (supply_id, id);

-- Pre-sale (定金/尾款): a deposit is paid with the order, the balance by payment_due_at.
alter table channels add deposit_refundable boolean not null default false; -- whether a deposit is given back when the balance is not paid
alter table orders
  add deposit_amount bigint not null default 0 check (deposit_amount >= 0),
  drop constraint orders_payment_status_check,
  add constraint orders_payment_status_check check (payment_status in ('unpaid', 'deposit', 'paid', 'cash_on_delivery', 'not_due'));
drop index orders_payment_due;
create index orders_payment_due on orders (payment_due_at) where payment_status in ('unpaid', 'deposit') and closed_at is null;

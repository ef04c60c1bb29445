-- The promise of an order and the ladder that keeps it (docs/promise.md).

-- A ladder is data: each PUT is a new version, the newest of a channel rules; an order goes on with the one it began with.
create table promise_ladders (
  id integer generated always as identity primary key,
  channel_id smallint not null references channels,
  version integer not null,
  body jsonb,             -- null: no ladder from here on
  author text not null,
  created_at timestamptz not null,
  unique (channel_id, version)
);
create trigger promise_ladders_notify after insert or update or delete on promise_ladders for each statement execute function notify_network();

-- When the promise is looked at next; null: not looked at yet. Over: nothing more comes of it.
alter table orders
  add promise_check_at timestamptz,
  add promise_over boolean not null default false,
  -- how routing hurries: set by a rung, read by every later plan of the order
  add hurry jsonb;

create table order_promises (
  order_id uuid primary key references orders,
  ladder_id integer not null references promise_ladders,
  first_promised_by timestamptz not null,
  promised_by timestamptz not null,
  expected_by timestamptz,  -- null: nobody knows
  rung text not null check (rung in ('none', 'at_risk', 're_source', 'upgrade', 'ask', 'exhausted')),
  rung_until timestamptz,
  at_risk_since timestamptz,
  waits boolean not null default false, -- the customer waits though nobody can say until when: not asked again before the date that was named
  broken_at timestamptz,
  closed_at timestamptz
) with (fillfactor = 80);
create index order_promises_at_risk on order_promises (promised_by, order_id) where rung <> 'none' and closed_at is null;

create table promise_changes (
  id bigint generated always as identity primary key,
  order_id uuid not null references orders,
  at timestamptz not null,
  promised_by timestamptz not null,
  reason text not null,
  actor text not null
);
create index promise_changes_order on promise_changes (order_id, id);

create table promise_questions (
  id bigint generated always as identity primary key,
  order_id uuid not null references orders,
  asked_at timestamptz not null,
  answer_by timestamptz not null,
  options jsonb not null,
  answer text,
  answered_at timestamptz,
  answered_by text,
  moot_at timestamptz -- on time after all, or over, before anybody answered
);
create unique index promise_questions_open on promise_questions (order_id) where answered_at is null and moot_at is null;
create index promise_questions_order on promise_questions (order_id, id);

-- What a broken promise costs us: once an order, apart from refunds of goods.
create table compensations (
  order_id uuid primary key references orders,
  kind text not null check (kind in ('refund', 'voucher')),
  amount bigint not null check (amount > 0),
  currency char(3) not null,
  late_minutes integer not null,
  status text not null default 'due' check (status in ('due', 'settled')),
  created_at timestamptz not null,
  settled_at timestamptz,
  settlement_reference text
);
create index compensations_due on compensations (created_at) where status = 'due';

-- What a customer may be offered in place of a SKU, best first.
create table sku_substitutes (
  sku_id integer not null references skus,
  substitute_id integer not null references skus,
  position smallint not null,
  primary key (sku_id, substitute_id),
  check (sku_id <> substitute_id)
);

-- People live in the vault: one key per person, wrapped by the master key; erasing the key erases the person.
create table persons (
  id uuid primary key,
  identity_hash bytea unique,
  wrapped_key bytea,
  created_at timestamptz not null default now(),
  erased_at timestamptz
);
-- Erasing a person destroys the key: no record needs to be found for it, so there is no index by person.
create table vault_records (
  id uuid primary key,
  person_id uuid not null,
  kind text not null,
  ciphertext bytea,
  created_at timestamptz not null default now()
);

create table orders (
  id uuid primary key,
  channel_id smallint not null,
  external_id text not null,
  type text not null check (type in ('retail', 'wholesale', 'consignment', 'resend', 'sample')),
  status text not null,
  payment_status text not null check (payment_status in ('unpaid', 'paid', 'cash_on_delivery', 'not_due')),
  currency char(3) not null,
  list_amount bigint not null,
  discount_amount bigint not null,
  freight_amount bigint not null,
  total_amount bigint not null,
  body_hash bytea not null,
  location_id integer, -- the shop or dealer that took the order, if one did
  parent_id uuid,      -- split, merged or resent from
  person_id uuid not null,
  contact_id uuid not null,
  address_hash bytea,
  dest_country text not null, dest_province text not null, dest_city text not null, dest_district text,
  priority smallint not null default 0,
  invoice_requested boolean not null default false,
  has_remarks boolean not null default false,
  scheduled_from timestamptz, scheduled_to timestamptz,
  ordered_at timestamptz not null,
  captured_at timestamptz not null,
  payment_due_at timestamptz,
  ship_by timestamptz, deliver_by timestamptz,
  validated_at timestamptz,
  approved_rules integer[] not null default '{}', -- audit rules an operator has overruled by releasing the hold
  route_after timestamptz,
  forced_location_id integer,
  forced_carrier text,
  hold_reason text,
  delivered_at timestamptz,
  return_until timestamptz,
  closed_at timestamptz,
  version integer not null default 1,
  unique (channel_id, external_id)
) with (fillfactor = 75);
create index orders_person on orders (person_id, captured_at);
create index orders_address on orders (address_hash, captured_at) where address_hash is not null;
create index orders_attention on orders (status, id) where status in ('awaiting_payment', 'on_hold', 'backordered');
create index orders_payment_due on orders (payment_due_at) where payment_status = 'unpaid' and closed_at is null;
create index orders_location on orders (location_id, id) where location_id is not null;

create table order_lines (
  order_id uuid not null,
  line_no integer not null,
  sku_id integer,
  sku_code text not null,
  quantity integer not null check (quantity > 0),
  unit_price bigint not null check (unit_price >= 0),
  list_amount bigint not null,
  discount_amount bigint not null,
  freight_share bigint not null,
  net_amount bigint not null,
  discounts jsonb,
  gift boolean not null default false,
  cancelled_quantity integer not null default 0,
  issued_quantity integer not null default 0,
  returned_quantity integer not null default 0,
  refunded_quantity integer not null default 0,
  primary key (order_id, line_no),
  check (cancelled_quantity >= 0 and issued_quantity >= 0 and cancelled_quantity + issued_quantity <= quantity),
  check (returned_quantity between 0 and issued_quantity),
  check (refunded_quantity between 0 and quantity)
) with (fillfactor = 80);

create table order_events (
  order_id uuid not null,
  id bigint generated always as identity,
  type text not null,
  at timestamptz not null,
  actor text not null,
  data jsonb,
  xid xid8 not null default pg_current_xact_id(),
  primary key (order_id, id)
);

create table order_holds (
  id bigint generated always as identity primary key,
  order_id uuid not null,
  reason text not null,
  detail text,
  rule_id integer,
  placed_at timestamptz not null,
  placed_by text not null,
  released_at timestamptz,
  released_by text,
  note text
);
create index order_holds_open on order_holds (order_id) where released_at is null;

create table idempotency_keys (
  api_key_id integer not null,
  key text not null,
  body_hash bytea not null,
  order_id uuid,
  status smallint not null,
  response jsonb not null,
  expires_at timestamptz not null,
  primary key (api_key_id, key)
);
create index idempotency_keys_expiry on idempotency_keys (expires_at);

-- A queue: rows are deleted when Temporal has taken them.
create table outbox (
  id bigint generated always as identity primary key,
  topic text not null check (topic in ('start', 'look', 'start_return')),
  order_id uuid not null,
  return_id uuid, -- a late return's own workflow
  priority timestamptz not null,
  leased_until timestamptz,
  attempts integer not null default 0,
  last_error text,
  created_at timestamptz not null default now()
);
create index outbox_next on outbox (priority, id);
create index outbox_order on outbox (order_id, id);

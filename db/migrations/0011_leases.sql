-- Reservations of their own (leases), bundles, recalled lots, repairs.

-- A lease holds units for a cart, a quote or a partner; its rows in `reservations` carry its id as order_id.
create table leases (
  id uuid primary key,
  owner text not null,
  reference text not null,
  channel_id smallint not null references channels,
  mode text not null check (mode in ('all', 'lines', 'partial')),
  status text not null default 'active' check (status in ('active', 'released', 'expired', 'transferred')),
  expires_at timestamptz not null,
  order_id uuid, -- the order that it was transferred to
  outcome jsonb, -- what became of its units there
  created_at timestamptz not null,
  created_by text not null,
  ended_at timestamptz,
  unique (owner, reference),
  check ((status = 'active') = (ended_at is null)),
  check ((status = 'transferred') = (order_id is not null and outcome is not null))
) with (fillfactor = 75);
create index leases_due on leases (expires_at) where status = 'active';

-- What was asked for; what is reserved stands in `reservations`.
create table lease_lines (
  lease_id uuid not null references leases,
  line_no integer not null,
  sku_id integer not null references skus,
  quantity integer not null check (quantity > 0),
  bundle_sku text,
  bundle_line integer,
  primary key (lease_id, line_no),
  check ((bundle_sku is null) = (bundle_line is null))
);

-- A bundle is sold as one SKU and is stock of others. Without price shares its price is divided by cost.
create table bundle_components (
  bundle_sku_id integer not null references skus,
  component_sku_id integer not null references skus,
  position smallint not null,
  quantity integer not null check (quantity > 0),
  price_share integer check (price_share >= 0),
  primary key (bundle_sku_id, component_sku_id),
  check (bundle_sku_id <> component_sku_id)
);
create index bundle_components_component on bundle_components (component_sku_id);
create trigger bundle_components_notify after insert or update or delete on bundle_components for each statement execute function notify_network();
alter table order_lines
  add bundle_sku text,     -- the bundle that this line is a component of
  add bundle_line integer; -- and the line of the order on which it was ordered

alter table lots add recall_reason text;
create index lots_recalled on lots (id) where recalled_at is not null;
create index lots_expiry on lots (expires_on) where expires_on is not null;
-- To find where units of a lot went. Both are written where goods leave or are lost, not at capture.
create index stock_movements_issued on stock_movements (level_id) where cause = 'goods_issue';
create index reservations_short on reservations (level_id) where status = 'short';

-- What `npm run audit -- --repair` has put right.
create table audit_repairs (
  id bigint generated always as identity primary key,
  what text not null,    -- the check that was violated
  subject text not null, -- ids and numbers, never personal data
  before jsonb not null,
  after jsonb not null,
  reason text not null,
  command_id uuid,       -- its movement, if stock was changed
  at timestamptz not null
);

create table fulfillment_orders (
  id uuid primary key,
  order_id uuid not null references orders,
  location_id integer not null references locations,
  status text not null check (status in ('routed', 'releasing', 'released', 'accepted', 'packed', 'issued', 'delivered', 'returned', 'rejected', 'cancelled')),
  attempt integer not null default 1,
  carrier text,
  waybill_no text,
  partner_ref text,
  cost bigint not null,
  reasons jsonb not null,
  routed_at timestamptz not null,
  released_at timestamptz,
  accept_by timestamptz,
  release_retry_at timestamptz, -- the location or carrier could not be reached: not before then
  escalated_at timestamptz,
  accepted_at timestamptz,
  packed_at timestamptz,
  issued_at timestamptz,
  ended_at timestamptz,
  end_reason text,
  cancel_requested_at timestamptz,
  cancel_reason text,
  cancel_outcome text
) with (fillfactor = 75);
create index fulfillment_orders_order on fulfillment_orders (order_id);
create index fulfillment_orders_open on fulfillment_orders (location_id, status) where status in ('routed', 'releasing', 'released', 'accepted', 'packed');

create table fulfillment_order_lines (
  fulfillment_order_id uuid not null references fulfillment_orders,
  line_no integer not null,
  quantity integer not null check (quantity > 0),
  short_quantity integer not null default 0,
  issued_quantity integer not null default 0,
  primary key (fulfillment_order_id, line_no),
  check (short_quantity >= 0 and issued_quantity >= 0 and short_quantity + issued_quantity <= quantity)
);

create table shipments (
  id uuid primary key,
  order_id uuid not null references orders,
  fulfillment_order_id uuid not null references fulfillment_orders unique,
  location_id integer not null,
  issued_at timestamptz not null
);

create table parcels (
  id uuid primary key,
  shipment_id uuid not null references shipments,
  order_id uuid not null,
  parcel_no integer not null,
  carrier text not null,
  waybill_no text not null,
  weight_g integer,
  milestone text not null check (milestone in ('issued', 'picked_up', 'in_transit', 'out_for_delivery', 'attempt_failed', 'exception', 'delivered', 'lost', 'returning', 'returned')),
  milestone_at timestamptz not null,
  intercept_requested_at timestamptz,
  intercept_outcome text,
  polled_at timestamptz,
  unique (carrier, waybill_no)
) with (fillfactor = 75);
create index parcels_order on parcels (order_id);
-- Parcels on their way, the longest unheard of first: pushes may be lost, so the carrier is asked now and then.
create index parcels_moving on parcels (coalesce(polled_at, milestone_at)) where milestone not in ('delivered', 'returned', 'lost');
create table parcel_lines (
  parcel_id uuid not null references parcels,
  line_no integer not null,
  quantity integer not null check (quantity > 0),
  lot text,
  serials jsonb,
  primary key (parcel_id, line_no)
);

create table tracking_events (
  carrier text not null,
  event_id text not null,
  waybill_no text not null,
  parcel_id uuid,
  status text not null,
  description text,
  city text,
  occurred_at timestamptz not null,
  received_at timestamptz not null default now(),
  primary key (carrier, event_id)
);
create index tracking_events_waybill on tracking_events (carrier, waybill_no);

-- What partners told us, once each; the stored answer is given again.
create table partner_events (
  source text not null,
  event_id text not null,
  body_hash bytea not null,
  status smallint not null,
  response jsonb not null,
  received_at timestamptz not null default now(),
  primary key (source, event_id)
);

create table refund_requests (
  id uuid primary key,
  order_id uuid not null references orders,
  status text not null check (status in ('accepted', 'intercepting', 'intercepted', 'awaiting_return', 'refunded')),
  reason text not null,
  requested_at timestamptz not null,
  requested_by text not null,
  closed_at timestamptz
);
create index refund_requests_order on refund_requests (order_id);
create unique index refund_requests_open on refund_requests (order_id) where closed_at is null;

create table returns (
  id uuid primary key,
  order_id uuid not null references orders,
  status text not null check (status in ('requested', 'authorised', 'received', 'inspected', 'closed', 'refused', 'cancelled')),
  kind text not null check (kind in ('refund', 'exchange')),
  reason text not null,
  method text not null check (method in ('label', 'pickup', 'drop_off')),
  late boolean not null,
  location_id integer references locations,
  requested_at timestamptz not null,
  requested_by text not null,
  authorised_at timestamptz,
  received_at timestamptz,
  inspected_at timestamptz,
  closed_at timestamptz,
  carrier text,
  waybill_no text,
  exchange_order_id uuid
);
create index returns_order on returns (order_id);
create table return_lines (
  return_id uuid not null references returns,
  line_no integer not null,
  quantity integer not null check (quantity > 0),
  received_quantity integer check (received_quantity >= 0),
  disposition text check (disposition in ('restock', 'damaged', 'dispose')),
  accepted_quantity integer check (accepted_quantity >= 0),
  primary key (return_id, line_no)
);

create table refunds (
  id uuid primary key,
  order_id uuid not null references orders,
  cause text not null check (cause in ('cancellation', 'refund_request', 'return', 'shortage')),
  cause_id uuid not null,
  amount bigint not null check (amount >= 0),
  currency char(3) not null,
  status text not null default 'due' check (status in ('due', 'settled')),
  lines jsonb not null,
  created_at timestamptz not null,
  settled_at timestamptz,
  settlement_reference text,
  unique (cause, cause_id)
);
create index refunds_order on refunds (order_id);

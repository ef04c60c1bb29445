-- Shop accounts on platforms: how each is reached, what came in, what was told.
create table channel_shops (
  channel_id smallint primary key references channels,
  settings jsonb not null,
  secrets bytea, -- sealed with the vault's master key
  hook_key text not null unique, -- unguessable part of the address that the platform pushes to
  limits jsonb not null default '{}',
  polled_until timestamptz not null, -- orders changed before are known
  poll_window jsonb, -- the window under way: {from, to, page}
  polled_at timestamptz,
  paused_until timestamptz, -- the platform told us to come again later
  checked_at timestamptz, -- when what it shows was last compared
  created_at timestamptz not null,
  updated_at timestamptz not null
);

-- Refreshed under the row's lock: a refresh token may be used once.
create table channel_tokens (
  channel_id smallint primary key references channels,
  access bytea not null,
  refresh bytea,
  expires_at timestamptz not null,
  refresh_expires_at timestamptz,
  refreshed_at timestamptz not null,
  serial integer not null default 1
);

-- What a platform pointed at. A hint says: read it. Rows stay for a while after they are done, so that the same fact pushed again is known.
create table channel_hints (
  id bigint generated always as identity primary key,
  channel_id smallint not null,
  key text not null,
  subject text not null check (subject in ('order', 'after_sale', 'stock', 'product', 'privacy', 'other')),
  topic text not null,
  external_id text not null,
  version bigint,
  source text not null check (source in ('push', 'poll', 'replay')),
  received_at timestamptz not null,
  due_at timestamptz not null,
  attempts integer not null default 0,
  error text,
  done_at timestamptz,
  repeated integer not null default 0, -- how often it came again
  unique (channel_id, key)
) with (fillfactor = 80);
create index channel_hints_due on channel_hints (channel_id, due_at, id) where done_at is null;
create index channel_hints_done on channel_hints (done_at) where done_at is not null;

-- Nothing of a forged push is kept but the fact.
create table push_rejections (
  channel_id smallint not null,
  day date not null,
  reason text not null,
  count integer not null,
  primary key (channel_id, day, reason)
);

-- What was done of each platform order, and why one is held.
create table channel_orders (
  channel_id smallint not null,
  external_id text not null,
  state text not null check (state in ('open', 'held', 'ignored')),
  applied jsonb, -- domain/channel/next-steps.ts, Applied; null: nothing yet
  order_id uuid,
  lines jsonb, -- the platform's line ids in the order of ours, with the listing's units
  hold_reason text,
  hold_detail text,
  hold_key text, -- what would release it, e.g. listing:123
  attempts integer not null default 0,
  first_seen_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (channel_id, external_id)
) with (fillfactor = 80);
create index channel_orders_held on channel_orders (channel_id, hold_key) where state = 'held';
create index channel_orders_order on channel_orders (order_id) where order_id is not null;

-- What a platform sells under its own SKUs.
create table listings (
  id bigint generated always as identity primary key,
  channel_id smallint not null references channels,
  platform_sku text not null,
  item_id text,
  merchant_code text,
  title text not null default '',
  version integer not null default 0, -- of the mapping; 0: not mapped yet
  suggested text, -- a SKU of ours that its merchant code names
  publish text not null default 'on' check (publish in ('on', 'zero', 'stopped')),
  granted bigint not null default 0,
  sold bigint not null default 0,
  shown bigint, -- what the platform showed when last read
  shown_at timestamptz,
  opened boolean not null default false, -- its account was begun by a reading (or by the first full figure)
  pending jsonb, -- a change sent and not yet acknowledged: {key, delta, target, seen, since}
  refused text,
  told_at timestamptz,
  unique (channel_id, platform_sku)
) with (fillfactor = 80);
create table listing_components (
  listing_id bigint not null references listings,
  position smallint not null,
  sku_id integer not null references skus,
  quantity integer not null check (quantity > 0),
  primary key (listing_id, position)
);
create index listing_components_sku on listing_components (sku_id);
-- Every mapping that ever was.
create table listing_mappings (
  listing_id bigint not null references listings,
  version integer not null,
  components jsonb not null,
  mapped_by text not null,
  mapped_at timestamptz not null,
  primary key (listing_id, version)
);

-- How much is told: one row for a shop, more for single SKUs of it.
create table publish_rules (
  channel_id smallint not null references channels,
  sku_id integer not null default 0, -- 0: every SKU of the shop
  mode text not null default 'on' check (mode in ('on', 'zero', 'stopped')),
  share_percent smallint not null default 100 check (share_percent between 0 and 100),
  buffer integer not null default 0 check (buffer >= 0),
  cap integer check (cap >= 0),
  urgent_below integer not null default 10 check (urgent_below >= 0),
  primary key (channel_id, sku_id)
);

-- Listings whose stock has changed since they were told, once each: the newest figure wins.
create table listing_changes (
  listing_id bigint primary key references listings,
  channel_id smallint not null,
  since timestamptz not null, -- the commit of the first change that has not been told
  urgent boolean not null,
  changes integer not null default 1, -- how many were folded into it
  stamp bigint not null -- of the last of them
);
create index listing_changes_next on listing_changes (channel_id, urgent desc, since);
create sequence listing_change_stamps;

-- How long the platform took to know: one row per acknowledged change, kept for a few days.
create table listing_tellings (
  id bigint generated always as identity primary key,
  channel_id smallint not null,
  listing_id bigint not null,
  delta bigint not null,
  urgent boolean not null,
  folded integer not null,
  since timestamptz not null,
  told_at timestamptz not null
);
create index listing_tellings_channel on listing_tellings (channel_id, told_at);

-- Where a platform showed another figure than it had been told, its own sales taken into account.
create table listing_drifts (
  id bigint generated always as identity primary key,
  channel_id smallint not null,
  listing_id bigint not null,
  drift bigint not null,
  at timestamptz not null
);
create index listing_drifts_channel on listing_drifts (channel_id, at);

-- What a platform must hear of an order: parcels, answers to after-sales and to address changes, cancellations.
create table channel_reports (
  id bigint generated always as identity primary key,
  channel_id smallint not null,
  order_id uuid not null,
  kind text not null check (kind in ('shipment', 'cancellation', 'after_sale', 'address')),
  key text not null,
  body jsonb not null,
  due_at timestamptz not null,
  attempts integer not null default 0,
  error text,
  done_at timestamptz,
  refused boolean not null default false,
  created_at timestamptz not null,
  unique (channel_id, key)
);
create index channel_reports_due on channel_reports (channel_id, due_at, id) where done_at is null;
create index channel_reports_order on channel_reports (order_id);

-- How far each reader of the ledger and of the events has come (rows carry their xid8).
create table readers (
  name text primary key,
  upto xid8 not null, -- rows of transactions before it have been read
  at timestamptz not null
);
create index if not exists order_events_xid on order_events (xid);


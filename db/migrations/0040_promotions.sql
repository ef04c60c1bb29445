-- Promotions: staff price, coupon, bundle, gift (赠品), threshold (满减), markdown. Live inside [live_from, least(live_until, ended_at)) by the business time of a capture; no timer switches anything.
create table promotions (
  id uuid primary key,
  code text not null unique,
  name text not null,
  kind text not null check (kind in ('staff_price', 'coupon', 'bundle', 'gift', 'threshold', 'markdown')),
  status text not null default 'draft' check (status in ('draft', 'active', 'withdrawn')),
  currency char(3) not null,
  channel_ids smallint[] check (channel_ids is null or cardinality(channel_ids) > 0), -- null: every channel whose orders we price ourselves
  categories text[] not null default '{}',  -- with promotion_skus the scope; neither: every SKU
  live_from timestamptz not null,
  live_until timestamptz not null,
  ended_at timestamptz,
  bearer text not null check (bearer in ('platform', 'shop', 'influencer', 'brand')),
  priority integer not null default 100 check (priority between 0 and 100000), -- lower goes first
  stackable boolean not null default true,  -- false: nothing but gifts beside it on its lines
  terms jsonb not null,
  per_customer_orders integer check (per_customer_orders > 0),
  per_customer_units integer check (per_customer_units > 0),
  per_staff_units integer check (per_staff_units > 0),
  budget bigint check (budget > 0),         -- of discounts, minor units
  campaign_id uuid,
  stage text,
  version integer not null default 1,
  input jsonb not null,                     -- as it was put
  created_at timestamptz not null,
  check (live_from < live_until)
);
create index promotions_campaign on promotions (campaign_id) where campaign_id is not null;
create index promotions_active on promotions (live_until) where status = 'active';

create table promotion_skus (
  promotion_id uuid not null references promotions on delete cascade,
  sku_id integer not null references skus,
  price bigint check (price >= 0),          -- of a unit, for markdown and staff price
  floor bigint check (floor >= 0),          -- no unit is sold below, whatever else applies
  primary key (promotion_id, sku_id)
);
create index promotion_skus_sku on promotion_skus (sku_id);

create table promotion_events (
  id bigint generated always as identity primary key,
  promotion_id uuid not null references promotions on delete cascade,
  type text not null,
  at timestamptz not null,
  actor text not null,
  data jsonb
);
create index promotion_events_of on promotion_events (promotion_id, id);

-- The conflict matrix: kinds that exclude each other on one line. A pair of the same kind: no two of them.
create table promotion_conflicts (
  kind_a text not null, kind_b text not null,
  primary key (kind_a, kind_b), check (kind_a <= kind_b)
);
insert into promotion_conflicts values
  ('markdown', 'markdown'), ('staff_price', 'staff_price'), ('bundle', 'bundle'), ('threshold', 'threshold'), ('coupon', 'coupon'),
  ('markdown', 'staff_price'), ('bundle', 'markdown'), ('bundle', 'staff_price'), ('coupon', 'staff_price'), ('staff_price', 'threshold'), ('bundle', 'threshold');

-- The price book: what a unit costs where an order says nothing, and what it must never be sold below.
create table sku_prices (
  sku_id integer not null references skus,
  channel_id smallint references channels,  -- null: every channel of the currency
  currency char(3) not null,
  price bigint not null check (price >= 0),
  floor bigint check (floor >= 0 and floor <= price),
  unique nulls not distinct (sku_id, currency, channel_id)
);

-- 员工: who may have a staff price. Only keyed hashes of their numbers.
create table staff_members (
  id integer generated always as identity primary key,
  staff_hash bytea not null unique,
  staff_group text not null,
  active boolean not null default true
);

-- A code is derived from the id with the vault's key and kept nowhere: only its keyed hash.
create table coupons (
  id uuid primary key,
  promotion_id uuid not null references promotions,
  batch text not null,
  batch_no integer not null,
  code_hash bytea not null unique,
  person_id uuid,                           -- issued to; null: whoever has it
  status text not null default 'issued' check (status in ('issued', 'used', 'lapsed', 'revoked')),
  order_id uuid,
  issued_at timestamptz not null,
  used_at timestamptz,
  unique (promotion_id, batch, batch_no),
  check ((status = 'used') = (order_id is not null))
);

-- One row for each promotion that an order got. Given back: the order was cancelled whole before anything left.
create table promotion_redemptions (
  order_id uuid not null,
  promotion_id uuid not null references promotions,
  coupon_id uuid references coupons,
  person_id uuid,
  staff_id integer references staff_members,
  units integer not null check (units >= 0),
  amount bigint not null check (amount >= 0),
  at timestamptz not null,
  given_back_at timestamptz,
  primary key (order_id, promotion_id)
);
create unique index promotion_redemptions_coupon on promotion_redemptions (coupon_id) where coupon_id is not null and given_back_at is null;
create index promotion_redemptions_of on promotion_redemptions (promotion_id, at, order_id);

-- What was used of limits and budgets, by subject: `all`, `p:<person>`, `s:<staff>`. Locked after coupons.
create table promotion_usage (
  promotion_id uuid not null references promotions,
  subject text not null,
  orders integer not null default 0 check (orders >= 0),
  units integer not null default 0 check (units >= 0),
  amount bigint not null default 0 check (amount >= 0),
  primary key (promotion_id, subject)
);

create trigger promotions_notify after insert or update or delete on promotions for each statement execute function notify_network();
create trigger promotion_skus_notify after insert or update or delete on promotion_skus for each statement execute function notify_network();
create trigger promotion_conflicts_notify after insert or update or delete on promotion_conflicts for each statement execute function notify_network();
create trigger sku_prices_notify after insert or update or delete on sku_prices for each statement execute function notify_network();

-- Routing policies as versioned data, what routing needs to know of SKUs, locations and rates, and every decision with all that it was made from (docs/routing.md).
drop table routing_policies;
create table routing_policies (
  id integer generated always as identity primary key,
  code text not null,
  version integer not null check (version > 0),
  body jsonb not null,        -- without code and version
  hash bytea not null,        -- sha256 of the canonical JSON of code, version and body
  status text not null default 'draft' check (status in ('draft', 'active', 'retired')),
  author text not null,
  comment text,
  effective_at timestamptz not null,
  created_at timestamptz not null default now(),
  activated_at timestamptz,
  retired_at timestamptz,
  unique (code, version)
);
create function keep_routing_policy() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    if old.status <> 'draft' then raise exception 'routing policy % version % has been active: it is retired, never deleted', old.code, old.version; end if;
    return old;
  end if;
  if old.status <> 'draft' and (new.code, new.version, new.body, new.hash, new.effective_at, new.author) is distinct from (old.code, old.version, old.body, old.hash, old.effective_at, old.author) then
    raise exception 'routing policy % version % is %: make a new version', old.code, old.version, old.status;
  end if;
  if old.status = 'retired' and new.status <> 'retired' then raise exception 'routing policy % version % is retired', old.code, old.version; end if;
  return new;
end $$;
create trigger routing_policies_keep before update or delete on routing_policies for each row execute function keep_routing_policy();
create trigger routing_policies_notify after insert or update or delete on routing_policies for each statement execute function notify_network();
insert into routing_policies (code, version, body, hash, status, author, comment, effective_at, activated_at) values ('default', 1,
  '{"kinds":["warehouse","third_party","store","vendor","dealer"],"maxShipments":4,"lineMaySplit":true,"minShipmentValue":0,"dealers":"equal","weights":{"shipping":1000,"handling":1000,"splitPenalty":500,"latenessPerDay":500,"loadBalance":0,"opportunity":0,"slowCredit":1000,"settlement":1000}}',
  decode('fb192b4d80aa9944bdb429f24d8211a6ee0aa07f0b74925403b314f0116f40bb', 'hex'), 'active', 'system', 'what holds until a brand says otherwise', '2020-01-01T00:00:00Z', now());

alter table skus
  add volume_mm3 bigint check (volume_mm3 > 0), -- of one unit
  add hazardous boolean not null default false,
  add oversized boolean not null default false;
alter table locations
  add handling_unit_cost bigint not null default 0 check (handling_unit_cost >= 0),
  add daily_capacity integer check (daily_capacity > 0), -- units a day; null: as many as come
  add takes_hazardous boolean not null default false,
  add takes_oversized boolean not null default true;
alter table carrier_rates
  add volumetric_mm3_per_g integer check (volumetric_mm3_per_g > 0),
  add max_weight_g integer check (max_weight_g > 0),
  add takes_hazardous boolean not null default false;

alter table fulfillment_orders add carriers_tried text[] not null default '{}'; -- that gave no waybill

-- What was decided and from what: enough to decide it again, to the byte. No personal data: a destination is a city.
create table routing_decisions (
  id bigint generated always as identity primary key,
  order_id uuid not null,
  at timestamptz not null,
  policy_id integer not null references routing_policies,
  policy_hash bytea not null,
  instance bytea not null, -- deflated JSON
  plan bytea not null,     -- deflated JSON
  cost_milli bigint not null,
  shipments integer not null,
  outcome text not null check (outcome in ('routed', 'unroutable'))
);
create index routing_decisions_order on routing_decisions (order_id, id);

-- What if: recorded orders replayed under other policies, and policies tried on a share of the orders (docs/simulation.md).
create table simulations (
  id uuid primary key,
  reference text not null unique,
  status text not null default 'queued' check (status in ('queued', 'running', 'done', 'failed', 'cancelled')),
  period_from timestamptz not null,
  period_to timestamptz not null,
  requested_by text not null,
  requested_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz,
  orders integer,  -- replayed under each policy; null until they have been read
  input bytea,     -- deflated JSON: fixed once it is read, so that a second attempt replays the same
  actual jsonb,    -- what happened
  error text,
  check (period_from < period_to)
);
create table simulation_policies (
  simulation_id uuid not null references simulations,
  position integer not null,
  policy_id integer not null references routing_policies,
  policy_hash bytea not null,
  simulated integer not null default 0,
  result jsonb,    -- written once
  primary key (simulation_id, position),
  unique (simulation_id, policy_id)
);

create table policy_canaries (
  id uuid primary key,
  policy_id integer not null references routing_policies,
  control_policy_id integer not null references routing_policies,
  share integer not null check (share between 1 and 500), -- per mille of the orders
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  guard jsonb not null,
  status text not null default 'running' check (status in ('running', 'rolled_back', 'promoted', 'ended')),
  started_by text not null,
  ended_at timestamptz,
  ended_by text,
  reason text,
  looks integer not null default 0,
  next_look_at timestamptz,
  figures jsonb, -- of both arms at the end
  check (starts_at < ends_at and policy_id <> control_policy_id)
);
-- Two at once could not be told apart.
create unique index policy_canaries_running on policy_canaries ((true)) where status = 'running';
create index policy_canaries_policy on policy_canaries (policy_id, starts_at);
create table policy_events (
  id bigint generated always as identity primary key,
  policy_id integer not null references routing_policies,
  type text not null,
  at timestamptz not null,
  actor text not null,
  data jsonb
);
create index policy_events_policy on policy_events (policy_id, id);

-- What a decision costs in money and whether it is late, whatever the policy weighs: arms of a canary are compared by these. Null: decided before.
alter table routing_decisions add money bigint, add late boolean;
create index routing_decisions_at on routing_decisions using brin (at);

-- A draft that was simulated or tried on orders is fixed, too: results and decisions name it.
create or replace function keep_routing_policy() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    if old.status <> 'draft' then raise exception 'routing policy % version % has been active: it is retired, never deleted', old.code, old.version; end if;
    return old;
  end if;
  if new.status <> old.status and (old.status, new.status) not in (('draft', 'active'), ('active', 'retired')) then
    raise exception 'routing policy % version % is %: it does not become %', old.code, old.version, old.status, new.status;
  end if;
  if (new.id, new.code, new.version, new.body, new.hash, new.effective_at, new.author, new.created_at) is distinct from (old.id, old.code, old.version, old.body, old.hash, old.effective_at, old.author, old.created_at)
      and (old.status <> 'draft' or exists (select from policy_canaries where policy_id = old.id) or exists (select from simulation_policies where policy_id = old.id)) then
    raise exception 'routing policy % version % is % and in use: make a new version', old.code, old.version, old.status;
  end if;
  if old.status <> 'draft' and new.activated_at is distinct from old.activated_at then
    raise exception 'routing policy % version % is %: make a new version', old.code, old.version, old.status;
  end if;
  return new;
end $$;

-- Orders that wait for the same stock, routed together (docs/waves.md).
create table waves (
  id uuid primary key,
  status text not null default 'queued' check (status in ('queued', 'solved', 'done', 'failed')),
  created_at timestamptz not null,
  solved_at timestamptz,
  done_at timestamptz,
  orders integer not null,
  result jsonb, -- cost, bound, gap, one by one, margin; without the plans
  error text
);
create index waves_newest on waves (created_at, id);
create table wave_orders (
  wave_id uuid not null references waves,
  order_id uuid not null references orders,
  -- with whom it leaves in one parcel (the plan's number), and from where; null: not solved yet, or nobody serves it
  plan_no integer,
  locations text[],
  applied_at timestamptz,
  primary key (wave_id, order_id)
);
alter table orders
  add wave_id uuid,          -- the wave that has it, or had it
  add wave_locations text[]; -- where the wave wants it sent from: routing goes by it while that is possible
create index orders_gathering on orders (route_after) where route_after is not null and wave_id is null and status = 'confirmed';
-- Whose line it was before orders were merged; null: the order's own. A member can be cancelled, the others stay.
alter table order_lines add merged_from uuid;
create index order_lines_merged_from on order_lines (merged_from) where merged_from is not null;

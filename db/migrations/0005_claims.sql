-- Claims on carriers, refunds for lost parcels, erased people.
create table claims (
  id uuid primary key,
  parcel_id uuid not null references parcels,
  order_id uuid not null references orders,
  kind text not null check (kind in ('lost', 'damaged')),
  carrier text not null,
  amount bigint not null check (amount >= 0), -- net value of the parcel's goods, in the order's currency
  status text not null default 'open' check (status in ('open', 'accepted', 'rejected')),
  settled_amount bigint check (settled_amount >= 0), -- what the carrier pays
  opened_at timestamptz not null,
  closed_at timestamptz,
  note text,
  check ((status = 'open') = (closed_at is null)),
  check ((status = 'accepted') = (settled_amount is not null))
);
create unique index claims_parcel on claims (parcel_id, kind) where status <> 'rejected';
create index claims_status on claims (status, id);

-- A lost parcel is refunded without its goods. Should they turn up and come back, its units are set off, so that they are not refunded again.
alter table parcels add lost_refunded_at timestamptz;
alter table parcel_lines
  add refunded_quantity integer not null default 0, -- units refunded because the parcel was lost
  add offset_quantity integer not null default 0,   -- of those, units that came back all the same
  add check (offset_quantity >= 0 and offset_quantity <= refunded_quantity and refunded_quantity <= quantity);
alter table refunds
  drop constraint refunds_cause_check,
  add constraint refunds_cause_check check (cause in ('cancellation', 'refund_request', 'return', 'shortage', 'loss'));
alter table fulfillment_orders
  drop constraint fulfillment_orders_status_check,
  add constraint fulfillment_orders_status_check
    check (status in ('routed', 'releasing', 'released', 'accepted', 'packed', 'issued', 'delivered', 'returned', 'lost', 'rejected', 'cancelled'));

-- Erasures are numbered in the order of their commits (each under the exclusive lock), so that a process reads the few it has not seen.
create table erasures (
  no bigint primary key,
  person_id uuid not null unique references persons
);

-- Who was erased after number `since`; null: the latest one only, to begin with. The shared lock, until the caller's transaction ends, keeps
-- erasures out. A function, not one query: its second statement sees what was committed while the first waited.
create function erasures_since(since bigint) returns table (no bigint, person_id uuid) language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(hashtext('tributary:erasure'));
  return query select e.no, e.person_id from erasures e where e.no > coalesce(since, (select max(m.no) - 1 from erasures m)) order by e.no;
end $$;

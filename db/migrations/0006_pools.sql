-- From which stock a channel may sell: allotments in a hierarchy, incoming supplies within a horizon, lots with enough life left.
alter table channels
  add supply_horizon_s integer not null default 0 check (supply_horizon_s >= 0), -- how far ahead incoming stock may be sold; 0: not at all
  add min_life_days integer not null default 0 check (min_life_days >= 0);       -- lots that expire sooner are not for this channel

alter table allotments
  add code text unique,
  add parent_id integer references allotments,
  add overflow text not null default 'parent' check (overflow in ('parent', 'never', 'borrow')),
  add borrow_limit integer check (borrow_limit >= 0), -- units a SKU
  add starts_at timestamptz,
  add ends_at timestamptz,
  add check (id = 0 or parent_id is not null),
  add check ((overflow = 'borrow') = (borrow_limit is not null)),
  drop constraint allotments_kind_check,
  -- brand (allotment 0) → group of channels → channel (one shop) → campaign or declaration
  add constraint allotments_kind_check check (kind in ('shared', 'group', 'channel', 'campaign', 'declaration'));
update allotments set code = '' where id = 0;
alter table allotments alter code set not null;
create unique index allotments_channel on allotments (channel_id) where kind = 'channel' and closed_at is null;
create trigger allotments_notify after insert or update or delete on allotments for each statement execute function notify_network();

-- Units that an allotment has taken from its parents and not given back, by SKU; locked before orders.
create table allotment_borrowings (
  allotment_id integer not null references allotments,
  sku_id integer not null references skus,
  borrowed integer not null default 0 check (borrowed >= 0),
  primary key (allotment_id, sku_id)
);

alter table orders add allotment_id integer not null default 0; -- where its units are looked for first

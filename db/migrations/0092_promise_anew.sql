-- A promise counts from the moment at which work on the order may begin (docs/promise.md), and is dated anew when that moment or the destination changes.
alter table orders
  -- ship_by is the platform's own: no date of ours replaces it
  add ship_by_given boolean not null default false,
  -- from when its dates count, where it was dated anew; null: from its capture
  add promise_from timestamptz;
-- Of the open orders: who has a date to leave and none to arrive by had it given.
update orders set ship_by_given = true where ship_by is not null and deliver_by is null and closed_at is null;

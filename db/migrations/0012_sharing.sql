-- What a location shares of the shared stock (allotment 0), and what it keeps back (docs/stock.md).

-- Of the rules that match, those that name most count: SKUs, then category, then channel. Of these the first by priority whose hours are now; none: nothing is shared.
-- No rule matches: everything is shared.
create table sharing_rules (
  id integer generated always as identity primary key,
  location_id integer not null references locations,
  channel_id smallint references channels, -- null: every channel
  sku_ids integer[],                       -- null: every SKU
  category text,
  mode text not null check (mode in ('all', 'none', 'percent', 'cap')),
  value integer check (value >= 0), -- percent of the free units, or most units of a SKU that the channel sees at a time
  from_minute smallint check (from_minute between 0 and 1439), -- in the location's zone; past midnight where from > to
  to_minute smallint check (to_minute between 1 and 1440),
  weekdays smallint[],                     -- 1: Monday; null: every day
  priority integer not null default 100,
  check (sku_ids is null or category is null),
  check ((mode in ('percent', 'cap')) = (value is not null)),
  check (mode <> 'percent' or value <= 100),
  check ((from_minute is null) = (to_minute is null) and from_minute <> to_minute)
);
create index sharing_rules_location on sharing_rules (location_id);
create trigger sharing_rules_notify after insert or update or delete on sharing_rules for each statement execute function notify_network();

-- How stock_levels.buffer comes about: the SKU's rule at the location, else the location's.
create table buffer_rules (
  location_id integer not null references locations,
  sku_id integer references skus, -- null: every SKU
  mode text not null check (mode in ('units', 'percent', 'days_of_sale')),
  value integer not null check (value >= 0),
  check (mode <> 'percent' or value <= 100),
  unique nulls not distinct (location_id, sku_id)
);
-- Buffers that were set as a number are rules of units.
insert into buffer_rules (location_id, sku_id, mode, value)
  select location_id, sku_id, 'units', buffer from stock_levels where buffer > 0 and allotment_id = 0 and supply_id = 0 and lot_id = 0 and condition = 'sellable';

-- Units issued in the last 28 days, where a rule counts in days of sale; housekeeping writes it once an hour.
create table sales_rates (
  location_id integer not null references locations,
  sku_id integer not null references skus,
  units integer not null check (units > 0),
  primary key (location_id, sku_id)
);

-- The buffer of a level by its rule; null where there is none. Units and days are kept from stock without lots only, a percentage from each lot.
create function buffer_units(at_location integer, of_sku integer, of_lot integer, units_on_hand integer) returns integer language sql stable as $$
  select case r.mode
    when 'percent' then ceil(greatest(0, units_on_hand) * (r.value / 100.0))
    when 'units' then case when of_lot = 0 then r.value end
    else case when of_lot = 0 then least(2147483647, ceil(r.value * coalesce((select s.units from sales_rates s where s.location_id = at_location and s.sku_id = of_sku), 0) / 28.0)) end
  end::integer
  from buffer_rules r where r.location_id = at_location and (r.sku_id = of_sku or r.sku_id is null) order by r.sku_id nulls last limit 1 $$;

-- What is on hand changes: so does what is kept of it. Capture changes `reserved` alone and pays nothing.
create function keep_buffer() returns trigger language plpgsql as $$ begin
  new.buffer := coalesce(buffer_units(new.location_id, new.sku_id, new.lot_id, new.on_hand), new.buffer);
  return new;
end $$;
create trigger stock_levels_buffer_new before insert on stock_levels for each row
  when (new.allotment_id = 0 and new.supply_id = 0 and new.condition = 'sellable') execute function keep_buffer();
create trigger stock_levels_buffer before update of on_hand on stock_levels for each row
  when (new.allotment_id = 0 and new.supply_id = 0 and new.condition = 'sellable' and new.on_hand <> old.on_hand) execute function keep_buffer();

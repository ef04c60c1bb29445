-- Sales of tills are demand too (docs/demand.md): each receipt is worked out like an order, by an id of its own.
alter table till_receipts
  add id uuid not null default uuidv7(),
  add channel_id smallint references channels; -- null: the shop's tills themselves, channel 0 of the demand
create unique index till_receipts_id on till_receipts (id);
-- Which receipt a return belongs to, and which returns belong to a receipt that comes later than they.
create index till_receipts_numbers on till_receipts (location_id, receipt_no);
create index till_receipts_returns on till_receipts (location_id, refers_to) where kind = 'return';
create index till_receipt_lines_sku on till_receipt_lines (sku_id);
insert into demand_dirty select id from till_receipts on conflict do nothing;

-- Provinces of two countries may have one name. `all`: 动销率 of the whole assortment.
alter table slow_mover_alerts add country char(2);
alter table slow_mover_alerts drop constraint slow_mover_alerts_kind_check;
alter table slow_mover_alerts add constraint slow_mover_alerts_kind_check check (kind in ('sku', 'sku_region', 'category', 'all'));
alter table slow_mover_alerts drop constraint slow_mover_alerts_check2; -- (kind = 'category') = (sku_id is null)
alter table slow_mover_alerts add constraint slow_mover_alerts_subject check ((kind in ('category', 'all')) = (sku_id is null));

-- Till receipts: sales that have happened at a shop. Their units left with the customer, so stock is posted with the receipt, in its transaction.
create table till_receipts (
  location_id int not null references locations,
  till text not null,
  receipt_no text not null,
  kind text not null check (kind in ('sale', 'return', 'void')),
  -- of a void: the receipt of the same till that it undoes; of a return: the receipt it belongs to, where the customer had it
  refers_to text,
  sold_at timestamptz not null,
  currency char(3) not null,
  total bigint not null,
  tenders jsonb not null,
  body_hash bytea not null,
  -- undone by a void, perhaps one that came first
  voided_by text,
  booked_at timestamptz not null,
  primary key (location_id, till, receipt_no)
);
create index till_receipts_by_time on till_receipts (location_id, sold_at, till, receipt_no);
create index till_receipts_voids on till_receipts (location_id, till, refers_to) where kind = 'void';

create table till_receipt_lines (
  location_id int not null,
  till text not null,
  receipt_no text not null,
  line_no int not null,
  sku_code text not null,
  -- null: not known here yet; booked when the receipt comes again and it is
  sku_id int references skus,
  quantity int not null check (quantity > 0),
  unit_price bigint not null,
  discount bigint not null,
  condition text not null,
  -- what was moved at which level, [[level, units]…], taken off negative
  posted jsonb not null,
  -- units sold that were not on hand by our figures: for the next count to explain
  unbacked int not null,
  primary key (location_id, till, receipt_no, line_no),
  foreign key (location_id, till, receipt_no) references till_receipts
);

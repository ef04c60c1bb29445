-- Gifts of merged orders (合单) are judged again: which line a promotion gave, and which orders we priced (only those get promotions that name no channel).
alter table order_lines add column given_by uuid; -- the promotion; null: no gift, or one that an operator or the channel added
alter table orders add column priced_here boolean not null default false;

-- The check goes through a shop's listings by id, a few at a time.
create index listings_by_id on listings (channel_id, id);
-- A platform speaks of items, too.
create index listings_item on listings (channel_id, item_id) where item_id is not null;

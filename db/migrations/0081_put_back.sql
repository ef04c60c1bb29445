-- Units of each of its lines that the platform has in its figure again, as they were counted: once each.
alter table channel_orders add column put_back jsonb;

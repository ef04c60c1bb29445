-- How long a delivery has waited, and may: since it was written or replayed, and since its webhook was made active. What waits now has its days from here on.
alter table webhook_deliveries add column since timestamptz not null default now();
alter table webhook_endpoints add column active_since timestamptz not null default now();
create index webhook_deliveries_since on webhook_deliveries (endpoint_id, since) where status = 'waiting';

-- What a fulfillment order costs as it is paid (freight by its carrier, handling, settlement; no policy's weights), minor units: so that a canary's cost is that of what its orders became. Null: planned before this was kept.
alter table fulfillment_orders add money bigint;

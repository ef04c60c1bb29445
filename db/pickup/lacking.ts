/**
 * SQL: units by SKU (`sku_id`, `units`) that an order lacks and no transfer is bringing: cancelled ones bring nothing, those that have arrived have been given to it. What is on its way is the order's own from its leaving
 * on (db/transfers/earmark.ts); a transfer that left before that was so counts until it has arrived.
 */
export const LACKING = (order: string): string => `(select s.sku_id, sum(s.quantity)::int - coalesce((select sum(l.quantity) from transfers t join transfer_lines l on l.transfer_id = t.id and l.sku_id = s.sku_id
    where t.order_id = ${order} and (t.status in ('proposed', 'approved', 'picking') or (t.status = 'shipped' and not exists (select from reservations r join stock_levels v on v.id = r.level_id and v.supply_id = t.supply_id where r.order_id = ${order})))), 0)::int units
  from shortages s where s.order_id = ${order} and s.status = 'open' and s.sku_id is not null group by s.sku_id)`;

/** SQL: free units (`id` of the level, `location_id`, `sku_id`, `free`) of our own places that may be sent to a shop (an SQL expression) at a moment; buffers stay, and of a SKU that is not active nothing is sent. */
export const SENDABLE = (shop: string, now: string): string => `(select v.id, v.location_id, v.sku_id, v.on_hand - v.reserved - v.buffer free from stock_levels v join locations l on l.id = v.location_id and l.active and l.kind not in ('dealer', 'vendor') join skus c on c.id = v.sku_id and c.active
  join lots on lots.id = v.lot_id and lots.recalled_at is null and (lots.expires_on is null or lots.expires_on >= (${now}::timestamptz at time zone 'UTC')::date)
  where v.location_id <> ${shop} and v.condition = 'sellable' and v.supply_id = 0 and v.allotment_id = 0 and v.on_hand - v.reserved - v.buffer > 0
    and not exists (select from location_sku_blocks b where b.location_id = v.location_id and b.sku_id = v.sku_id and (b.until is null or b.until > ${now})))`;

/** SQL: something that the ship-to-store order `o` lacks could be sent to its shop now, all of it; to a closed one nothing can. */
export const CAN_BE_SENT = (now: string): string => `(o.way = 'ship_to_store' and exists (select from locations where id = o.forced_location_id and active) and exists (select from ${LACKING('o.id')} k where k.units > 0 and k.units <= (select sum(free) from ${SENDABLE('o.forced_location_id', now)} w where w.sku_id = k.sku_id)))`;

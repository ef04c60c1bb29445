/** SQL for a level `v` and an order (an SQL expression): its location has given this order, or this SKU of it, back, and `stands` (of that fulfillment order `g`). */
function gaveBack(order: string, stands: string): string {
  return `exists (select from fulfillment_orders g left join (fulfillment_order_lines gl join order_lines go on go.order_id = ${order} and go.line_no = gl.line_no)
  on gl.fulfillment_order_id = g.id and gl.short_quantity > 0 where g.order_id = ${order} and g.location_id = v.location_id and (g.status = 'rejected' or go.sku_id = v.sku_id) and ${stands})`;
}

/** A location that gave an order back is not asked again at `now` (an SQL expression): what it could not do or find it would only send back. What passes (fulfillment_orders.ask_again_at) has passed by then. */
export function GAVE_BACK_TO(order: string, now: string): string { return gaveBack(order, `(g.ask_again_at is null or g.ask_again_at > ${now})`); }

/** The same of the order `$1`, for good: it is asked again only where an operator says so. */
export const GAVE_BACK_FOR_GOOD = gaveBack('$1', 'g.ask_again_at is null');

/** SQL: a fulfillment order `f` of the order `o` is still to be told, reminded or given elsewhere by itself, which a hold of the order would stop; each has a date at which it is looked at. */
export const UNANSWERED = `(f.status in ('routed', 'releasing') or (f.status = 'released' and o.way = 'ship')) and f.cancel_requested_at is null`;

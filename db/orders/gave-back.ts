/**
 * SQL for a level `v` and an order (an SQL expression): its location has given this order, or this SKU of it, back before. It is not asked again:
 * what it could not do or find once it would only send back.
 */
export function GAVE_BACK_TO(order: string): string {
  return `exists (select from fulfillment_orders g left join (fulfillment_order_lines gl join order_lines go on go.order_id = ${order} and go.line_no = gl.line_no)
  on gl.fulfillment_order_id = g.id and gl.short_quantity > 0 where g.order_id = ${order} and g.location_id = v.location_id and (g.status = 'rejected' or go.sku_id = v.sku_id))`;
}

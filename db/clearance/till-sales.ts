import { SOLD_AS } from '../demand/facts.ts';
import { TILL_CHANNEL } from '../demand/note-receipts.ts';

/**
 * SQL: what shops' tills sold of the SKUs of campaign `$1` at its locations while it ran, less what came back of it, by receipt line: sku_id, channel_id, location_id, at (of the sale), units, net. What was not on
 * hand by our figures was not among the units that it began with; voided receipts never were; a return whose sale is not known is nobody's.
 */
export const TILL_SALES = `select n.sku_id, coalesce(t.channel_id, ${TILL_CHANNEL.id})::smallint channel_id, t.location_id, coalesce(s.sold_at, t.sold_at) as at,
    case t.kind when 'sale' then n.quantity - n.unbacked else -n.quantity end units,
    case t.kind when 'sale' then div((n.quantity * n.unit_price - n.discount) * (n.quantity - n.unbacked), n.quantity) else n.discount - n.quantity * n.unit_price end::bigint net
  from campaigns c join campaign_skus k on k.campaign_id = c.id join till_receipt_lines n on n.sku_id = k.sku_id
    join till_receipts t on t.location_id = n.location_id and t.till = n.till and t.receipt_no = n.receipt_no and t.kind in ('sale', 'return') and t.voided_by is null
    left join lateral (select s.sold_at from ${SOLD_AS}) s on true
  where c.id = $1 and (c.location_ids is null or t.location_id = any(c.location_ids)) and (t.kind = 'sale' or s.sold_at is not null)
    and coalesce(s.sold_at, t.sold_at) >= c.started_at and coalesce(s.sold_at, t.sold_at) < coalesce(c.ended_at, 'infinity')`;

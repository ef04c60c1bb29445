import type { Tx } from '../tx.ts';
import { campaignEvent, type Campaign } from './campaign.ts';
import { collectSales } from './sales.ts';
import { TILL_SALES } from './till-sales.ts';

/** Days before the campaign that say what its SKUs sell by themselves. */
export const BASE_DAYS = 28;

/** A locked approved campaign begins: what is there to sell is counted, what its SKUs sold before is noted. Sales since its time, should it begin late, count to both. */
export async function startCampaign(tx: Tx, campaign: Campaign): Promise<void> {
  // Approved late, it begins with its approval; noticed late, it began on time.
  const begun = campaign.approvedAt !== null && campaign.approvedAt > campaign.startsAt ? campaign.approvedAt : campaign.startsAt;
  Object.assign(campaign, { status: 'running', startedAt: begun });
  await tx.query(`update campaigns set status = 'running', started_at = $2 where id = $1`, [campaign.id, begun]);
  await collectSales(tx, campaign);
  await tx.query(
    `insert into campaign_stock (campaign_id, sku_id, location_id, units)
     select $1, sku_id, location_id, sum(units)::int from (
       select v.sku_id, v.location_id, v.on_hand - v.reserved units from stock_levels v join allotments a on a.id = v.allotment_id join campaign_skus c on c.campaign_id = $1 and c.sku_id = v.sku_id
         where v.condition = 'sellable' and v.supply_id = 0 and a.kind not in ('declaration', 'transfer') and ($2::int[] is null or v.location_id = any($2))
       union all
       select v.sku_id, v.location_id, r.quantity from campaign_lines l join reservations r on r.order_id = l.order_id and r.line_no = l.line_no and r.status in ('held', 'confirmed', 'issued') join stock_levels v on v.id = r.level_id
         where l.campaign_id = $1 and v.supply_id = 0 and ($2::int[] is null or v.location_id = any($2))
       union all
       select sku_id, location_id, units from (${TILL_SALES}) t) u
     group by 1, 2, 3 having sum(units) > 0`, [campaign.id, campaign.locationIds]);
  await tx.query(
    `update campaign_skus c set stock = coalesce((select sum(units)::int from campaign_stock s where s.campaign_id = $1 and s.sku_id = c.sku_id), 0),
       base_per_day = coalesce((select sum(d.units - d.cancelled)::float8 / greatest(1, least($3, $2::date - min(d.day))) from daily_demand d
         where d.sku_id = c.sku_id and d.day >= $2::date - $3 and d.day < $2::date and ($4::int[] is null or d.location_id = any($4)) and ($5::smallint[] is null or d.channel_id = any($5))), 0)
     where c.campaign_id = $1`, [campaign.id, begun, BASE_DAYS, campaign.locationIds, campaign.channelIds]);
  const row = await tx.one<{ stock: number }>('update campaigns set stock = (select sum(stock)::int from campaign_skus where campaign_id = $1) where id = $1 returning stock', [campaign.id]);
  campaign.stock = row?.stock ?? 0;
  await campaignEvent(tx, campaign.id, 'campaign.started', 'system', { stock: campaign.stock });
}

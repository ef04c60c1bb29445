import type { Tx } from '../tx.ts';
import type { Campaign } from './campaign.ts';
import { uuidAt } from './create.ts';
import { TILL_SALES } from './till-sales.ts';

/** The same overlap as at the start: ids are given before the commit. */
const OVERLAP_MS = 600_000;

/** Notes the order lines of the campaign's SKUs that were captured while it runs: orders that have come since it last looked, and a little before; those too that were priced by it and committed just before its end was. */
export async function collectSales(tx: Tx, campaign: Campaign): Promise<void> {
  if (campaign.startedAt === null) return;
  await tx.query(
    `insert into campaign_lines (campaign_id, order_id, line_no, sku_id, channel_id, captured_at)
     select $1, l.order_id, l.line_no, l.sku_id, o.channel_id, o.captured_at from order_lines l join orders o on o.id = l.order_id
     where l.order_id >= $2 and l.sku_id in (select sku_id from campaign_skus where campaign_id = $1) and o.captured_at >= $3
       and ($4::timestamptz is null or o.captured_at < $4 or exists (select from promotion_redemptions r join promotions p on p.id = r.promotion_id where r.order_id = o.id and p.campaign_id = $1))
     on conflict do nothing`, [campaign.id, campaign.scannedTo, campaign.startedAt, campaign.endedAt]);
  campaign.scannedTo = uuidAt(Date.now() - OVERLAP_MS);
  await tx.query('update campaigns set scanned_to = $2 where id = $1', [campaign.id, campaign.scannedTo]);
}

/**
 * What its SKUs sold since it began, by stage (0: between stages): that whose price the line has, else the one that was open then; and price: units of living orders and of tills at its locations, less returns; unpaid orders do not count yet. `own`: on a channel that it covers.
 * `ownDiscount`: of its promotions, which tills do not give; `borne`: what of it others bear. Money of the units that count, minor units.
 */
export type SoldRow = { skuId: number; sku: string; stage: number; own: boolean; units: number; list: number; net: number; ownDiscount: number; borne: number };

const stageOf = (at: string): string =>
  `coalesce((select s.no from campaign_stages s where s.campaign_id = $1 and s.opened_at <= ${at} and ${at} < coalesce(s.closed_at, 'infinity') order by s.no desc limit 1), 0)`;
const isOwn = (channel: string): string => `coalesce($3::smallint[] is null or ${channel} = any($3), true)`;

export async function readSold(tx: Pick<Tx, 'query'>, campaign: Pick<Campaign, 'id' | 'locationIds' | 'channelIds'>): Promise<SoldRow[]> {
  return tx.query<SoldRow>(
    `with lines as (
       select c.sku_id, ${isOwn('c.channel_id')} own, l.quantity, l.list_amount, l.net_amount - l.freight_share net,
         given.discount, given.borne,
         coalesce(given.stage, ${stageOf('c.captured_at')}) stage,
         (select coalesce(sum(r.quantity), 0)::int from reservations r join stock_levels v on v.id = r.level_id
            where r.order_id = c.order_id and r.line_no = c.line_no and r.status in ('held', 'confirmed', 'issued') and ($2::int[] is null or v.location_id = any($2))) - l.returned_quantity units
       from campaign_lines c join order_lines l on l.order_id = c.order_id and l.line_no = c.line_no join orders o on o.id = c.order_id
         cross join lateral (select coalesce(sum((d->>'amount')::bigint), 0) discount, coalesce(sum((d->>'amount')::bigint) filter (where d->>'bearer' <> 'shop'), 0) borne, max(p.stage)::int stage
           from jsonb_array_elements(l.discounts) d join promotions p on p.code = d->>'code' and p.campaign_id = $1) given
       where c.campaign_id = $1 and o.payment_status <> 'unpaid'),
     sold as (select sku_id, stage, own, units, list_amount * units / quantity list, net * units / quantity net, discount * units / quantity discount, borne * units / quantity borne from lines where units > 0
       union all select t.sku_id, ${stageOf('t.at')}, ${isOwn('t.channel_id')}, t.units, k.list_price * t.units, t.net, 0, 0 from (${TILL_SALES}) t join campaign_skus k on k.campaign_id = $1 and k.sku_id = t.sku_id)
     select n.sku_id "skuId", k.code sku, n.stage, n.own, sum(units)::int units, sum(list)::bigint list, sum(net)::bigint net, sum(discount)::bigint "ownDiscount", sum(borne)::bigint borne
     from sold n join skus k on k.id = n.sku_id group by 1, 2, 3, 4 having sum(units) <> 0 order by 2, 3, 4`, [campaign.id, campaign.locationIds, campaign.channelIds]);
}

/** Discounts by stage that orders got of its promotions, those of orders that were cancelled whole apart. */
export async function readDiscounts(tx: Pick<Tx, 'query'>, id: string): Promise<Map<number, number>> {
  const rows = await tx.query<{ stage: number; amount: number }>(
    `select p.stage::int stage, sum(r.amount)::bigint amount from promotions p join promotion_redemptions r on r.promotion_id = p.id and r.given_back_at is null where p.campaign_id = $1 group by 1`, [id]);
  return new Map(rows.map((r) => [r.stage, r.amount]));
}

/** By stage what its promotions cost beside the campaign's own SKUs, where we bear it: discounts on a partner's goods, and gifts at cost. */
export async function readPartnerCosts(tx: Pick<Tx, 'query'>, id: string): Promise<Map<number, number>> {
  const rows = await tx.query<{ stage: number; amount: number }>(
    `select p.stage::int stage, sum(case p.kind when 'gift' then r.units * coalesce(g.cost, 0) else
         (select coalesce(sum((d->>'amount')::bigint), 0) from order_lines l cross join lateral jsonb_array_elements(l.discounts) d where l.order_id = r.order_id and d->>'code' = p.code
            and not exists (select from campaign_skus s where s.campaign_id = $1 and s.sku_id = l.sku_id)) end)::bigint amount
     from promotions p join promotion_redemptions r on r.promotion_id = p.id and r.given_back_at is null left join skus g on g.code = p.terms -> 'gifts' -> 0 ->> 'sku'
     where p.campaign_id = $1 and p.bearer = 'shop' group by 1`, [id]);
  return new Map(rows.map((r) => [r.stage, r.amount]));
}

import type pg from 'pg';

/** Kinds that make a SKU cheaper for everybody who buys it; a staff price or a gift moves the demand of few. */
const KINDS = ['markdown', 'coupon', 'bundle', 'threshold'];

/**
 * Lets `promoted_spans` follow the promotions that name SKUs or categories, from going live to their end, in their channels (`source` promotion:CODE). Each promotion's change leaves an
 * event: only then is anything done. In the caller's transaction, one at a time.
 */
export async function notePromotions(client: pg.ClientBase): Promise<boolean> {
  const { rowCount } = await client.query({
    name: 'promoted_seen',
    text: `with now as (select count(*) events, coalesce(max(id), 0) newest from promotion_events)
      update promoted_seen s set events = now.events, newest = now.newest from now where (s.events, s.newest) <> (now.events, now.newest)`,
  });
  if (rowCount === 0) return false;
  await client.query(`delete from promoted_spans where source like 'promotion:%'`);
  await client.query(
    `insert into promoted_spans (source, sku_id, location_id, channel_id, starts_at, ends_at)
     select 'promotion:' || p.code, s.sku_id, null, c, p.live_from, least(p.live_until, p.ended_at)
     from promotions p cross join lateral (select sku_id from promotion_skus where promotion_id = p.id union select k.id from skus k where k.category = any(p.categories)) s
       left join lateral unnest(p.channel_ids) c on true
     where p.status <> 'draft' and p.kind = any($1::text[]) and p.live_from < least(p.live_until, p.ended_at) on conflict do nothing`, [KINDS]);
  return true;
}

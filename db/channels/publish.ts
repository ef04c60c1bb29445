import type pg from 'pg';
import { delta as deltaOf, isUrgent, publishable, type PublishRule } from '../../domain/channel/grant.ts';
import { availability, bundleAvailability } from '../read/availability.ts';
import type { Channel, Network } from '../network.ts';
import type { StockProjection } from '../projection.ts';

/** A change under way: sent, or about to be. It is written before the call, so that after a crash it is known what may have been told. */
export type Pending = { key: string; delta: number; target: number; seen: number | null; since: string; urgent: boolean; folded: number };
export type ListingStock = {
  id: number; platformSku: string; itemId: string | null; granted: number; sold: number; opened: boolean; pending: Pending | null;
  rule: PublishRule & { urgentBelow: number }; components: { skuId: number; quantity: number }[]; since: Date; urgent: boolean; folded: number; stamp: string;
};

type Row = {
  id: string; platform_sku: string; item_id: string | null; granted: number; sold: number; opened: boolean; pending: Pending | null; publish: PublishRule['mode'];
  rules: { mode: PublishRule['mode']; share: number; buffer: number; cap: number | null; urgentBelow: number; sku: number }[] | null; skus: number[]; units: number[]; since: Date; urgent: boolean; changes: number; stamp: string;
};
const OPEN_RULE = { mode: 'on' as const, share: 100, buffer: 0, cap: null, urgentBelow: 10 };

/** The strictest of the rules that speak of a listing's SKUs (their own, else the shop's), and of the listing's own switch. */
function ruleOf(row: Row): ListingStock['rule'] {
  const shop = row.rules?.find((r) => r.sku === 0) ?? { ...OPEN_RULE, sku: 0 };
  const own = row.skus.map((sku) => row.rules?.find((r) => r.sku === sku) ?? shop);
  const modes = [row.publish, shop.mode, ...own.map((r) => r.mode)];
  return {
    mode: modes.includes('stopped') ? 'stopped' : modes.includes('zero') ? 'zero' : 'on',
    sharePercent: Math.min(...own.map((r) => r.share)), buffer: Math.max(...own.map((r) => r.buffer)),
    cap: own.reduce<number | null>((least, r) => (r.cap === null ? least : Math.min(least ?? r.cap, r.cap)), null), urgentBelow: Math.max(...own.map((r) => r.urgentBelow)),
  };
}

const STOCK_COLUMNS = `l.id, l.platform_sku, l.item_id, l.granted, l.sold, l.opened, l.pending, l.publish, k.skus, k.units,
  (select json_agg(json_build_object('mode', mode, 'share', share_percent, 'buffer', buffer, 'cap', cap, 'urgentBelow', urgent_below, 'sku', sku_id)) from publish_rules r where r.channel_id = $1 and (r.sku_id = 0 or r.sku_id = any(k.skus))) rules`;
const COMPONENTS = 'cross join lateral (select array_agg(sku_id order by position) skus, array_agg(quantity order by position) units from listing_components where listing_id = l.id) k';
const stockOf = (r: Row): ListingStock => ({
  id: Number(r.id), platformSku: r.platform_sku, itemId: r.item_id, granted: r.granted, sold: r.sold, opened: r.opened, pending: r.pending, rule: ruleOf(r),
  components: r.skus.map((skuId, i) => ({ skuId, quantity: r.units[i] ?? 1 })), since: r.since, urgent: r.urgent, folded: r.changes, stamp: r.stamp,
});

/** A new listing, or one of which a change may or may not have arrived, where that is not sent again under its key: its account is not known. */
const UNKNOWN = '(not l.opened or (l.pending is not null and not $3))';

/**
 * Listings that have changed, urgent ones first, then the longest waiting. Mapped ones only: of the others nothing is known. `keyed`: what was sent and not acknowledged is sent again. `which`: those whose account is
 * known; those whose figure is to be read first; or `all` of them, where nothing can be read. One that was read waits until its reading is proven (db/channels/readings.ts).
 */
export async function nextListings(pool: pg.Pool, channelId: number, limit: number, keyed: boolean, which: 'known' | 'unknown' | 'all'): Promise<ListingStock[]> {
  const { rows } = await pool.query<Row>({
    name: `listings_next_${which}`,
    text: `with due as materialized (select c.* from listing_changes c join listings l on l.id = c.listing_id
        where c.channel_id = $1 and not (l.reading is not null and ${UNKNOWN}) ${which === 'all' ? '' : `and ${which === 'known' ? 'not ' : ''}${UNKNOWN}`} order by c.urgent desc, c.since limit $2)
      select ${STOCK_COLUMNS}, d.since, d.urgent, d.changes, d.stamp::text from due d join listings l on l.id = d.listing_id ${COMPONENTS} where k.skus is not null order by d.urgent desc, d.since`,
    values: [channelId, limit, keyed],
  });
  return rows.map(stockOf);
}

/**
 * Listings that have changed, and wait because a change before may or may not have arrived. `most`: what the platform may show of each at most: as if an increase had arrived and a decrease had not, and no more than it
 * showed when it was last read after that change.
 */
export async function unsureListings(pool: pg.Pool, channelId: number): Promise<(ListingStock & { most: number })[]> {
  const { rows } = await pool.query<Row & { most: string }>({
    name: 'listings_unsure',
    text: `select ${STOCK_COLUMNS}, c.since, c.urgent, c.changes, c.stamp::text, least(l.granted - l.sold + greatest(0, (l.pending ->> 'delta')::bigint),
        case when l.reading -> 'seen' ->> 'key' = l.pending ->> 'key' then (l.reading -> 'seen' ->> 'sellable')::bigint end)::text most
      from listing_changes c join listings l on l.id = c.listing_id ${COMPONENTS}
      where c.channel_id = $1 and l.opened and l.pending is not null and l.reading is not null and k.skus is not null order by c.urgent desc, c.since`,
    values: [channelId],
  });
  return rows.map((r) => ({ ...stockOf(r), most: Number(r.most) }));
}

/** Mapped listings of a shop by id, after one of them, whether they have changed or not. */
export async function listingStock(pool: pg.Pool, channelId: number, after: number, limit: number): Promise<ListingStock[]> {
  const { rows } = await pool.query<Row>({
    name: 'listings_stock', text: `select ${STOCK_COLUMNS}, now() since, false urgent, 0 changes, '0' stamp from listings l ${COMPONENTS} where l.channel_id = $1 and l.id > $2 and k.skus is not null order by l.id limit $3`, values: [channelId, after, limit] });
  return rows.map(stockOf);
}

/** Units of each listing that the channel may sell now, read from the committed levels. */
export async function sellableNow(pool: pg.Pool, network: Network, projection: StockProjection, channel: Channel, listings: readonly ListingStock[], now: Date): Promise<number[]> {
  const skuIds = [...new Set(listings.flatMap((l) => l.components.map((c) => c.skuId)))];
  await network.skusById(skuIds);
  await projection.rereadSkus(pool, skuIds);
  const query = { channel, way: 'ship' as const, at: null, destination: null, onlyAt: null, places: false, now };
  const units = availability(network, projection, await projection.borrowed(), query, skuIds);
  const of = new Map(skuIds.map((id, i) => [id, units[i]]));
  return listings.map((l) => {
    const whole = bundleAvailability(l.components.map((c) => ({ quantity: c.quantity, units: of.get(c.skuId) ?? { now: 0, total: 0 } })));
    return publishable(whole.now, l.rule);
  });
}

/** A listing, what of it may be sold now, and what the platform shows where that was read. */
export type Target = { listing: ListingStock; sellable: number; seen: number | null };

/**
 * The next change of each listing, written down by one statement; null where there is nothing to tell. A change that was sent and not acknowledged comes first, as it was. `seen`: what the platform shows,
 * where it was read: its sales that are on their way to us are off it, so the change is put on that figure.
 */
export async function prepareChanges(pool: pg.Pool, targets: readonly Target[], newKey: () => string): Promise<(Pending | null)[]> {
  const fresh: { listing: ListingStock; pending: Pending }[] = [];
  const changes = targets.map(({ listing, sellable, seen }): Pending | null => {
    if (listing.pending) return listing.pending;
    const wanted = deltaOf(listing, sellable);
    // Below nothing its figure cannot fall: what it has sold beyond is on its way to us, and to the orders that will lack it.
    const change = seen === null ? wanted : Math.max(wanted, -seen);
    if (change === 0 && listing.opened) return null;
    const pending: Pending = {
      key: newKey(), delta: change, target: seen === null ? sellable : seen + change, seen, since: listing.since.toISOString(), urgent: listing.urgent || isUrgent(listing, sellable, listing.rule.urgentBelow), folded: listing.folded,
    };
    fresh.push({ listing, pending });
    return pending;
  });
  if (fresh.length > 0) await writeChanges(pool, fresh);
  return changes;
}

/** The platform has acknowledged: the account, the lag, and the end of the change unless the stock has moved again meanwhile. */
export async function changeTold(pool: pg.Pool, channelId: number, told: readonly { listing: ListingStock; pending: Pending }[], now: Date): Promise<void> {
  if (told.length === 0) return;
  await pool.query({
    name: 'listing_told',
    text: `with t as (select * from unnest($2::bigint[], $3::bigint[], $4::boolean[], $5::int[], $6::timestamptz[], $7::bigint[], $8::text[]) as u(id, d, urgent, folded, since, stamp, key)),
      done as (update listings l set granted = granted + t.d, pending = null, opened = true, told_at = $9, refused = null from t where l.id = t.id and l.pending ->> 'key' = t.key returning l.id),
      told as (insert into listing_tellings (channel_id, listing_id, delta, urgent, folded, since, told_at) select $1, t.id, t.d, t.urgent, t.folded, t.since, $9 from t join done using (id))
      delete from listing_changes c using t where c.listing_id = t.id and c.stamp = t.stamp`,
    values: [channelId, told.map((t) => t.listing.id), told.map((t) => t.pending.delta), told.map((t) => t.pending.urgent), told.map((t) => t.pending.folded), told.map((t) => new Date(t.pending.since)),
      // What was sent before does not know what has changed since: that is told next.
      told.map((t) => (t.listing.pending === null ? t.listing.stamp : '0')), told.map((t) => t.pending.key), now],
  });
}

/** Nobody is told: its stock is fetched. */
export async function forgetChanges(pool: pg.Pool, channelId: number): Promise<void> {
  await pool.query({ name: 'listing_changes_forget', text: 'delete from listing_changes where channel_id = $1', values: [channelId] });
}

/** The platform had another figure meanwhile, so nothing was done: it is read and told anew. */
export async function changeStale(pool: pg.Pool, listing: ListingStock, pending: Pending): Promise<void> {
  await pool.query({ name: 'listing_stale', text: `update listings set pending = null where id = $1 and pending ->> 'key' = $2`, values: [listing.id, pending.key] });
}

/** Writes changes down before they are sent; in the place of one that the platform has refused, too. */
export async function writeChanges(pool: pg.Pool, changes: readonly { listing: ListingStock; pending: Pending }[]): Promise<void> {
  await pool.query({
    name: 'listings_pending', text: 'update listings l set pending = t.pending from unnest($1::bigint[], $2::jsonb[]) as t(id, pending) where l.id = t.id',
    values: [changes.map((c) => c.listing.id), changes.map((c) => JSON.stringify(c.pending))],
  });
}

/** There was nothing to tell, or nothing may be told. `refused`: it was tried, and nothing came of it. */
export async function changeDropped(pool: pg.Pool, listings: readonly ListingStock[], refused = false): Promise<void> {
  await pool.query({
    name: 'listing_dropped',
    text: `with t as (select * from unnest($1::bigint[], $2::bigint[]) as u(id, stamp)), l as (update listings l set pending = null from t where $3 and l.id = t.id)
      delete from listing_changes c using t where c.listing_id = t.id and c.stamp = t.stamp`,
    values: [listings.map((l) => l.id), listings.map((l) => l.stamp), refused],
  });
}

/** The platform will not take it: it is kept with its reason and told again when the stock moves next, or at the check (`retryRefused`). */
export async function changeRefused(pool: pg.Pool, listing: ListingStock, reason: string): Promise<void> {
  await pool.query({ name: 'listing_refused', text: `with r as (update listings set pending = null, refused = $2 where id = $1) delete from listing_changes where listing_id = $1 and stamp = $3`, values: [listing.id, reason.slice(0, 500), listing.stamp] });
}

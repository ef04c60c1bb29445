import type pg from 'pg';
import { delta as deltaOf, isUrgent, publishable, settle, shown, type PublishRule } from '../../domain/channel/grant.ts';
import { availability, bundleAvailability } from '../read/availability.ts';
import type { Channel, Network } from '../network.ts';
import type { StockProjection } from '../projection.ts';
import { inTransaction } from '../transaction.ts';

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

/** Listings to be told, urgent ones first, then the longest waiting. Mapped ones only: of the others nothing is known. */
export async function nextListings(pool: pg.Pool, channelId: number, limit: number): Promise<ListingStock[]> {
  const { rows } = await pool.query<Row>({
    name: 'listings_next',
    text: `with due as materialized (select * from listing_changes where channel_id = $1 order by urgent desc, since limit $2)
      select ${STOCK_COLUMNS}, d.since, d.urgent, d.changes, d.stamp::text from due d join listings l on l.id = d.listing_id ${COMPONENTS} where k.skus is not null order by d.urgent desc, d.since`,
    values: [channelId, limit],
  });
  return rows.map(stockOf);
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
  const fresh: { id: number; pending: Pending }[] = [];
  const changes = targets.map(({ listing, sellable, seen }): Pending | null => {
    if (listing.pending) return listing.pending;
    const wanted = deltaOf(listing, sellable);
    // Below nothing its figure cannot fall: what it has sold beyond is on its way to us, and to the orders that will lack it.
    const change = seen === null ? wanted : Math.max(wanted, -seen);
    if (change === 0 && listing.opened) return null;
    const pending: Pending = {
      key: newKey(), delta: change, target: seen === null ? sellable : seen + change, seen, since: listing.since.toISOString(), urgent: listing.urgent || isUrgent(listing, sellable, listing.rule.urgentBelow), folded: listing.folded,
    };
    fresh.push({ id: listing.id, pending });
    return pending;
  });
  if (fresh.length > 0) {
    await pool.query({
      name: 'listings_pending', text: 'update listings l set pending = t.pending from unnest($1::bigint[], $2::jsonb[]) as t(id, pending) where l.id = t.id',
      values: [fresh.map((f) => f.id), fresh.map((f) => JSON.stringify(f.pending))],
    });
  }
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
      told.map((t) => t.listing.stamp), told.map((t) => t.pending.key), now],
  });
}

/** Nobody is told: its stock is fetched. */
export async function forgetChanges(pool: pg.Pool, channelId: number): Promise<void> {
  await pool.query({ name: 'listing_changes_forget', text: 'delete from listing_changes where channel_id = $1', values: [channelId] });
}

/** There was nothing to tell, or nothing may be told. */
export async function changeDropped(pool: pg.Pool, listings: readonly ListingStock[]): Promise<void> {
  await pool.query({ name: 'listing_dropped', text: 'delete from listing_changes c using unnest($1::bigint[], $2::bigint[]) as t(id, stamp) where c.listing_id = t.id and c.stamp = t.stamp', values: [listings.map((l) => l.id), listings.map((l) => l.stamp)] });
}

/** The platform will not take it: it is kept with its reason and told again when the stock moves next. */
export async function changeRefused(pool: pg.Pool, listing: ListingStock, reason: string): Promise<void> {
  await pool.query({ name: 'listing_refused', text: `with r as (update listings set pending = null, refused = $2 where id = $1) delete from listing_changes where listing_id = $1 and stamp = $3`, values: [listing.id, reason.slice(0, 500), listing.stamp] });
}

/**
 * What a reading proves: the platform shows `sellable`, and every order that it had sold by then is captured. Begins the account of a new listing, ends a change whose answer was
 * lost, and corrects what has drifted. Returns by how much the platform was off.
 */
export async function settleReading(pool: pg.Pool, listingId: number, sellable: number, now: Date): Promise<number> {
  return inTransaction(pool, async (client) => {
    const { rows: [row] } = await client.query<{ granted: number; sold: number; opened: boolean; pending: Pending | null }>('select granted, sold, opened, pending from listings where id = $1 for no key update', [listingId]);
    if (!row) throw new Error(`listing ${listingId} does not exist`);
    const { granted, drift } = settle(row, sellable);
    // A change whose answer was lost is no drift where it did arrive, nor where it did not.
    const unexplained = !row.opened ? 0 : row.pending && (drift === row.pending.delta || drift === 0) ? 0 : drift;
    await client.query('update listings set granted = $2, pending = null, opened = true, shown = $3, shown_at = $4 where id = $1', [listingId, granted, sellable, now]);
    if (unexplained !== 0) await client.query('insert into listing_drifts (channel_id, listing_id, drift, at) select channel_id, id, $2, $3 from listings where id = $1', [listingId, unexplained, now]);
    return unexplained;
  });
}

/** What the platform should show of every mapped listing, for the comparison. */
export async function expectedFigures(pool: pg.Pool, channelId: number, after: number, limit: number): Promise<{ id: number; platformSku: string; itemId: string | null; shown: number; settled: boolean }[]> {
  const { rows } = await pool.query<{ id: string; platform_sku: string; item_id: string | null; granted: number; sold: number; settled: boolean }>(
    `select l.id, platform_sku, item_id, granted, sold, opened and pending is null and not exists (select from listing_changes c where c.listing_id = l.id) settled
     from listings l where channel_id = $1 and l.id > $2 and version > 0 and publish <> 'stopped' order by l.id limit $3`, [channelId, after, limit]);
  return rows.map((r) => ({ id: Number(r.id), platformSku: r.platform_sku, itemId: r.item_id, shown: shown(r), settled: r.settled }));
}

import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import type { Network, Sku } from '../network.ts';
import { inTransaction } from '../transaction.ts';
import { storeHints } from './hints.ts';
import { wakeChannels } from './wake.ts';

/** What a listing sells: SKUs of ours and how many of each one unit of it is; none: not mapped yet. */
export type Listing = { id: number; platformSku: string; itemId: string | null; version: number; priceFloor: number | null; components: { sku: Sku; quantity: number }[] };
export type ListingSeen = { platformSku: string; itemId: string | null; merchantCode: string | null; title: string };

/**
 * The listings of an order's lines, made where they are new. A new one whose merchant code is one of our SKUs is mapped to it at once where the shop wants that (`automatic`), else
 * the SKU is kept as a suggestion.
 */
export async function listingsOf(pool: pg.Pool, network: Network, channelId: number, seen: readonly ListingSeen[], automatic: boolean, now: Date): Promise<Map<string, Listing>> {
  const unique = [...new Map(seen.map((s) => [s.platformSku, s])).values()];
  const known = await read(pool, network, channelId, unique.map((s) => s.platformSku));
  // One that was mapped before its first order learns its item from it: some platforms take stock by item only.
  for (const s of unique.filter((s) => s.itemId !== null && known.get(s.platformSku)?.itemId === null)) {
    const { rowCount } = await pool.query(
      `update listings set item_id = $3, merchant_code = coalesce(merchant_code, $4), title = case when title = '' then $5 else title end, refused = null where channel_id = $1 and platform_sku = $2 and item_id is null`,
      [channelId, s.platformSku, s.itemId, s.merchantCode, s.title.slice(0, 500)]);
    if (rowCount === 1) await markPlatformSku(pool, channelId, s.platformSku, now);
  }
  // Not mapped yet counts as new: another order of it may be about to map it, or came before its SKU did.
  const fresh = unique.filter((s) => (known.get(s.platformSku)?.version ?? 0) === 0);
  if (fresh.length === 0) return known;
  await network.loadSkus(fresh.flatMap((s) => s.merchantCode ?? []));
  for (const s of fresh.sort((a, b) => (a.platformSku < b.platformSku ? -1 : 1))) {
    const suggested = s.merchantCode === null ? undefined : network.knownSku(s.merchantCode);
    await pool.query(
      `insert into listings (channel_id, platform_sku, item_id, merchant_code, title, suggested) values ($1, $2, $3, $4, $5, $6) on conflict (channel_id, platform_sku) do nothing`,
      [channelId, s.platformSku, s.itemId, s.merchantCode, s.title.slice(0, 500), suggested?.code ?? null]);
    if (suggested && automatic) {
      await mapListing(pool, network, channelId, s.platformSku, [{ sku: suggested.code, quantity: 1 }], 'system', now, 0).catch((error: unknown) => {
        if (!(error instanceof Problem) || error.code !== 'conflict') throw error; // somebody was faster
      });
    }
  }
  return read(pool, network, channelId, unique.map((s) => s.platformSku));
}

async function read(pool: pg.Pool, network: Network, channelId: number, platformSkus: readonly string[]): Promise<Map<string, Listing>> {
  const { rows } = await pool.query<{ id: string; platform_sku: string; item_id: string | null; version: number; price_floor: string | null; skus: number[] | null; units: number[] | null }>({
    name: 'listings_read',
    text: `select l.id, l.platform_sku, l.item_id, l.version, l.price_floor::text, array_agg(c.sku_id order by c.position) filter (where c.sku_id is not null) skus,
        array_agg(c.quantity order by c.position) filter (where c.sku_id is not null) units
      from listings l left join listing_components c on c.listing_id = l.id where l.channel_id = $1 and l.platform_sku = any($2::text[]) group by l.id`,
    values: [channelId, platformSkus],
  });
  const skus = await network.skusById(rows.flatMap((r) => r.skus ?? []));
  return new Map(rows.map((r) => [r.platform_sku, {
    id: Number(r.id), platformSku: r.platform_sku, itemId: r.item_id, version: r.version, priceFloor: r.price_floor === null ? null : Number(r.price_floor),
    components: (r.skus ?? []).map((id, i) => ({ sku: skus.get(id) as Sku, quantity: r.units?.[i] ?? 1 })),
  }]));
}

/**
 * Says what a listing sells, as a new version of its mapping; all orders held for it are read anew at once, and its stock is told. `expected`: the version that the caller knows;
 * another one is a conflict (null: whatever it is). `more`: what is given of it is set, the rest stays. Throws `unknown_sku`, `conflict`. Returns how many orders were released.
 */
export async function mapListing(
  pool: pg.Pool, network: Network, channelId: number, platformSku: string, components: readonly { sku: string; quantity: number }[], actor: string, now: Date, expected: number | null = null,
  more: { itemId?: string; priceFloor?: number | null } = {},
): Promise<{ version: number; released: number }> {
  await network.loadSkus(components.map((c) => c.sku));
  const skus = components.map((c, i) => {
    const sku = network.knownSku(c.sku);
    if (!sku?.active) throw new Problem('unknown_sku', `SKU "${c.sku}" is not known or not active`, `/components/${i}/sku`);
    return { id: sku.id, quantity: c.quantity };
  });
  if (new Set(skus.map((s) => s.id)).size < skus.length) throw new Problem('unprocessable', 'a SKU stands there twice: add its quantities', '/components');
  return inTransaction(pool, async (client) => {
    const { rows: [l] } = await client.query<{ id: string; version: number }>(
      `insert into listings (channel_id, platform_sku) values ($1, $2) on conflict (channel_id, platform_sku) do update set platform_sku = excluded.platform_sku returning id, version`, [channelId, platformSku]);
    const { id, version } = l as { id: string; version: number };
    if (expected !== null && expected !== version) throw new Problem('conflict', `the mapping of this listing is at version ${version}, not ${expected}: read it again`, '/version');
    await client.query('delete from listing_components where listing_id = $1', [id]);
    await client.query('insert into listing_components (listing_id, position, sku_id, quantity) select $1, p, s, q from unnest($2::int[], $3::int[]) with ordinality as t(s, q, p)', [id, skus.map((s) => s.id), skus.map((s) => s.quantity)]);
    await client.query('insert into listing_mappings (listing_id, version, components, mapped_by, mapped_at) values ($1, $2, $3, $4, $5)', [id, version + 1, JSON.stringify(components), actor, now]);
    await client.query('update listings set version = version + 1, refused = null, item_id = coalesce($2, item_id), price_floor = case when $3 then $4 else price_floor end where id = $1',
      [id, more.itemId ?? null, more.priceFloor !== undefined, more.priceFloor ?? null]);
    await markListing(client, Number(id), channelId, now, true);
    await wakeChannels(client, [network.channelById.get(channelId)?.code ?? []].flat(), now);
    const released = await releaseHeld(client, network, channelId, `listing:${platformSku}`, now);
    return { version: version + 1, released };
  });
}

/** Notes that a listing's figure must be told again. */
export async function markListing(client: pg.ClientBase | pg.Pool, listingId: number, channelId: number, now: Date, urgent: boolean): Promise<void> {
  await client.query(
    `insert into listing_changes as c (listing_id, channel_id, since, urgent, stamp) values ($1, $2, $3, $4, nextval('listing_change_stamps'))
     on conflict (listing_id) do update set urgent = c.urgent or excluded.urgent, changes = c.changes + 1, stamp = excluded.stamp`, [listingId, channelId, now, urgent]);
}

/**
 * Has the platform orders that are held for `key` (null: for anything but people's data, db/channels/privacy.ts) read anew. Returns how many. One that was changed on the platform goes on by its own key only: that says
 * that somebody has seen to it.
 */
export async function releaseHeld(client: pg.ClientBase | pg.Pool, network: Network, channelId: number, key: string | null, now: Date): Promise<number> {
  const { rows } = await client.query<{ external_id: string; attempts: number }>(
    `update channel_orders set state = 'open', attempts = attempts + 1, updated_at = $3, hold_key = case when $2::text is null then null else hold_key end where channel_id = $1 and state = 'held'
      and (case when $2::text is null then coalesce(hold_key, '') not like 'privacy:%' else hold_key = $2 end) returning external_id, attempts`, [channelId, key, now]);
  const code = network.channelById.get(channelId)?.code ?? '';
  await storeHints(client, rows.map((r) => ({ channelId, channelCode: code, key: `held:${r.external_id}:${r.attempts}`, subject: 'order', topic: 'released', externalId: r.external_id, version: null })), 'replay', now);
  return rows.length;
}

/** The version of a listing, 0 where it is not mapped; waits for a change that is being written. */
export async function listingVersion(pool: pg.Pool, channelId: number, platformSku: string): Promise<number> {
  const { rows } = await pool.query<{ version: number }>('select version from listings where channel_id = $1 and platform_sku = $2 for share', [channelId, platformSku]);
  return rows[0]?.version ?? 0;
}

/** The platform says that it has changed something about a listing (its own SKU or its item): its figure is told, and so compared, again. */
export async function markPlatformSku(pool: pg.Pool, channelId: number, platformId: string, now: Date): Promise<void> {
  const { rows } = await pool.query<{ id: string }>('select id from listings where channel_id = $1 and (platform_sku = $2 or item_id = $2) and version > 0 order by id', [channelId, platformId]);
  for (const { id } of rows) await markListing(pool, Number(id), channelId, now, true);
}

/** The platform has put units of these listings back: where we had freed them before, it was told of them already, and shows them twice until it is told again. */
export async function markPutBack(client: pg.ClientBase, channelId: number, platformSkus: readonly string[], now: Date): Promise<void> {
  await client.query(
    `insert into listing_changes as c (listing_id, channel_id, since, urgent, stamp) select id, channel_id, $3, true, nextval('listing_change_stamps') from listings where channel_id = $1 and platform_sku = any($2::text[]) and version > 0 order by id
     on conflict (listing_id) do update set urgent = true, changes = c.changes + 1, stamp = excluded.stamp`, [channelId, platformSkus, now]);
}

/** Listings of a shop are told again, for a rule or switch of them has changed: one, those that sell a SKU of ours, or (`sku` null) all. `urgent`: before others. */
export async function markThose(client: pg.ClientBase | pg.Pool, channelId: number, of: { listing: string } | { sku: number | null }, now: Date, urgent: boolean): Promise<void> {
  const [which, value] = 'listing' in of ? ['platform_sku = $4', of.listing] : of.sku === null ? ['$4::int is null', null] : ['id in (select listing_id from listing_components where sku_id = $4)', of.sku];
  await client.query(
    `insert into listing_changes as c (listing_id, channel_id, since, urgent, stamp) select id, channel_id, $2, $3, nextval('listing_change_stamps') from listings where channel_id = $1 and version > 0 and ${which} order by id
     on conflict (listing_id) do update set urgent = c.urgent or excluded.urgent, changes = c.changes + 1, stamp = excluded.stamp`, [channelId, now, urgent, value]);
}

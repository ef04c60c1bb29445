import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import type { Pause } from './refusals.ts';

/** How a shop is doing. Lags in ms over the last hour, from the commit to the platform's acknowledgement. */
export type ShopState = {
  waitingHints: number; oldestHintAt: string | null; failingHints: number; heldOrders: number; unmappedListings: number; refusedListings: number; waitingListings: number;
  waitingReports: number; refusedReports: number; rejectedPushes: { reason: string; day: string; count: number }[]; polledUntil: string; checkedAt: string | null; tokenExpiresAt: string | null;
  /** lanes that wait because the platform refuses the account */ paused: { lane: string; reason: string; since: string; until: string }[];
  lag: { count: number; p50Ms: number | null; p99Ms: number | null; urgentP99Ms: number | null }; drift: { listing: string; units: number; at: string }[];
};

export async function shopState(pool: pg.Pool, channelId: number, now: Date): Promise<ShopState> {
  const { rows: [r] } = await pool.query<{
    waiting: number; oldest: Date | null; failing: number; held: number; unmapped: number; refused: number; listings: number; reports: number; refused_reports: number; polled_until: Date; checked_at: Date | null;
    token: Date | null; paused: Record<string, Pause>; n: number; p50: number | null; p99: number | null; urgent: number | null;
  }>(
    `select (select count(*)::int from channel_hints where channel_id = $1 and done_at is null) waiting, (select min(received_at) from channel_hints where channel_id = $1 and done_at is null) oldest,
       (select count(*)::int from channel_hints where channel_id = $1 and done_at is null and attempts > 0) failing,
       (select count(*)::int from channel_orders where channel_id = $1 and state = 'held') held,
       (select count(*)::int from listings where channel_id = $1 and version = 0) unmapped, (select count(*)::int from listings where channel_id = $1 and refused is not null) refused,
       (select count(*)::int from listing_changes where channel_id = $1) listings,
       (select count(*)::int from channel_reports where channel_id = $1 and done_at is null) reports, (select count(*)::int from channel_reports where channel_id = $1 and refused) refused_reports,
       s.polled_until, s.checked_at, s.paused, (select expires_at from channel_tokens where channel_id = $1) token, l.* from channel_shops s cross join lateral (
         select count(*)::int n, percentile_disc(0.5) within group (order by ms) p50, percentile_disc(0.99) within group (order by ms) p99, percentile_disc(0.99) within group (order by ms) filter (where urgent) urgent
         from (select extract(epoch from told_at - since) * 1000 ms, urgent from listing_tellings where channel_id = $1 and told_at > $2::timestamptz - interval '1 hour') t) l where s.channel_id = $1`, [channelId, now]);
  if (!r) throw new Error(`channel ${channelId} has no shop account`);
  const [rejected, drifts] = await Promise.all([
    pool.query<{ reason: string; day: string; count: number }>(`select reason, day::text, count from push_rejections where channel_id = $1 order by day desc, reason limit 20`, [channelId]),
    pool.query<{ listing: string; units: number; at: Date }>(`select l.platform_sku listing, d.drift units, d.at from listing_drifts d join listings l on l.id = d.listing_id where d.channel_id = $1 order by d.at desc limit 20`, [channelId]),
  ]);
  const ms = (value: number | null): number | null => (value === null ? null : Math.round(Number(value)));
  return {
    waitingHints: r.waiting, oldestHintAt: r.oldest?.toISOString() ?? null, failingHints: r.failing, heldOrders: r.held, unmappedListings: r.unmapped, refusedListings: r.refused, waitingListings: r.listings,
    waitingReports: r.reports, refusedReports: r.refused_reports, rejectedPushes: rejected.rows, polledUntil: r.polled_until.toISOString(), checkedAt: r.checked_at?.toISOString() ?? null, tokenExpiresAt: r.token?.toISOString() ?? null,
    paused: Object.entries(r.paused).sort(([a], [b]) => (a < b ? -1 : 1)).map(([lane, p]) => ({ lane, reason: p.reason, since: new Date(p.since).toISOString(), until: new Date(p.until).toISOString() })),
    lag: { count: r.n, p50Ms: ms(r.p50), p99Ms: ms(r.p99), urgentP99Ms: ms(r.urgent) }, drift: drifts.rows.map((d) => ({ ...d, at: d.at.toISOString() })),
  };
}

export type HeldOrder = { externalId: string; reason: string; detail: string | null; key: string | null; order: string | null; since: string };

/** Platform orders that wait for somebody, oldest first, after a key. */
export async function heldOrders(pool: pg.Pool, channelId: number, after: string, limit: number): Promise<HeldOrder[]> {
  const { rows } = await pool.query<{ externalId: string; reason: string; detail: string | null; key: string | null; order_id: string | null; updated_at: Date }>(
    `select external_id "externalId", hold_reason reason, hold_detail detail, hold_key key, order_id, updated_at from channel_orders where channel_id = $1 and state = 'held' and external_id > $2 order by external_id limit $3`, [channelId, after, limit]);
  return rows.map(({ order_id, updated_at, ...r }) => ({ ...r, order: order_id === null ? null : encodeId('ord', order_id), since: updated_at.toISOString() }));
}

export type ListingView = {
  platformSku: string; itemId: string | null; merchantCode: string | null; title: string; version: number; suggested: string | null; priceFloor: number | null; publish: string; components: { sku: string; quantity: number }[];
  shown: number | null; sold: number; refused: string | null; toldAt: string | null;
};

/** Listings of a shop by platform SKU; `unmapped`: only those that sell nothing of ours yet. */
export async function listings(pool: pg.Pool, channelId: number, unmapped: boolean, after: string, limit: number): Promise<ListingView[]> {
  const { rows } = await pool.query<{
    platformSku: string; itemId: string | null; merchantCode: string | null; title: string; version: number; suggested: string | null; priceFloor: number | null; publish: string; components: ListingView['components'] | null; granted: number; sold: number;
    opened: boolean; refused: string | null; told_at: Date | null;
  }>(
    `select platform_sku "platformSku", item_id "itemId", merchant_code "merchantCode", title, version, suggested, price_floor::float8 "priceFloor", publish, granted, sold, opened, refused, told_at,
       (select json_agg(json_build_object('sku', s.code, 'quantity', c.quantity) order by c.position) from listing_components c join skus s on s.id = c.sku_id where c.listing_id = l.id) components
     from listings l where channel_id = $1 and (not $2 or version = 0) and platform_sku > $3 order by platform_sku limit $4`, [channelId, unmapped, after, limit]);
  return rows.map(({ granted, opened, told_at, ...r }) => ({ ...r, components: r.components ?? [], shown: opened ? granted - r.sold : null, toldAt: told_at?.toISOString() ?? null }));
}

export type ReportView = { id: number; order: string; kind: string; key: string; state: 'waiting' | 'done' | 'refused'; attempts: number; error: string | null; createdAt: string; doneAt: string | null };

/** What a platform was told of orders, newest first; `open`: only what has not arrived or was refused. */
export async function channelReports(pool: pg.Pool, channelId: number, open: boolean, before: number, limit: number): Promise<ReportView[]> {
  const { rows } = await pool.query<{ id: string; order_id: string; kind: string; key: string; attempts: number; error: string | null; created_at: Date; done_at: Date | null; refused: boolean }>(
    `select id, order_id, kind, key, attempts, error, created_at, done_at, refused from channel_reports where channel_id = $1 ${open ? 'and (done_at is null or refused)' : ''} and id < $2 order by id desc limit $3`, [channelId, before, limit]);
  return rows.map((r) => ({
    id: Number(r.id), order: encodeId('ord', r.order_id), kind: r.kind, key: r.key, state: r.refused ? 'refused' : r.done_at === null ? 'waiting' : 'done', attempts: r.attempts, error: r.error,
    createdAt: r.created_at.toISOString(), doneAt: r.done_at?.toISOString() ?? null,
  }));
}

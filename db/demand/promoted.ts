import type pg from 'pg';

/** Null: at every location, in every channel. `to` is exclusive. */
export type PromotedSpan = { skuId: number; locationId: number | null; channelId: number | null; from: Date; to: Date };

/**
 * Says when SKUs were promoted by `source` (a promotion, a campaign's stage, a note by hand), in place of all that it said before: its demand is then not read as plain. In the
 * caller's transaction; no spans: it promoted nothing.
 */
export async function markPromoted(client: pg.ClientBase, source: string, spans: readonly PromotedSpan[]): Promise<void> {
  await client.query('delete from promoted_spans where source = $1', [source]);
  const real = spans.filter((s) => s.from < s.to);
  if (real.length === 0) return;
  await client.query(
    `insert into promoted_spans (source, sku_id, location_id, channel_id, starts_at, ends_at)
     select $1, s, l, c, min(f), max(t) from unnest($2::int[], $3::int[], $4::smallint[], $5::timestamptz[], $6::timestamptz[]) x(s, l, c, f, t) group by s, l, c`,
    [source, real.map((s) => s.skuId), real.map((s) => s.locationId), real.map((s) => s.channelId), real.map((s) => s.from), real.map((s) => s.to)]);
}

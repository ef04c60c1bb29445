import type pg from 'pg';
import type { Problem } from '../../domain/problem.ts';
import type { PreparedOrder } from '../capture/prepare.ts';

/**
 * Notes in capture's transaction what was wanted and refused for want of stock: by SKU that lacked units, all that the order wanted of it. An order that is sent again under
 * the same id counts once, and not at all once it is captured. A gift that lacks is nobody's demand.
 */
export async function noteRefused(client: pg.ClientBase, refused: readonly { order: PreparedOrder; problem: Problem }[]): Promise<void> {
  const rows = refused.filter((r) => r.problem.code === 'insufficient_stock').flatMap(({ order, problem }) => {
    const short = new Set((problem.extra['missing'] as { line: number }[] | undefined ?? []).map((m) => order.lines.find((l) => l.lineNo === m.line)?.skuId));
    const wanted = new Map<number, number>();
    for (const { skuId, quantity } of order.lines) if (skuId !== null && short.has(skuId)) wanted.set(skuId, (wanted.get(skuId) ?? 0) + quantity);
    return [...wanted].map(([skuId, quantity]) => ({ order, skuId, quantity }));
  });
  if (rows.length === 0) return;
  const key = (r: (typeof rows)[number]): string => `${r.order.channel.id}|${r.order.intake.externalId}|${r.skuId}`;
  rows.sort((a, b) => (key(a) < key(b) ? -1 : 1));
  await client.query({
    name: 'refused_demand_note',
    text: `insert into refused_demand (order_id, channel_id, external_id, sku_id, quantity, location_id, country, region, at)
      select * from unnest($1::uuid[], $2::smallint[], $3::text[], $4::int[], $5::int[], $6::int[], $7::text[], $8::text[], $9::timestamptz[]) on conflict do nothing`,
    values: [rows.map((r) => r.order.id), rows.map((r) => r.order.channel.id), rows.map((r) => r.order.intake.externalId), rows.map((r) => r.skuId), rows.map((r) => r.quantity),
      rows.map((r) => r.order.locationId), rows.map((r) => r.order.destination.country), rows.map((r) => r.order.destination.province), rows.map((r) => r.order.orderedAt)],
  });
}

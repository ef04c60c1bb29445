import type { SeenOrder } from '../../domain/channel/seen-order.ts';
import type { Channel } from '../network.ts';
import type { Tx } from '../tx.ts';
import type { LineMap } from './intake.ts';
import { markPutBack } from './listings.ts';
import { wakeChannels } from './wake.ts';

/** Adds to the units that the listings' platform has sold (less, where it has put them back). */
async function countSold(tx: Tx, channelId: number, units: readonly { listing: string; units: number }[]): Promise<void> {
  const sums = new Map<string, number>();
  for (const u of units) sums.set(u.listing, (sums.get(u.listing) ?? 0) + u.units);
  const sorted = [...sums].sort(([a], [b]) => (a < b ? -1 : 1));
  await tx.query('update listings l set sold = sold + t.n from unnest($1::text[], $2::bigint[]) as t(s, n) where l.channel_id = $3 and l.platform_sku = t.s', [sorted.map(([s]) => s), sorted.map(([, n]) => n), channelId]);
}

/** An order's units are sold of their listings, in the transaction that notes which order it became. What the platform takes with the payment only counts with it. */
export const countCaptured = (tx: Tx, channelId: number, map: readonly LineMap[]): Promise<void> => countSold(tx, channelId, map.filter((m) => m.untaken !== true));

/** The order is paid: what the platform takes with the payment it has taken. Once, whoever comes again. */
export async function countPaid(tx: Tx, channelId: number, seen: SeenOrder): Promise<void> {
  const [row] = await tx.query<{ lines: LineMap[] }>('select lines from channel_orders where channel_id = $1 and external_id = $2 for no key update', [channelId, seen.externalId]);
  const untaken = row?.lines.filter((m) => m.untaken === true) ?? [];
  if (untaken.length === 0) return;
  const left = new Map(seen.lines.map((l) => [l.lineId, l.quantity - l.cancelled]));
  await tx.query('update channel_orders set lines = $3 where channel_id = $1 and external_id = $2', [channelId, seen.externalId, JSON.stringify(row?.lines.map(({ untaken: _, ...m }) => m))]);
  await countSold(tx, channelId, untaken.map((m) => ({ listing: m.listing, units: Math.min(m.units, left.get(m.lineId) ?? m.units) })));
}

/**
 * The platform has units of an order in its figure again: they are no more sold, and where we had freed them before it shows them twice until it is told. `units`: all of a line that are back, or (`more`) those that are back
 * besides. What was counted is kept: once, whoever comes again.
 */
export async function countPutBack(tx: Tx, channel: Channel, externalId: string, units: ReadonlyMap<string, number>, more: boolean): Promise<void> {
  const [row] = await tx.query<{ lines: LineMap[]; put_back: Record<string, number> | null }>('select lines, put_back from channel_orders where channel_id = $1 and external_id = $2 for no key update', [channel.id, externalId]);
  const had = row?.put_back ?? {};
  const back = row?.lines.filter((m) => m.untaken !== true).flatMap((m) => {
    const before = had[m.lineId] ?? 0;
    const now = Math.min(m.units, (units.get(m.lineId) ?? 0) + (more ? before : 0));
    return now > before ? [{ lineId: m.lineId, listing: m.listing, units: before - now, now }] : [];
  }) ?? [];
  if (back.length === 0) return;
  await tx.query('update channel_orders set put_back = $3 where channel_id = $1 and external_id = $2', [channel.id, externalId, JSON.stringify({ ...had, ...Object.fromEntries(back.map((b) => [b.lineId, b.now])) })]);
  await countSold(tx, channel.id, back);
  await markPutBack(tx.client, channel.id, back.map((b) => b.listing), tx.now);
  await wakeChannels(tx.client, [channel.code], tx.now);
}

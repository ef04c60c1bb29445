import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import type { Network } from '../network.ts';
import { inTransaction } from '../transaction.ts';
import { markThose } from './listings.ts';
import { wakeChannels } from './wake.ts';

export type PublishSettings = { mode: 'on' | 'zero' | 'stopped'; sharePercent: number; buffer: number; cap: number | null; urgentBelow: number };

/** How much of the stock a shop is told, for all its SKUs (`sku` null) or one. What it concerns is told anew at once. Throws `unknown_sku`. */
export async function putPublishRule(pool: pg.Pool, network: Network, channel: { id: number; code: string }, sku: string | null, rule: PublishSettings, now: Date): Promise<void> {
  if (sku !== null) await network.loadSkus([sku]);
  const known = sku === null ? null : network.knownSku(sku);
  if (known === undefined) throw new Problem('unknown_sku', `SKU "${sku ?? ''}" is not known`, '/sku');
  await change(pool, channel, now, { sku: known?.id ?? null }, rule.mode, (client) => client.query(
    `insert into publish_rules (channel_id, sku_id, mode, share_percent, buffer, cap, urgent_below) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (channel_id, sku_id) do update set mode = excluded.mode, share_percent = excluded.share_percent, buffer = excluded.buffer, cap = excluded.cap, urgent_below = excluded.urgent_below`,
    [channel.id, known?.id ?? 0, rule.mode, rule.sharePercent, rule.buffer, rule.cap, rule.urgentBelow]));
}

/** The switch of one listing. Throws `not_found`. */
export async function switchListing(pool: pg.Pool, channel: { id: number; code: string }, platformSku: string, mode: PublishSettings['mode'], now: Date): Promise<void> {
  await change(pool, channel, now, { listing: platformSku }, mode, async (client) => {
    const { rowCount } = await client.query('update listings set publish = $3 where channel_id = $1 and platform_sku = $2', [channel.id, platformSku, mode]);
    if (rowCount === 0) throw new Problem('not_found', `listing "${platformSku}" is not known in this shop`);
  });
}

/** What it concerns is told anew; what is to be sold no more at once, before anything else that waits. */
async function change(pool: pg.Pool, channel: { id: number; code: string }, now: Date, of: Parameters<typeof markThose>[2], mode: PublishSettings['mode'], run: (client: pg.ClientBase) => Promise<unknown>): Promise<void> {
  await inTransaction(pool, async (client) => {
    await run(client);
    await markThose(client, channel.id, of, now, mode === 'zero');
    await wakeChannels(client, [channel.code], now);
  });
}

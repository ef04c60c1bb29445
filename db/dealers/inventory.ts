import type pg from 'pg';
import { csvRow } from '../../domain/dealer/values.ts';
import { listingStock, sellableNow } from '../channels/publish.ts';
import type { Channel, Network } from '../network.ts';
import type { StockProjection } from '../projection.ts';

const PAGE = 1000;

/** What a dealer may order now, as CSV: its number, ours where the listing is one SKU, units by the publishing rules. Stopped listings are left out, zeroed ones stand there with 0. */
export async function inventoryOf(pool: pg.Pool, network: Network, projection: StockProjection, channel: Channel, now: Date): Promise<string> {
  const out = ['\uFEFF', csvRow(['sku', 'ourSku', 'quantity', 'at'])];
  for (let after = 0; ;) {
    const page = await listingStock(pool, channel.id, after, PAGE);
    const open = page.filter((l) => l.rule.mode !== 'stopped');
    const units = await sellableNow(pool, network, projection, channel, open, now);
    const skus = await network.skusById(open.flatMap((l) => l.components.map((c) => c.skuId)));
    for (const [i, l] of open.entries()) out.push(csvRow([l.platformSku, l.components.length === 1 ? skus.get(l.components[0]?.skuId ?? 0)?.code ?? null : null, units[i] ?? 0, now.toISOString()]));
    if (page.length < PAGE) return out.join('');
    after = page.at(-1)?.id ?? after;
  }
}

import { Problem } from '../../domain/problem.ts';
import type { Channel } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import { queueReport } from './reports.ts';

/** Notes a decision on a platform's after-sale, to be told once. The same one again changes nothing. Throws `not_found`, `conflict` for another one, `unprocessable` where the platform takes none. */
export async function decideAfterSale(
  writer: StockWriter, channel: Channel, decides: boolean, decision: { externalId: string; afterSaleId: string; approved: boolean; reason: string },
): Promise<void> {
  if (!decides) throw new Problem('unprocessable', `platform "${channel.platform}" takes no decision on after-sales by API: decide there`);
  await writer.change(async (tx) => {
    const order = await tx.one<{ order_id: string | null }>('select order_id from channel_orders where channel_id = $1 and external_id = $2', [channel.id, decision.externalId]);
    if (!order?.order_id) throw new Problem('not_found', `the shop's order "${decision.externalId}" is not known`, '/externalId');
    const key = `after-sale:${decision.afterSaleId}`;
    await queueReport(tx, channel, order.order_id, { kind: 'after_sale', key, body: decision });
    const known = await tx.one<{ approved: boolean }>(`select (body ->> 'approved')::boolean approved from channel_reports where channel_id = $1 and key = $2`, [channel.id, key]);
    if (known?.approved !== decision.approved) throw new Problem('conflict', `this after-sale was ${known?.approved ? 'agreed to' : 'refused'} before`, '/approved');
  });
}

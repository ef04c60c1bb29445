import { Problem } from '../../domain/problem.ts';
import type { Channel } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import { queueReport } from './reports.ts';

type Told = { key: string; done: boolean; claim: number | null };

/**
 * Notes a decision on a platform's after-sale, to be told once. The same one again changes nothing. An after-sale that is asked for anew after a decision was told (the buyer has changed what they ask for) is decided anew. Throws
 * `not_found`, `conflict` for another decision on the same request, `unprocessable` where the platform takes none.
 */
export async function decideAfterSale(
  writer: StockWriter, channel: Channel, decides: boolean, decision: { externalId: string; afterSaleId: string; approved: boolean; reason: string },
): Promise<void> {
  if (!decides) throw new Problem('unprocessable', `platform "${channel.platform}" takes no decision on after-sales by API: decide there`);
  await writer.change(async (tx) => {
    const order = await tx.one<{ order_id: string | null; claim: number | null }>(
      `select order_id, (applied -> 'claims' ->> $3)::float8 claim from channel_orders where channel_id = $1 and external_id = $2`, [channel.id, decision.externalId, decision.afterSaleId]);
    if (!order?.order_id) throw new Problem('not_found', `the shop's order "${decision.externalId}" is not known`, '/externalId');
    const last = await tx.one<Told>(
      `select key, done_at is not null done, (body ->> 'claim')::float8 claim from channel_reports
       where order_id = $1 and channel_id = $2 and kind = 'after_sale' and body ->> 'afterSaleId' = $3 order by id desc limit 1`, [order.order_id, channel.id, decision.afterSaleId]);
    const key = keyOf(decision.afterSaleId, last, order.claim);
    await queueReport(tx, channel, order.order_id, { kind: 'after_sale', key, body: { ...decision, claim: order.claim } });
    const known = await tx.one<{ approved: boolean }>(`select (body ->> 'approved')::boolean approved from channel_reports where channel_id = $1 and key = $2`, [channel.id, key]);
    if (known?.approved !== decision.approved) throw new Problem('conflict', `this after-sale was ${known?.approved ? 'agreed to' : 'refused'} before`, '/approved');
  });
}

/** `claim`: the request as it stands. One that is younger than the last decision that was told is another one. */
function keyOf(afterSaleId: string, last: Told | null, claim: number | null): string {
  if (last === null) return `after-sale:${afterSaleId}`;
  return last.done && claim !== null && claim > (last.claim ?? 0) ? `after-sale:${afterSaleId}:${claim}` : last.key;
}

import { Problem } from '../../../domain/problem.ts';
import type { Network } from '../../network.ts';
import type { Tx } from '../../tx.ts';
import { deriveOrder } from '../derive-order.ts';
import { lockOrder, readLines } from '../order.ts';

/** 补发: sends units again at no charge, as an order of its own; for what was lost, damaged or forgotten. Only what has left can be resent. */
export async function resendOrder(tx: Tx, network: Network, orderId: string, wanted: readonly { line: number; quantity: number }[], reason: string, actor: string): Promise<string> {
  const order = await lockOrder(tx, orderId);
  const lines = await readLines(tx.client, orderId);
  const asked = new Map<number, number>();
  const chosen = wanted.map(({ line, quantity }, i) => {
    const l = lines.find((x) => x.lineNo === line);
    if (!l?.skuId) throw new Problem('unprocessable', `the order has no line ${line} that could be resent`, `/params/lines/${i}/line`);
    asked.set(line, (asked.get(line) ?? 0) + quantity);
    if ((asked.get(line) ?? 0) > l.issued) throw new Problem('conflict', `${l.issued} units of line ${line} have left; more cannot be resent`, `/params/lines/${i}/quantity`);
    return { skuId: l.skuId, skuCode: l.skuCode, quantity };
  });
  const before = await tx.one<{ n: number }>(`select count(*) n from order_events where order_id = $1 and type = 'order.resend_ordered'`, [orderId]);
  const id = await deriveOrder(tx, order, `R${(before?.n ?? 0) + 1}`, chosen, network.channelById.get(order.channelId)?.backorderWindowS ?? 604_800, actor);
  await tx.event(orderId, 'order.resend_ordered', actor, { reason, lines: wanted });
  return id;
}

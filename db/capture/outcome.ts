import type { CaptureAnswer } from '../../domain/order/intake.ts';
import { Problem } from '../../domain/problem.ts';
import type { Decision } from './decide.ts';
import type { PreparedOrder } from './prepare.ts';

/** What became of one capture: the answer (`repeated` when the order was there before) or the problem to refuse it with. */
export type CaptureOutcome = { answer: CaptureAnswer; repeated: boolean } | { problem: Problem; /** it must be priced again: a promotion has changed */ stale?: boolean };

/** Strict channels refuse what cannot be served whole; and nobody gets an order at a price that does not hold. */
export function refusal(order: PreparedOrder, decision: Decision): Problem | null {
  if (order.promotions?.refused) return order.promotions.refused;
  // What a shop lacks is sent to it.
  if (order.channel.intakeMode !== 'strict' || decision.missing.length === 0 || order.pickup?.way === 'ship_to_store') return null;
  const first = decision.missing[0] as Decision['missing'][number];
  const line = order.lines[first.lineNo - 1];
  const ordered = line?.bundle?.line ?? first.lineNo;
  if (line?.given) return new Problem('insufficient_stock', `the gift "${first.skuCode}" of promotion "${line.given.code}" lacks ${first.quantity}`, null, { promotion: line.given.promotion });
  return new Problem('insufficient_stock', `SKU "${first.skuCode}" lacks ${first.quantity}; this channel takes only what is in stock`,
    `/lines/${ordered - 1}/quantity`, { missing: decision.missing.map((m) => ({ line: m.lineNo, sku: m.skuCode, quantity: m.quantity })) });
}

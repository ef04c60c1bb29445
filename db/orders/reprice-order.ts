import { explodeBundles, type StockedLine } from '../../domain/order/bundles.ts';
import type { OrderIntake } from '../../domain/order/intake.ts';
import { isPaymentDue } from '../../domain/order/payment.ts';
import { priceOrder, PricingError, type PricedOrder } from '../../domain/order/pricing.ts';
import { Problem } from '../../domain/problem.ts';
import { canonical, componentsOf } from '../capture/prepare.ts';
import type { Network } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import { lockChangeable, recheck } from './operate/guard.ts';
import { readLines, type OrderLine } from './order.ts';

/** What an order costs now, as an intake says it; its lines in the order in which they were captured. */
export type NewPrices = Pick<OrderIntake, 'lines' | 'discounts' | 'freight'>;

/**
 * Gives an order that is not paid yet other prices: the amounts of its lines and of the whole, made as at its capture; it is checked anew. The same prices again change nothing. `pricesOf` is told the SKU that was
 * ordered on each line. Throws `conflict` where it is too late (paid, over, at a location), or where the lines are not those that were captured.
 */
export async function repriceOrder(writer: StockWriter, network: Network, orderId: string, pricesOf: (skus: ReadonlyMap<number, string>) => NewPrices, actor: string): Promise<void> {
  await network.loadSkus([...orderedSkus(await readLines(writer.pool, orderId)).values()]);
  await writer.change(async (tx) => {
    const order = await lockChangeable(tx, orderId);
    const head = await tx.one<{ ours: boolean }>('select priced_here or exists (select from order_lines where order_id = $1 and merged_from is not null) ours from orders where id = $1', [orderId]);
    if (head?.ours) throw new Problem('conflict', 'the order was priced here or merged with others: its price does not follow its platform');
    const lines = await readLines(tx.client, orderId);
    const { whole, parts } = price(order.currency, pricesOf(orderedSkus(lines)), network);
    const before = new Map(lines.map((l) => [l.lineNo, l]));
    const isPart = ({ sku, priced }: StockedLine): boolean => { const l = before.get(priced.lineNo); return l?.skuCode === sku && l.quantity === priced.quantity; };
    // What else it has was given by us, and costs nothing.
    const priced = new Set(parts.map((p) => p.priced.lineNo));
    if (!parts.every(isPart) || lines.some((l) => !priced.has(l.lineNo) && l.priced.listAmount > 0)) throw new Problem('conflict', 'the lines of the order are not those that were captured: its price cannot follow its platform');
    if (parts.every((p) => canonical(p.priced) === canonical(before.get(p.priced.lineNo)?.priced))) return;
    if (!isPaymentDue(order.paymentStatus) || order.paymentStatus === 'deposit') throw new Problem('conflict', `the payment of the order is ${order.paymentStatus}: its price can no longer change`);
    for (const { priced: p } of parts) {
      await tx.query(
        'update order_lines set unit_price = $3, list_amount = $4, discount_amount = $5, freight_share = $6, net_amount = $7, discounts = $8 where order_id = $1 and line_no = $2',
        [orderId, p.lineNo, p.unitPrice, p.listAmount, p.discountAmount, p.freightShare, p.netAmount, p.discounts.length > 0 ? JSON.stringify(p.discounts) : null]);
    }
    await tx.query('update orders set list_amount = $2, discount_amount = $3, freight_amount = $4, total_amount = $5 where id = $1', [orderId, whole.listAmount, whole.discountAmount, whole.freight, whole.total]);
    await recheck(tx, order, 'order.repriced', actor, { from: order.total, to: whole.total });
  });
}

/** The SKUs that were ordered, by line: a bundle where its first component stands. */
function orderedSkus(lines: readonly OrderLine[]): Map<number, string> {
  return new Map(lines.flatMap((l) => (l.bundle === null ? [[l.lineNo, l.skuCode] as const] : l.bundle.line === l.lineNo ? [[l.lineNo, l.bundle.sku] as const] : [])));
}

function price(currency: string, now: NewPrices, network: Network): { whole: PricedOrder; parts: StockedLine[] } {
  try {
    const whole = priceOrder({
      currency, discounts: now.discounts ?? [], freight: now.freight ?? 0, lines: now.lines.map((l, i) => ({ lineNo: i + 1, quantity: l.quantity, unitPrice: l.unitPrice ?? 0, discounts: l.discounts ?? [] })),
    });
    return { whole, parts: explodeBundles(whole.lines.map((priced, i) => ({ sku: now.lines[i]?.sku ?? '', gift: false, priced })), (code) => componentsOf(network, code)) };
  } catch (error) {
    if (error instanceof PricingError) throw new Problem('unprocessable', error.message, error.field);
    throw error;
  }
}

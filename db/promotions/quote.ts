import type { OrderIntake, PromotionsAnswer } from '../../domain/order/intake.ts';
import { Problem } from '../../domain/problem.ts';
import { prepareOrder } from '../capture/prepare.ts';
import type { Store } from '../store.ts';
import { readPromotionFacts } from './facts.ts';

/** A cart: an order without what a price does not need. */
export type Cart = Pick<OrderIntake, 'channel' | 'currency' | 'lines' | 'discounts' | 'freight' | 'coupons' | 'staff' | 'buyer'>;
/** Money in minor units. `problem`: why an order like this would be refused. */
export type CartQuote = {
  currency: string; list: number; discount: number; freight: number; total: number; at: string;
  lines: { line: number; sku: string; quantity: number; unitPrice: number; list: number; discount: number; freight: number; net: number; gift: boolean; discounts: { bearer: string; code: string; amount: number; promotion?: string }[] }[];
  promotions: Omit<PromotionsAnswer, 'dropped'>; problem: { code: string; detail: string; field: string | null } | null;
};

/** What a cart costs now, with the promotions that are live; nothing is taken or reserved, and stock is not looked at. Throws Problem as a capture does before it reaches the database. */
export async function quoteCart(store: Store, cart: Cart): Promise<CartQuote> {
  const { network, vault, writer } = store;
  const now = writer.clock();
  const place = { name: '-', phone: '', country: 'ZZ', province: '-', city: '-', street: '-' };
  const intake: OrderIntake = { ...cart, externalId: '-', payment: { status: 'paid' }, shipTo: place, promotions: 'apply' };
  await network.loadSkus(cart.lines.map((l) => l.sku));
  const facts = await readPromotionFacts(store, intake, now);
  const order = prepareOrder(intake, network, vault, now, { apiKeyId: 0, idempotencyKey: null, actor: 'quote', locationId: null }, facts);
  const { promotions } = order;
  if (!promotions) throw new Error('unreachable: a quote is priced here');
  const first: Problem | null = promotions.refused ?? usedCoupon(facts?.coupons ?? []);
  return {
    currency: intake.currency, list: order.list, discount: order.discount, freight: order.freight, total: order.total, at: now.toISOString(),
    lines: order.lines.map((l) => ({
      line: l.lineNo, sku: l.skuCode, quantity: l.quantity, unitPrice: l.priced.unitPrice, list: l.priced.listAmount, discount: l.priced.discountAmount, freight: l.priced.freightShare, net: l.priced.netAmount,
      gift: l.gift, discounts: l.priced.discounts,
    })),
    promotions: {
      applied: promotions.applied, unused: promotions.unused,
      gifts: order.lines.flatMap((l) => (l.given ? [{ line: l.lineNo, sku: l.skuCode, quantity: l.quantity, promotion: l.given.promotion, code: l.given.code }] : [])),
    },
    problem: first && { code: first.code, detail: first.message, field: first.field },
  };
}

/** A capture finds this out under the coupon's lock. */
function usedCoupon(coupons: readonly ({ status: string } | null)[]): Problem | null {
  const index = coupons.findIndex((c) => c?.status === 'used');
  return index < 0 ? null : new Problem('conflict', 'this coupon is used: another order was first', `/coupons/${index}`);
}

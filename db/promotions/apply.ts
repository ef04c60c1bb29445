import { encodeId } from '../../domain/ids.ts';
import type { OrderIntake, PromotionsAnswer } from '../../domain/order/intake.ts';
import type { PricedDiscount } from '../../domain/order/pricing.ts';
import { Problem } from '../../domain/problem.ts';
import { discountsByLine, evaluate } from '../../domain/promotion/evaluate.ts';
import type { Promotion } from '../../domain/promotion/model.ts';
import type { CartLine } from '../../domain/promotion/select.ts';
import type { Channel, Network } from '../network.ts';
import type { FactCoupon, PromotionFacts } from './facts.ts';

export type GiftLine = { sku: string; quantity: number; promotion: string; code: string; outOfStock: 'drop' | 'refuse' };
/** What an order takes of one promotion. */
export type Redemption = { promotion: Promotion; units: number; amount: number; couponId: string | null };
/** `refused`: why the order cannot be had like this; kept until it is known that it was not captured before. `gifts` of the answer are filled in once their lines have numbers. */
export type PromotedOrder = {
  unitPrices: number[]; discounts: PricedDiscount[][]; gifts: GiftLine[]; redemptions: Redemption[]; applied: PromotionsAnswer['applied']; unused: PromotionsAnswer['unused'];
  staffId: number | null; refused: Problem | null;
};

const outside = (uuid: string): string => encodeId('prm', uuid);

/** Prices an order by the price book and the promotions that are live at a moment. Pure but for what it is given. */
export function promote(intake: OrderIntake, channel: Channel, network: Network, facts: PromotionFacts, at: Date): PromotedOrder {
  let refused: Problem | null = null;
  const refuse = (problem: Problem): void => { refused ??= problem; };
  const unitPrices = intake.lines.map((l, i) => {
    const price = l.unitPrice ?? facts.prices.get(l.sku)?.price;
    if (price === undefined) refuse(new Problem('unprocessable', `the price book has no price of SKU "${l.sku}" for channel ${channel.code}: give the line its unitPrice, or put the price (PUT /v1/prices)`, `/lines/${i}/unitPrice`));
    return price ?? 0;
  });
  if (intake.staff && !facts.staff) refuse(new Problem('unprocessable', 'nobody of the staff has this number', '/staff/id'));
  const usable = couponsOf(facts, refuse);
  const lines = intake.lines.flatMap((l, i): CartLine[] => (l.gift === true ? [] : [{
    lineNo: i + 1, sku: l.sku, category: network.knownSku(l.sku)?.category ?? null, quantity: l.quantity, unitPrice: netUnit(intake, i, unitPrices[i] as number), floor: facts.prices.get(l.sku)?.floor ?? null,
  }]));
  const result = evaluate({
    channel: channel.code, currency: intake.currency, at: at.getTime(), priced: facts.priced, lines, staffGroup: facts.staff?.group ?? null, known: facts.known, coupons: new Set(usable.keys()),
  }, [...new Set([...facts.candidates, ...[...usable.keys()].flatMap((id) => network.promotions.byId.get(id) ?? [])])], network.promotions.matrix, facts.used);
  const unused: PromotionsAnswer['unused'] = [];
  for (const { promotion, reason, excluded } of result.lost) {
    const index = usable.get(promotion)?.index ?? 0;
    if (excluded) unused.push({ coupon: index, promotion: outside(promotion), reason });
    else refuse(new Problem('unprocessable', `this coupon cannot be used: ${reason}`, `/coupons/${index}`, { promotion: outside(promotion) }));
  }
  for (const [id, { index }] of usable) {
    if (result.lost.some((l) => l.promotion === id) || result.applied.some((a) => a.promotion.id === id)) continue;
    refuse(new Problem('unprocessable', 'this coupon cannot be used: its promotion is over, has not begun, or is not for these lines', `/coupons/${index}`, { promotion: outside(id) }));
  }
  const byLine = discountsByLine(result.applied, outside);
  const gifts = result.gifts.map((g): GiftLine => ({ sku: g.sku, quantity: g.quantity, promotion: outside(g.promotion.id), code: g.promotion.code, outOfStock: channel.intakeMode === 'strict' ? g.outOfStock : 'drop' }));
  const givers = [...new Set(result.gifts.map((g) => g.promotion))];
  return {
    unitPrices, discounts: intake.lines.map((l, i) => [...l.discounts ?? [], ...byLine.get(i + 1) ?? []]), gifts,
    redemptions: [
      ...result.applied.map((a) => ({ promotion: a.promotion, units: a.units, amount: a.amount, couponId: usable.get(a.promotion.id)?.coupon.id ?? null })),
      ...givers.map((p) => ({ promotion: p, units: result.gifts.filter((g) => g.promotion === p).reduce((sum, g) => sum + g.quantity, 0), amount: 0, couponId: null })),
    ],
    applied: result.applied.map((a) => ({
      promotion: outside(a.promotion.id), code: a.promotion.code, kind: a.promotion.kind, bearer: a.promotion.bearer, amount: a.amount, units: a.units, lines: a.lines.map((l) => ({ line: l.lineNo, amount: l.amount })),
    })),
    unused, staffId: facts.staff?.id ?? null, refused,
  };
}

/** A line that comes with discounts of its own is promoted on what is left of a unit. */
function netUnit(intake: OrderIntake, i: number, unitPrice: number): number {
  const { quantity, discounts = [] } = intake.lines[i] as OrderIntake['lines'][number];
  return Math.max(0, Math.floor((unitPrice * quantity - discounts.reduce((sum, d) => sum + d.amount, 0)) / quantity));
}

/** Coupons that may be used, by promotion, with their place in the order. One that is used already is found out under its lock: it may have been this very order. */
function couponsOf(facts: PromotionFacts, refuse: (problem: Problem) => void): Map<string, { coupon: FactCoupon; index: number }> {
  const usable = new Map<string, { coupon: FactCoupon; index: number }>();
  facts.coupons.forEach((coupon, index) => {
    const no = (detail: string, code: 'unprocessable' | 'conflict' = 'unprocessable'): void => refuse(new Problem(code, detail, `/coupons/${index}`));
    if (!coupon) return no('there is no such coupon: check how it is written');
    if (coupon.status === 'revoked' || coupon.status === 'lapsed') return no(`this coupon is ${coupon.status}`, 'conflict');
    if (coupon.personId !== null && coupon.personId !== facts.personId) return no('this coupon was issued to somebody else: name the buyer by the phone or e-mail it was issued to');
    if (usable.has(coupon.promotionId)) return no('one coupon of a promotion an order');
    usable.set(coupon.promotionId, { coupon, index });
  });
  return usable;
}

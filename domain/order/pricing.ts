import { allocate } from '../money.ts';

export type Bearer = 'platform' | 'shop' | 'influencer' | 'brand';
/** `promotion`: outside id of the promotion that gave it, where one of ours did. */
export type PricedDiscount = { bearer: Bearer; code: string; amount: number; promotion?: string };
export type PriceInput = {
  currency: string;
  lines: { lineNo: number; quantity: number; unitPrice: number; discounts: PricedDiscount[] }[];
  /** of the whole order, spread over the lines by their value after line discounts */
  discounts: PricedDiscount[];
  /** spread over the lines by what they cost after all discounts */
  freight: number;
};
/** Frozen at capture; refunds draw from it. `netAmount` = list − discounts + freight share. */
export type PricedLine = {
  lineNo: number; quantity: number; unitPrice: number; listAmount: number; discounts: PricedDiscount[]; discountAmount: number; freightShare: number; netAmount: number;
};
export type PricedOrder = { lines: PricedLine[]; listAmount: number; discountAmount: number; freight: number; total: number };

/** `field` is a JSON pointer into the order. */
export class PricingError extends Error {
  readonly field: string;
  constructor(field: string, message: string) {
    super(message);
    this.name = 'PricingError';
    this.field = field;
  }
}

/** Prices an order in minor units: exact, each discount by bearer, sums of the lines equal to the whole. Throws PricingError. */
export function priceOrder(input: PriceInput): PricedOrder {
  const lines: PricedLine[] = [];
  let list = 0;
  for (let i = 0; i < input.lines.length; i++) {
    const line = input.lines[i] as PriceInput['lines'][number];
    const listAmount = line.quantity * line.unitPrice;
    check(listAmount, `/lines/${i}/unitPrice`);
    let discountAmount = 0;
    for (let d = 0; d < line.discounts.length; d++) {
      const { amount } = line.discounts[d] as PricedDiscount;
      check(amount, `/lines/${i}/discounts/${d}/amount`);
      discountAmount += amount;
    }
    if (discountAmount > listAmount) throw new PricingError(`/lines/${i}/discounts`, `the discounts of this line (${discountAmount}) exceed its price (${listAmount})`);
    list += listAmount;
    lines.push({ lineNo: line.lineNo, quantity: line.quantity, unitPrice: line.unitPrice, listAmount, discounts: line.discounts, discountAmount, freightShare: 0, netAmount: listAmount - discountAmount });
  }
  check(list, '/lines');
  if (input.discounts.length > 0) spreadDiscounts(lines, input.discounts);
  check(input.freight, '/freight');
  if (input.freight > 0) {
    const shares = allocate(input.freight, lines.map((l) => l.netAmount));
    lines.forEach((line, i) => {
      line.freightShare = shares[i] as number;
      line.netAmount += line.freightShare;
    });
  }
  let discount = 0;
  let total = 0;
  for (const line of lines) {
    discount += line.discountAmount;
    total += line.netAmount;
  }
  check(total, '/lines');
  return { lines, listAmount: list, discountAmount: discount, freight: input.freight, total };
}

function spreadDiscounts(lines: PricedLine[], discounts: readonly PricedDiscount[]): void {
  for (let d = 0; d < discounts.length; d++) {
    const discount = discounts[d] as PricedDiscount;
    check(discount.amount, `/discounts/${d}/amount`);
    const value = lines.reduce((sum, l) => sum + l.netAmount, 0);
    if (discount.amount > value) throw new PricingError(`/discounts/${d}/amount`, `this discount (${discount.amount}) exceeds what is left of the order (${value})`);
    const shares = allocate(discount.amount, lines.map((l) => l.netAmount));
    lines.forEach((line, i) => {
      const amount = shares[i] as number;
      if (amount === 0) return;
      line.discounts = [...line.discounts, { ...discount, amount }];
      line.discountAmount += amount;
      line.netAmount -= amount;
    });
  }
}

function check(value: number, field: string): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new PricingError(field, 'amounts are whole minor units from 0, and their products must stay exact');
}

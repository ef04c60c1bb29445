/** A line of the transactions file, as text. Amounts are dollars. */
export type RawLine = { household_id: string; store_id: string; basket_id: string; product_id: string; quantity: string; sales_value: string; retail_disc: string; coupon_disc: string; coupon_match_disc: string; week: string; transaction_timestamp: string };
export type CleanLine = { product: string; quantity: number; /** cents */ list: number; shopDiscount: number; brandDiscount: number };
export type BadReason = 'quantity is no number' | 'quantity 0' | 'quantity over 1,000 (fuel by the fluid ounce)' | 'no sales value' | 'discount negative or no number' | 'coupons exceed the price' | 'product not in the product list';

/** Dollars to cents, exact for what the file holds (at most two decimals, some written as 0.1 + 0.2 would be). */
const cents = (text: string): number => Math.round(Number(text) * 100);

/**
 * One line made an order line, or the reason why not. List price = sales value + what the retailer took off (loyalty card, matched coupon); the
 * manufacturer's coupon is the brand's discount. So the buyer pays sales value − coupon, to the cent.
 */
export function cleanLine(raw: RawLine, known: (product: string) => boolean): CleanLine | { bad: BadReason } {
  const quantity = Number(raw.quantity);
  if (!Number.isInteger(quantity) || quantity < 0) return { bad: 'quantity is no number' };
  if (quantity === 0) return { bad: 'quantity 0' };
  if (quantity > 1_000) return { bad: 'quantity over 1,000 (fuel by the fluid ounce)' };
  const sales = cents(raw.sales_value);
  if (!Number.isFinite(sales) || sales <= 0) return { bad: 'no sales value' };
  if (!known(raw.product_id)) return { bad: 'product not in the product list' };
  const [retail, matched, brandDiscount] = [cents(raw.retail_disc), cents(raw.coupon_match_disc), cents(raw.coupon_disc)];
  if (![retail, matched, brandDiscount].every((discount) => discount >= 0)) return { bad: 'discount negative or no number' };
  const shopDiscount = retail + matched;
  if (brandDiscount > sales) return { bad: 'coupons exceed the price' };
  return { product: raw.product_id, quantity, list: sales + shopDiscount, shopDiscount, brandDiscount };
}

/** What the buyer pays for a line, in cents. */
export const payable = (line: CleanLine): number => line.list - line.shopDiscount - line.brandDiscount;

/** The same product twice in a basket is one line. */
export function mergeLine(into: CleanLine, line: CleanLine): void {
  into.quantity += line.quantity;
  into.list += line.list;
  into.shopDiscount += line.shopDiscount;
  into.brandDiscount += line.brandDiscount;
}

export type OrderLine = { sku: string; quantity: number; unitPrice: number; discounts?: { bearer: 'shop' | 'brand'; code: string; amount: number }[] };

/** Unit price rounded up to whole cents; what that adds is taken off again as a discount of the shop, so the line's total is exact. */
export function toOrderLine(line: CleanLine): OrderLine {
  const unitPrice = Math.ceil(line.list / line.quantity);
  const rounding = unitPrice * line.quantity - line.list;
  const discounts = [
    { bearer: 'shop' as const, code: 'LOYALTY', amount: line.shopDiscount }, { bearer: 'brand' as const, code: 'COUPON', amount: line.brandDiscount },
    { bearer: 'shop' as const, code: 'ROUNDING', amount: rounding },
  ].filter((d) => d.amount > 0);
  return { sku: `P-${line.product}`, quantity: line.quantity, unitPrice, ...(discounts.length > 0 ? { discounts } : {}) };
}

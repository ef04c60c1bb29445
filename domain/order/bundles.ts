import { allocate, roundHalfUp } from '../money.ts';
import { PricingError, type PricedLine } from './pricing.ts';

/** `quantity`: units in one bundle; `priceShare`: a weight, given for all components of a bundle or for none; `cost` of one unit in minor units. */
export type BundleComponent = { sku: string; quantity: number; priceShare: number | null; cost: number | null };
/** A line as it was ordered: its money covers `quantity` units of `sku`. */
export type OrderedLine = { sku: string; gift: boolean; priced: PricedLine };
/** `bundle`: the SKU and the line that were ordered, where this line is a component of it. */
export type StockedLine = OrderedLine & { bundle: { sku: string; line: number } | null };

const MOST_UNITS = 1_000_000;
const MOST_LINES = 2_000;

/**
 * Puts the components of bundles in the place of their lines. A line that is no bundle keeps its number, the first component of a bundle has the number of
 * the bundle's line, the others follow after the last line: so the numbers stay 1, 2, 3 … and what a client calls line 2 is line 2.
 * Throws PricingError where that makes more units or lines than an order may have.
 */
export function explodeBundles(lines: readonly OrderedLine[], componentsOf: (sku: string) => readonly BundleComponent[]): StockedLine[] {
  const out: StockedLine[] = [];
  const further: StockedLine[] = [];
  for (const [i, line] of lines.entries()) {
    const components = componentsOf(line.sku);
    if (components.length === 0) {
      out.push({ ...line, bundle: null });
      continue;
    }
    if (components.some((c) => c.quantity * line.priced.quantity > MOST_UNITS)) {
      throw new PricingError(`/lines/${i}/quantity`, `${line.priced.quantity} bundles "${line.sku}" are more than ${MOST_UNITS} units of a component: order fewer`);
    }
    const bundle = { sku: line.sku, line: line.priced.lineNo };
    for (const [n, priced] of dividePrice(line.priced, components).entries()) {
      const part = { sku: (components[n] as BundleComponent).sku, gift: line.gift, priced, bundle };
      if (n === 0) out.push(part);
      else further.push({ ...part, priced: { ...priced, lineNo: lines.length + further.length + 1 } });
    }
  }
  if (out.length + further.length > MOST_LINES) throw new PricingError('/lines', `the bundles make ${out.length + further.length} lines of components, ${MOST_LINES} are taken: send several orders`);
  return [...out, ...further];
}

/**
 * The money of a bundle's line by component, exact to the minor unit: price by weight, each discount by what is left of the price, so that no component is
 * discounted below nothing, freight by what remains to pay. `unitPrice` is rounded half up where a component's price does not divide by its units.
 */
export function dividePrice(line: PricedLine, components: readonly BundleComponent[]): PricedLine[] {
  const lists = allocate(line.listAmount, weightsOf(components));
  const parts = components.map((c, i): PricedLine => {
    const listAmount = lists[i] as number;
    const quantity = c.quantity * line.quantity;
    return { lineNo: line.lineNo, quantity, unitPrice: roundHalfUp(listAmount, quantity), listAmount, discounts: [], discountAmount: 0, freightShare: 0, netAmount: listAmount };
  });
  for (const discount of line.discounts) {
    for (const [i, amount] of allocate(discount.amount, parts.map((p) => p.netAmount)).entries()) {
      const part = parts[i] as PricedLine;
      if (amount === 0) continue;
      part.discounts = [...part.discounts, { ...discount, amount }];
      part.discountAmount += amount;
      part.netAmount -= amount;
    }
  }
  for (const [i, share] of allocate(line.freightShare, parts.map((p) => p.netAmount)).entries()) {
    const part = parts[i] as PricedLine;
    part.freightShare = share;
    part.netAmount += share;
  }
  return parts;
}

/** Price shares where they are given, else the cost of the units where it is known of all, else equal parts. */
function weightsOf(components: readonly BundleComponent[]): number[] {
  if (components.every((c) => c.priceShare !== null)) return components.map((c) => c.priceShare ?? 0);
  if (components.every((c) => c.cost !== null)) return components.map((c) => (c.cost ?? 0) * c.quantity);
  return components.map(() => 1);
}

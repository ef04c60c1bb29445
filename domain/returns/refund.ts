import { unitShareSum } from '../money.ts';
import type { Bearer, PricedLine } from '../order/pricing.ts';

export type Refund = { amount: number; list: number; freight: number; byBearer: Record<Bearer, number> };

/**
 * The refund for the next `units` units of a line after `alreadyRefundedUnits`, drawn from the shares frozen at capture (the first units bear the odd
 * minor units). Over any split of all units the amounts add up to the line's net exactly. `byBearer` is what each bearer gets back of its discount.
 * Throws RangeError when the line has not that many units left.
 */
export function refundForUnits(line: PricedLine, alreadyRefundedUnits: number, units: number, options: { freight: boolean }): Refund {
  if (!Number.isInteger(units) || units < 0 || alreadyRefundedUnits < 0 || alreadyRefundedUnits + units > line.quantity) {
    throw new RangeError(`line ${line.lineNo} has ${line.quantity - alreadyRefundedUnits} units left to refund, not ${units}`);
  }
  const share = (total: number): number => unitShareSum(total, line.quantity, alreadyRefundedUnits, units);
  const byBearer: Record<Bearer, number> = { platform: 0, shop: 0, influencer: 0, brand: 0 };
  let discounts = 0;
  for (const discount of line.discounts) {
    const part = share(discount.amount);
    byBearer[discount.bearer] += part;
    discounts += part;
  }
  const list = share(line.listAmount);
  const freight = options.freight ? share(line.freightShare) : 0;
  return { amount: list - discounts + freight, list, freight, byBearer };
}

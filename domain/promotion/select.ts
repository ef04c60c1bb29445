import { kindsPair, type Promotion, type Used } from './model.ts';

/** A line that is to be priced: `floor` from the price book; money in minor units of a unit. */
export type CartLine = { lineNo: number; sku: string; category: string | null; quantity: number; unitPrice: number; floor: number | null };
/** `at`: business time of the capture, ms since epoch; `priced`: we price the order, else its prices are facts and only gifts may be added; `known`: the customer is known by name, so limits can be counted. */
export type Cart = {
  channel: string; currency: string; at: number; priced: boolean; lines: readonly CartLine[]; staffGroup: string | null; known: boolean;
  /** promotions of which the customer has a coupon */
  coupons: ReadonlySet<string>;
};
export const NOTHING_USED: Used = { amount: 0, customerOrders: 0, customerUnits: 0, staffUnits: 0, poolLeft: null };

/** Why a promotion is not for this order; null when it is. What the lines bring is another matter. */
export function unfit(p: Promotion, cart: Cart, used: Used): string | null {
  if (p.currency !== cart.currency) return `it is in ${p.currency}`;
  if (cart.at < p.from) return `it begins at ${new Date(p.from).toISOString()}`;
  if (cart.at >= p.until) return `it ended at ${new Date(p.until).toISOString()}`;
  // Prices that are facts stay; gifts are added where the channel is named.
  if (p.channels === null ? !cart.priced : !p.channels.has(cart.channel)) return 'it is not for this channel';
  if (!cart.priced && p.kind !== 'gift') return 'the prices of this order are facts';
  if (p.kind === 'coupon' && !cart.coupons.has(p.id)) return 'it needs a coupon';
  if (p.kind === 'staff_price' && (cart.staffGroup === null || (p.terms.groups && !p.terms.groups.includes(cart.staffGroup)))) return 'it is for staff';
  if ((p.perCustomerOrders !== null || p.perCustomerUnits !== null) && !cart.known) return 'it is limited for each customer: name the buyer';
  if (p.perCustomerOrders !== null && used.customerOrders >= p.perCustomerOrders) return `the customer has had it ${used.customerOrders} times, which is its limit`;
  if (p.perCustomerUnits !== null && used.customerUnits >= p.perCustomerUnits) return `the customer has had ${used.customerUnits} units, which is its limit`;
  if (p.perStaffUnits !== null && used.staffUnits >= p.perStaffUnits) return `this member of staff has had ${used.staffUnits} units, which is the limit`;
  if ((p.budget !== null && used.amount >= p.budget) || (p.kind !== 'gift' && used.poolLeft !== null && used.poolLeft <= 0)) return 'its budget is spent';
  return null;
}

export function inScope(p: Promotion, line: CartLine): boolean {
  if (p.skus.size === 0 && p.categories.size === 0) return true;
  return p.skus.has(line.sku) || (line.category !== null && p.categories.has(line.category));
}

/** Whether two exclude each other on a line: by the matrix, or because one does not stack. */
export function conflict(a: Promotion, b: Promotion, matrix: ReadonlySet<string>): boolean {
  return matrix.has(kindsPair(a.kind, b.kind)) || ((!a.stackable || !b.stackable) && a.kind !== 'gift' && b.kind !== 'gift');
}

const byId = (a: Promotion, b: Promotion): number => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
const MOST_TRIED = 5;

/**
 * Every order of precedence worth trying, one group of promotions in conflict after the other: by priority; within one priority all orders of a group of up to five, beyond that the order of their ids.
 * `better` is asked with a whole order and says what the customer saves; more wins, the first found on ties.
 */
export function bestOrder(candidates: readonly Promotion[], lines: readonly CartLine[], matrix: ReadonlySet<string>, saving: (order: readonly Promotion[]) => number): Promotion[] {
  let best = [...candidates].sort((a, b) => a.priority - b.priority || byId(a, b));
  for (const group of groups(best, lines, matrix)) {
    if (group.length < 2 || group.length > MOST_TRIED) continue;
    let most = saving(best);
    const start = best;
    for (const permuted of permutations(group)) {
      let n = 0;
      const members = new Set(group);
      const order = start.map((p) => (members.has(p) ? permuted[n++] as Promotion : p));
      const saved = saving(order);
      if (saved > most) [most, best] = [saved, order];
    }
  }
  return best;
}

/** Of one priority, connected by conflicts on lines that both could have. */
function groups(sorted: readonly Promotion[], lines: readonly CartLine[], matrix: ReadonlySet<string>): Promotion[][] {
  const meet = (a: Promotion, b: Promotion): boolean => a.priority === b.priority && conflict(a, b, matrix) && lines.some((l) => inScope(a, l) && inScope(b, l));
  const open = new Set(sorted);
  const found: Promotion[][] = [];
  for (const first of sorted) {
    if (!open.delete(first)) continue;
    const group = [first];
    for (let i = 0; i < group.length; i++) for (const p of open) if (meet(group[i] as Promotion, p)) { open.delete(p); group.push(p); }
    found.push(group.sort(byId));
  }
  return found;
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((first, i) => permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [first, ...rest]));
}

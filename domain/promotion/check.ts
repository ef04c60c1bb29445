import type { PromotionInput, PromotionKind } from './model.ts';

export type Fault = { field: string; message: string };
/** A unit of a SKU where the price book knows it: the lowest price among the promotion's channels. */
export type ListPrices = ReadonlyMap<string, number>;

const UNIT_KINDS: readonly PromotionKind[] = ['markdown', 'staff_price', 'bundle'];
const MAX_LINES = 20;

/** What is wrong with a promotion, first things first; null: nothing. `list`: prices of a unit by SKU, of those the price book has. */
export function faultOf(p: PromotionInput, list: ListPrices): Fault | null {
  const from = Date.parse(p.from);
  const until = Date.parse(p.until);
  if (!(from < until)) return { field: '/until', message: 'the window ends before it begins: `until` must lie after `from`' };
  if (p.perStaffUnits !== undefined && p.kind !== 'staff_price') return { field: '/perStaffUnits', message: 'only a staff price has a limit for each member of staff' };
  if (p.perCustomer?.units !== undefined && !UNIT_KINDS.includes(p.kind)) return { field: '/perCustomer/units', message: `a ${p.kind} is counted by orders: say perCustomer.orders` };
  if (p.budget !== undefined && p.kind === 'gift') return { field: '/budget', message: 'a budget is of discounts, a gift has none: limit it by perCustomer.orders and by its stock' };
  const keys = keysFault(p);
  if (keys) return keys;
  const codes = (p.skus ?? []).map((s) => s.sku);
  const twice = codes.findIndex((c, i) => codes.indexOf(c) !== i);
  if (twice >= 0) return { field: `/skus/${twice}/sku`, message: `SKU "${codes[twice] ?? ''}" is named twice` };
  const priced = p.kind === 'markdown' || p.kind === 'staff_price';
  for (const [i, s] of (p.skus ?? []).entries()) {
    if (s.price !== undefined && !priced) return { field: `/skus/${i}/price`, message: 'a price of its own is for markdown and staff price' };
    const known = list.get(s.sku);
    if (s.price !== undefined && known !== undefined && s.price > known) return { field: `/skus/${i}/price`, message: `the price ${s.price} lies above the list price ${known}` };
    const after = priced ? priceAfter(p, s, known) : known;
    if (s.floor !== undefined && after !== undefined && s.floor > after) return { field: `/skus/${i}/floor`, message: `the floor ${s.floor} lies above the price ${after}` };
  }
  return termsFault(p);
}

const UNIT = ['percentOff', 'amountOff'];
/** Terms by kind: those it may have, then those it must. */
const KEYS: Record<PromotionKind, readonly [string[], string[]]> = {
  markdown: [UNIT, []], staff_price: [[...UNIT, 'groups'], []], coupon: [[...UNIT, 'maxOff', 'minSpend'], []], bundle: [['items', 'price', 'percentOff'], ['items']],
  gift: [['gifts', 'minSpend', 'minQuantity', 'repeat', 'outOfStock'], ['gifts', 'outOfStock']], threshold: [['tiers', 'repeat'], ['tiers']],
};

function keysFault({ kind, terms }: PromotionInput): Fault | null {
  const [may, must] = KEYS[kind];
  const alien = Object.keys(terms).sort().find((k) => !may.includes(k));
  if (alien !== undefined) return { field: `/terms/${alien}`, message: `a ${kind} has no such term: ${may.join(', ')}` };
  const lacking = must.find((k) => !(k in terms));
  return lacking === undefined ? null : { field: `/terms/${lacking}`, message: `a ${kind} needs ${lacking}` };
}

function priceAfter(p: PromotionInput, s: { price?: number }, list: number | undefined): number | undefined {
  if (p.kind !== 'markdown' && p.kind !== 'staff_price') return list;
  return s.price ?? (list === undefined ? undefined : unitAfter(p.terms, list));
}

/** A unit's price after terms; never below 0; what is off is rounded down to the minor unit. */
export function unitAfter(terms: { percentOff?: number; amountOff?: number }, unit: number): number {
  if (terms.percentOff !== undefined) return unit - Number((BigInt(unit) * BigInt(terms.percentOff)) / 100n);
  return Math.max(0, unit - (terms.amountOff ?? 0));
}

function termsFault(p: PromotionInput): Fault | null {
  const oneOf = (a: unknown, b: unknown, at: string, what: string): Fault | null =>
    ((a === undefined) === (b === undefined) ? { field: at, message: `say ${what}, one of them` } : null);
  switch (p.kind) {
    case 'markdown': case 'staff_price': {
      if ((p.skus ?? []).length > 0 && (p.skus ?? []).every((s) => s.price !== undefined) && (p.categories ?? []).length === 0) {
        return p.terms.percentOff !== undefined || p.terms.amountOff !== undefined ? { field: '/terms', message: 'every SKU has its price: leave out percentOff and amountOff' } : null;
      }
      return oneOf(p.terms.percentOff, p.terms.amountOff, '/terms', 'percentOff or amountOff (or a price for every SKU)');
    }
    case 'coupon':
      if (p.terms.maxOff !== undefined && p.terms.percentOff === undefined) return { field: '/terms/maxOff', message: 'maxOff caps a percentage' };
      return oneOf(p.terms.percentOff, p.terms.amountOff, '/terms', 'percentOff or amountOff');
    case 'bundle': {
      const { items } = p.terms;
      const again = items.findIndex((x, i) => items.findIndex((y) => y.sku === x.sku) !== i);
      if (again >= 0) return { field: `/terms/items/${again}/sku`, message: 'a SKU of a bundle is named once, with its quantity' };
      if (items.reduce((n, x) => n + x.quantity, 0) < 2) return { field: '/terms/items', message: 'a bundle has two units at least' };
      if ((p.categories ?? []).length > 0) return { field: '/categories', message: 'the items of a bundle are its scope: name floors in `skus`, no categories' };
      const alien = (p.skus ?? []).findIndex((s) => !items.some((x) => x.sku === s.sku));
      if (alien >= 0) return { field: `/skus/${alien}/sku`, message: 'not an item of the bundle' };
      return oneOf(p.terms.price, p.terms.percentOff, '/terms', 'price or percentOff');
    }
    case 'gift': {
      const { gifts, minSpend, minQuantity, repeat } = p.terms;
      if (gifts.length > MAX_LINES) return { field: '/terms/gifts', message: `at most ${MAX_LINES} gifts` };
      if (minSpend !== undefined && minQuantity !== undefined) return { field: '/terms', message: 'say minSpend or minQuantity, not both' };
      if (repeat === true && minSpend === undefined && minQuantity === undefined) return { field: '/terms/repeat', message: 'a gift repeats for each minSpend or minQuantity: say one' };
      return null;
    }
    case 'threshold': {
      const { tiers, repeat } = p.terms;
      for (const [i, t] of tiers.entries()) {
        const fault = oneOf(t.minSpend, t.minQuantity, `/terms/tiers/${i}`, 'minSpend or minQuantity') ?? oneOf(t.amountOff, t.percentOff, `/terms/tiers/${i}`, 'amountOff or percentOff');
        if (fault) return fault;
        const before = tiers[i - 1];
        if (before && ((before.minSpend === undefined) !== (t.minSpend === undefined) || (before.minSpend ?? before.minQuantity ?? 0) >= (t.minSpend ?? t.minQuantity ?? 0))) {
          return { field: `/terms/tiers/${i}`, message: 'tiers rise, all by minSpend or all by minQuantity' };
        }
        if (t.minSpend !== undefined && t.amountOff !== undefined && t.amountOff > t.minSpend) return { field: `/terms/tiers/${i}/amountOff`, message: 'more off than is spent' };
      }
      if (repeat === true && (tiers.length !== 1 || tiers[0]?.amountOff === undefined)) return { field: '/terms/repeat', message: 'only one tier with amountOff repeats' };
      return null;
    }
  }
}

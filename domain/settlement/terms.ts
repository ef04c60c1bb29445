/** What a location gets for a unit: so much, or a percentage of what the customer paid. Money in minor units. */
export type Term = { price: number } | { percentOfNet: number };

/** Owed for units of an order in another currency than its settlement's; null: a share of what was paid there says nothing here. */
export function owedIn(term: Term, units: number, net: number, sameCurrency: boolean): number | null {
  return sameCurrency || 'price' in term ? owed(term, units, net) : null;
}

/** Owed for units that the customer paid `net` for: rounded half up once, for all of them together. */
export function owed(term: Term, units: number, net: number): number {
  return 'price' in term ? term.price * units : Math.floor((net * term.percentOfNet + 50) / 100);
}

/** The part of an amount that was booked for `of` units and falls on `units` of them, after `before` were taken off already: parts add up to the whole. */
export function shareBack(amount: number, of: number, before: number, units: number): number {
  const upTo = (n: number): number => Math.floor((amount * n) / of);
  return upTo(before + units) - upTo(before);
}

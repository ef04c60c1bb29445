/** Money expected to lie in unsold units, minor units: what severity is measured by. */
export type MoneyAtRisk = {
  /** units on hand and under way */
  stock: number;
  /** units a day: the usual rate, and the one if it slows down */
  rate: number; slowRate: number;
  /** chance of a slow-down, 0–1; null where nothing is known: the usual rate counts */
  chance: number | null;
  /** days until its season ends */
  daysLeft: number;
  /** what a unit left then loses: cost, or price less what it would fetch */
  unitValue: number;
};

/** `unitValue` × (P(slow) · (stock − slow rate · days)⁺ + (1 − P) · (stock − rate · days)⁺): expected cost of what is left at the end of the season, rounded half up. */
export function moneyAtRisk({ stock, rate, slowRate, chance, daysLeft, unitValue }: MoneyAtRisk): number {
  const left = (perDay: number): number => Math.max(0, stock - perDay * Math.max(0, daysLeft));
  const p = chance ?? 0;
  return Math.round(unitValue * (p * left(slowRate) + (1 - p) * left(rate)));
}

/** Days that the mean stock of a period lasts at its sales: mean on hand × days ÷ units sold (inventory turnover, in days: Silver, Pyke & Thomas 2017, 1.3.3). Null where nothing was sold. */
export const turnoverDays = (meanOnHand: number, unitsSold: number, days: number): number | null => (unitsSold > 0 ? (meanOnHand * days) / unitsSold : null);
/** Share of what there was that was sold: sold ÷ (stock at the beginning + received), 0–1. Null where there was none. */
export const sellThrough = (sold: number, opening: number, received: number): number | null => (opening + received > 0 ? Math.min(1, Math.max(0, sold / (opening + received))) : null);
/** Weeks that stock lasts at a rate a day. Null where nothing sells. */
export const weeksOfCover = (stock: number, perDay: number): number | null => (perDay > 0 ? stock / perDay / 7 : null);

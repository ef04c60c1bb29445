import type { Move } from './model.ts';

const money = (minor: number): string => (minor / 100).toFixed(2);
const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** Why units move, in a sentence for people: chances are those of the first of them. */
export const explainMove = (m: Move, from: string, to: string): string =>
  `${m.units} × ${m.sku}: the first sells with ${percent(m.sellsThere)} at ${to} and ${percent(m.sellsHere)} at ${from}; expected margin ${money(m.gained)} there against ${money(m.lost)} here`;

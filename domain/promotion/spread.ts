import { allocate } from '../money.ts';

/** Spreads a total over weights by largest remainder, no share above its cap; what a cap keeps back goes to the others. Where the caps are less than the total, they are what is spread. */
export function spread(total: number, weights: readonly number[], caps: readonly number[]): number[] {
  const out = weights.map(() => 0);
  let open = weights.map((_, i) => i).filter((i) => (caps[i] as number) > 0);
  let left = Math.min(total, open.reduce((sum, i) => sum + (caps[i] as number), 0));
  while (left > 0) {
    const shares = allocate(left, open.map((i) => weights[i] as number));
    const full = open.filter((i, n) => (shares[n] as number) > (caps[i] as number));
    if (full.length === 0) {
      open.forEach((i, n) => { out[i] = shares[n] as number; });
      return out;
    }
    for (const i of full) {
      out[i] = caps[i] as number;
      left -= caps[i] as number;
    }
    open = open.filter((i) => !full.includes(i));
  }
  return out;
}

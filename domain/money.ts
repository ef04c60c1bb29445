/** Throws RangeError unless the value is an integer that a double holds exactly. */
export function assertMinor(value: number, where: string): void {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${where} must be a whole number of minor units, got ${value}`);
}

/** `numerator / denominator`, rounded half up (away from minus infinity at .5). Integers; the denominator is positive. */
export function roundHalfUp(numerator: number, denominator: number): number {
  return Math.floor((2 * numerator + denominator) / (2 * denominator));
}

/**
 * Spreads a total over weights by largest remainder (Hamilton): the shares are integers and their sum is the total. Ties go to the
 * lower index. All weights zero: equal parts. A negative total is the mirror of the positive one.
 */
export function allocate(total: number, weights: readonly number[]): number[] {
  assertMinor(total, 'total');
  if (weights.length === 0) {
    if (total === 0) return [];
    throw new RangeError('a total needs at least one weight');
  }
  if (total < 0) return allocate(-total, weights).map((share) => (share === 0 ? 0 : -share));
  let sum = 0n;
  for (const weight of weights) {
    if (!Number.isSafeInteger(weight) || weight < 0) throw new RangeError(`weights are whole numbers from 0, got ${weight}`);
    sum += BigInt(weight);
  }
  const even = sum === 0n;
  const whole = even ? BigInt(weights.length) : sum;
  const amount = BigInt(total);
  let left = total;
  const parts = weights.map((weight, index) => {
    const product = amount * (even ? 1n : BigInt(weight));
    const share = Number(product / whole);
    left -= share;
    return { index, share, rest: product % whole };
  });
  const shares = parts.map((part) => part.share);
  parts.sort((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest > b.rest ? -1 : 1));
  for (let i = 0; i < left; i++) {
    const index = (parts[i] as (typeof parts)[number]).index;
    shares[index] = (shares[index] as number) + 1;
  }
  return shares;
}

/** Sum of the shares of `count` units from unit `fromUnit` on, of a total spread evenly over `quantity` units: the first (total mod quantity) units bear one more. */
export function unitShareSum(total: number, quantity: number, fromUnit: number, count: number): number {
  if (total < 0) return 0 - unitShareSum(-total, quantity, fromUnit, count);
  const base = Math.floor(total / quantity);
  const extra = total - base * quantity;
  const withExtra = Math.max(0, Math.min(fromUnit + count, extra) - Math.min(fromUnit, extra));
  return base * count + withExtra;
}

/** The share of every single unit; for large quantities use `unitShareSum`. */
export function unitShares(total: number, quantity: number): number[] {
  return Array.from({ length: quantity }, (_, unit) => unitShareSum(total, quantity, unit, 1));
}

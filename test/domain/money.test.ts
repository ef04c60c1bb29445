import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allocate, assertMinor, roundHalfUp, unitShares, unitShareSum } from '../../domain/money.ts';

describe('roundHalfUp', () => {
  test.each([[5, 2, 3], [-5, 2, -2], [4, 2, 2], [1, 3, 0], [2, 3, 1], [0, 7, 0], [-1, 3, 0], [-2, 3, -1]])('%i / %i = %i', (n, d, r) => { expect(roundHalfUp(n, d)).toBe(r); });
});

describe('allocate', () => {
  test.each([
    [100, [1, 1, 1], [34, 33, 33]], [10, [5, 3, 2], [5, 3, 2]], [1, [0, 3, 3], [0, 1, 0]], [7, [0, 0], [4, 3]], [-100, [1, 1, 1], [-34, -33, -33]], [0, [], []],
    // The largest remainders get the odd units: 1.4, 1.5, 4.1 of 7.
    [7, [14, 15, 41], [1, 2, 4]],
  ])('%i over %j', (total, weights, shares) => { expect(allocate(total, weights)).toEqual(shares); });

  test('the shares are the total to the unit, and none is a unit or more off its exact part', () => {
    fc.assert(fc.property(fc.integer({ min: -1e12, max: 1e12 }), fc.array(fc.integer({ min: 0, max: 1e9 }), { minLength: 1, maxLength: 30 }), (total, weights) => {
      const shares = allocate(total, weights);
      expect(shares.reduce((a, b) => a + b, 0)).toBe(total);
      const sum = weights.reduce((a, b) => a + b, 0);
      if (sum > 0) shares.forEach((share, i) => { expect(Math.abs(share - (total * (weights[i] as number)) / sum)).toBeLessThan(1 + 1e-3); });
      weights.forEach((w, i) => { if (w === 0 && sum > 0) expect(shares[i]).toBe(0); });
    }));
  });

  test('is exact where a double would not be', () => {
    const total = 8_999_999_999_999;
    expect(allocate(total, [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 1]).reduce((a, b) => a + b)).toBe(total);
  });

  test.each([[0.5, [1]], [1, []], [1, [-1]], [1, [0.5]], [Number.NaN, [1]]])('refuses %d over %j', (total, weights) => { expect(() => allocate(total, weights)).toThrow(RangeError); });
});

describe('shares of units', () => {
  test('the first units bear the odd minor units', () => { expect([unitShares(10, 4), unitShares(-10, 4), unitShares(0, 2)]).toEqual([[3, 3, 2, 2], [-3, -3, -2, -2], [0, 0]]); });

  test('any split of the units adds up to the total', () => {
    fc.assert(fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 10 }), (total, parts) => {
      const quantity = parts.reduce((a, b) => a + b, 0);
      let from = 0;
      let sum = 0;
      for (const count of parts) {
        const share = unitShareSum(total, quantity, from, count);
        expect(share).toBe(unitShares(total, quantity).slice(from, from + count).reduce((a, b) => a + b, 0) + 0);
        sum += share;
        from += count;
      }
      expect(sum).toBe(total + 0);
    }));
  });
});

test('only whole, exact numbers are money', () => {
  expect(() => { assertMinor(1.5, 'x'); }).toThrow('x must be a whole number of minor units, got 1.5');
  expect(() => { assertMinor(2 ** 53, 'x'); }).toThrow(RangeError);
  assertMinor(-3, 'x');
});

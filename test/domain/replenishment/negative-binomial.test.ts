import { expect, test } from 'vitest';
import { byMoments, cumulatedLaw, expectedShort, normalQuantile, quantileOf, shortProbability } from '../../../domain/replenishment/negative-binomial.ts';

const POISSON = { mean: 2, dispersion: 0 };
const GEOMETRIC = { mean: 2, dispersion: 1 }; // P(k) = (1/3)(2/3)^k

test('quantiles are the smallest counts that reach the probability', () => {
  expect([0.1, 0.5, 0.9, 0.95].map((p) => quantileOf(POISSON, p))).toEqual([0, 2, 4, 5]);
  expect([0.1, 0.33, 0.34, 0.5, 0.95].map((p) => quantileOf(GEOMETRIC, p))).toEqual([0, 0, 1, 1, 7]);
  expect(quantileOf({ mean: 0, dispersion: 0 }, 0.99)).toBe(0);
  expect(quantileOf({ mean: 10_000, dispersion: 0 }, 0.975)).toBe(10_197);
  expect(quantileOf({ mean: 1_200, dispersion: 0 }, 0.5)).toBe(1_200); // P(0) is far below the smallest number
});

test('chance of running out and units short', () => {
  expect(cumulatedLaw({ mean: 1, dispersion: 1 }, 4)).toEqual(Float64Array.of(0.5, 0.75, 0.875, 0.9375));
  expect(shortProbability(GEOMETRIC, 1)).toBeCloseTo(4 / 9, 12);
  expect([shortProbability(POISSON, -1), shortProbability({ mean: 0, dispersion: 0 }, 0)]).toEqual([1, 0]);
  expect([expectedShort(POISSON, -3), expectedShort(POISSON, 0)]).toEqual([5, 2]);
  // E[(D − 2)⁺] = 2 − P(D > 0) − P(D > 1) with e⁻² = 0.1353…
  expect(expectedShort(POISSON, 2)).toBeCloseTo(4 * Math.exp(-2), 12);
});

test('a variance below the mean counts as Poisson', () => {
  expect([byMoments(4, 1), byMoments(2, 6), byMoments(0, 5)]).toEqual([{ mean: 4, dispersion: 0 }, { mean: 2, dispersion: 1 }, { mean: 0, dispersion: 0 }]);
});

test('normal quantiles', () => {
  expect([0.001, 0.5, 0.975].map((p) => Math.round(normalQuantile(p) * 1e6) / 1e6)).toEqual([-3.090232, 0, 1.959964]);
});

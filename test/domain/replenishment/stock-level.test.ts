import { expect, test } from 'vitest';
import { asFrequent, cumulated, dayOf, lawOfDays, MOST, sumOf } from '../../../domain/replenishment/compound.ts';
import { demandOver } from '../../../domain/replenishment/cover.ts';
import { expectedShort } from '../../../domain/replenishment/negative-binomial.ts';
import { fitFactors, factorOf, placeOf } from '../../../domain/replenishment/panel/rate-factors.ts';
import { marginalLevel, nextUnitSells, orderUpTo, reorderPoint, safetyStock } from '../../../domain/replenishment/stock-level.ts';

const LEAD = { mean: 2, dispersion: 0 };
const ALL = { mean: 3, dispersion: 0 };

test('a cycle target is a quantile, a fill target the least level whose expected loss it allows', () => {
  expect([0.5, 0.9, 0.95, 0.99].map((share) => orderUpTo(LEAD, ALL, { kind: 'cycle', share }))).toEqual([3, 5, 6, 8]);
  for (const share of [0.5, 0.8, 0.9, 0.95, 0.99]) {
    const level = orderUpTo(LEAD, ALL, { kind: 'fill', share });
    const short = (s: number): number => expectedShort(ALL, s) - expectedShort(LEAD, s);
    expect(short(level)).toBeLessThanOrEqual(1 - share);
    if (level > 0) expect(short(level - 1)).toBeGreaterThan(1 - share);
  }
  expect(orderUpTo({ mean: 0, dispersion: 0 }, { mean: 0, dispersion: 0 }, { kind: 'fill', share: 0.99 })).toBe(0);
});

test('safety stock, reorder point, what the next unit sells', () => {
  expect([safetyStock(6, ALL), safetyStock(2, ALL), reorderPoint(LEAD, 0.95)]).toEqual([3, 0, 5]);
  expect(nextUnitSells(LEAD, 0)).toBeCloseTo(1 - Math.exp(-2), 12);
});

test('marginal level: a higher price of stock never asks for more of it', () => {
  const [lead, all] = [Float64Array.of(0.5, 0.9, 1, 1), Float64Array.of(0.3, 0.7, 0.95, 1)];
  // gained ÷ held: 0.2 / 0.5, 0.2 / 0.9, 0.05 / 1, 0
  expect([0.5, 0.39, 0.2, 0.04].map((price) => marginalLevel(lead, all, price))).toEqual([0, 1, 2, 3]);
});

test('demand over several periods: the level times them, the variance more than times them', () => {
  expect(demandOver({ units: Array.from({ length: 10 }, () => 7) }, 4 / 7)).toEqual({ mean: expect.closeTo(4, 10) as number, dispersion: 0 });
  const units = [0, 4, 0, 4, 0, 4, 0, 4, 0, 4];
  const variance = ({ mean, dispersion }: { mean: number; dispersion: number }): number => mean + dispersion * mean * mean;
  expect(variance(demandOver({ units }, 4))).toBeGreaterThan(4 * variance(demandOver({ units }, 1)));
  expect(variance(demandOver({ units }, 2, 1)) - variance(demandOver({ units }, 2))).toBeCloseTo((demandOver({ units }, 2).mean / 2) ** 2, 10);
});

test('days: frequency moves, sizes stay; sums are convolutions', () => {
  const day = dayOf([0, 2, 0, 2], 4, 0, new Float64Array(MOST), 0);
  expect([day[0], day[2], day[1]]).toEqual([0.5, 0.5, 0]);
  const twice = asFrequent(day, 2);
  expect([twice[0], twice[2]]).toEqual([0.25, 0.75]);
  expect(cumulated(sumOf(day, day, 10), 6)).toEqual(Float64Array.of(0.25, 0.25, 0.75, 0.75, 1, 1));
  expect(lawOfDays(day, 2)).toEqual({ mean: 2, dispersion: 0 }); // variance 1 a day, as its mean
});

test('factors bring what is expected to what came, one circumstance at a time', () => {
  const observations = [
    ...Array.from({ length: 400 }, () => ({ places: [0, 0], expected: 10, units: 20 })), ...Array.from({ length: 400 }, () => ({ places: [1, 0], expected: 10, units: 10 })),
    ...Array.from({ length: 400 }, () => ({ places: [0, 1], expected: 10, units: 10 })), ...Array.from({ length: 400 }, () => ({ places: [1, 1], expected: 10, units: 5 })),
  ];
  const factors = fitFactors(observations, [2, 2]);
  expect([[0, 0], [1, 0], [0, 1], [1, 1]].map((places) => Math.round(factorOf(factors, places) * 10) / 10)).toEqual([2, 1, 1, 0.5]);
  expect([0.5, 1, 1.5, 9].map((n) => placeOf(n, [1, 2]))).toEqual([0, 0, 1, 2]);
});

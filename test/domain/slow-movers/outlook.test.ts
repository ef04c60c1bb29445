import { expect, test } from 'vitest';
import { featuresOf, shareAhead, type WeeklySales } from '../../../domain/slow-movers/features.ts';
import { fitLogistic, predictLogistic } from '../../../domain/slow-movers/logistic.ts';
import { learnOutlook, slowChance } from '../../../domain/slow-movers/outlook.ts';

/** A SKU whose promotion of two weeks is followed by a trough, every `cycle` weeks; or a steady one. */
function sku(cycle: number | null, phase: number, weeks = 32): WeeklySales {
  const at = (w: number): number => (cycle === null ? -1 : (w + phase) % cycle);
  const units = Array.from({ length: weeks }, (_, w) => (at(w) < 0 ? 8 + ((w * 7 + phase) % 3) : at(w) < 2 ? 30 : at(w) < 7 ? 3 : 10));
  const zero = new Float64Array(weeks);
  return { units, reduced: units.map((n, w) => (at(w) >= 0 && at(w) < 2 ? n : 0)), sites: units.map(() => 3), price: zero, category: units.map(() => 500) };
}
const series = Array.from({ length: 60 }, (_, i) => sku(i % 2 === 0 ? 14 : null, i));

test('the chance is high after a promotion and low for a steady seller; it is learned from before', () => {
  const outlook = learnOutlook(series, 28);
  if (!outlook) throw new Error('nothing learned');
  for (const s of series) {
    const chance = slowChance(outlook, s, 28) ?? -1;
    expect(chance >= outlook.threshold).toBe(shareAhead(s, 28) <= 0.6);
  }
  expect(outlook.slowShare).toBeLessThan(0.6);
  // Nothing of the weeks ahead is read.
  const blind = series.map((s) => ({ ...s, units: Array.from(s.units).map((n, w) => (w < 28 ? n : 999)), reduced: Array.from(s.reduced).map((n, w) => (w < 28 ? n : 0)) }));
  expect(learnOutlook(blind, 28)).toEqual(outlook);
  expect(blind.map((s) => Array.from(featuresOf(s, 28)))).toEqual(series.map((s) => Array.from(featuresOf(s, 28))));
});

test('too short or too small a past teaches nothing; too few units have no outlook', () => {
  expect(learnOutlook(series, 15)).toBeNull();
  expect(learnOutlook(series.slice(0, 4), 28)).toBeNull();
  const outlook = learnOutlook(series, 28);
  expect(outlook && slowChance(outlook, { ...sku(null, 0), units: new Float64Array(32).fill(1) }, 28)).toBeNull();
});

test('logistic regression finds the odds of a table', () => {
  // 3 of 4 with the feature, 1 of 4 without: with no ridge worth speaking of, the chances are those.
  const rows = [1, 1, 1, 1, 0, 0, 0, 0].map((x) => Float64Array.of(x));
  const model = fitLogistic(rows, [1, 1, 1, 0, 1, 0, 0, 0], 1e-6);
  expect(predictLogistic(model, Float64Array.of(1))).toBeCloseTo(0.75, 4);
  expect(predictLogistic(model, Float64Array.of(0))).toBeCloseTo(0.25, 4);
});

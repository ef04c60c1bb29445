import { expect, test } from 'vitest';
import { preferences } from '../../../domain/replenishment/preferences.ts';

const cell = (value: string, group: string, units: number) => ({ value, group, units });

test('the textbook: adjusted residuals of a 2 × 2 table are alike but for their sign', () => {
  const rows = preferences([cell('red', 'north', 60), cell('blue', 'north', 40), cell('red', 'south', 40), cell('blue', 'south', 60)], 1);
  // z = (60 − 50) / √(50 · ½ · ½) = 2.828; p = 0.00468
  expect(rows.map((r) => [r.value, r.group, Math.round(r.z * 1000) / 1000, r.index, r.significant])).toEqual([
    ['blue', 'north', -2.828, 0.8, true], ['blue', 'south', 2.828, 1.2, true], ['red', 'north', 2.828, 1.2, true], ['red', 'south', -2.828, 0.8, true]]);
  expect(rows[0]?.p).toBeCloseTo(0.004678, 5);
});

test('units that come in baskets of four say half as much; few units say nothing', () => {
  const table = [cell('red', 'north', 60), cell('blue', 'north', 40), cell('red', 'south', 40), cell('blue', 'south', 60)];
  const rows = preferences(table, 4);
  expect(rows.map((r) => [Math.round(Math.abs(r.z) * 1000) / 1000, r.significant])).toEqual(Array.from({ length: 4 }, () => [1.414, false]));
  expect(preferences([cell('red', 'north', 3), cell('blue', 'south', 3)], 1).every((r) => r.z === 0 && !r.significant)).toBe(true);
  expect(preferences([], 1)).toEqual([]);
});

test('of many cells one at p = 0.03 is no discovery', () => {
  const table = Array.from({ length: 10 }, (_, i) => [cell(`v${i}`, 'north', i === 0 ? 115 : 100), cell(`v${i}`, 'south', i === 0 ? 85 : 100)]).flat();
  expect(preferences(table, 1).some((r) => r.significant)).toBe(false);
});

import { expect, test } from 'vitest';
import { falls, trendOf, type SalesCell } from '../../../domain/slow-movers/trend.ts';

const DAYS = 30;
/** So many units a day before and now; `out`: days of the second window without stock. */
const cell = (location: string, before: number, now: number, more: { region?: string; out?: number; burst?: [day: number, units: number] } = {}): SalesCell => {
  const daily = Array.from({ length: 2 * DAYS }, (_, d) => (d < DAYS ? before : d < 2 * DAYS - (more.out ?? 0) ? now : 0));
  if (more.burst) daily[more.burst[0]] = more.burst[1];
  return { location, country: 'CN', region: more.region ?? 'Shanghai', daily, out: Array.from({ length: 2 * DAYS }, (_, d) => (d >= 2 * DAYS - (more.out ?? 0) ? 1 : 0)) };
};
const fall = (cells: SalesCell[], season = 1): [number | null, number, boolean] => {
  const t = trendOf(cells, season);
  if (!t) throw new Error('no trend');
  return [t.rawChange === null ? null : Math.round(100 * t.rawChange), Math.round(100 * t.change), falls(t, 0.4, 10)];
};

test('40 % less everywhere is a fall, 30 % is none', () => {
  expect(fall([cell('A', 10, 6), cell('B', 10, 6), cell('C', 10, 6)])).toEqual([-40, -40, true]);
  expect(fall([cell('A', 10, 7), cell('B', 10, 7), cell('C', 10, 7)])).toEqual([-30, -30, false]);
});

test('one shop alone neither raises it nor hides it', () => {
  // A fell to nothing and takes the total to −42 %; the others sell as ever.
  expect(fall([cell('A', 10, 1), cell('B', 4, 4), cell('C', 4, 4)])).toEqual([-50, -50, false]);
  // A's one customer takes 300 on a day: raw sales hardly fall, the shops do.
  expect(fall([cell('A', 10, 5, { burst: [45, 300] }), cell('B', 10, 5), cell('C', 10, 5)])).toEqual([-17, -46, true]);
});

test('a stock-out is no fall; a location without stock is left out of both windows', () => {
  expect(fall([cell('A', 10, 10, { out: 15 }), cell('B', 10, 10, { out: 15 })])).toEqual([-50, 0, false]);
  expect(fall([cell('A', 10, 10, { out: 30 }), cell('B', 10, 5)])).toEqual([-75, -50, true]);
  expect(trendOf([cell('A', 10, 10, { out: 30 })], 1)).toBeNull();
});

test('what the season does is taken out', () => {
  expect(fall([cell('A', 10, 5), cell('B', 10, 5)], 0.5)).toEqual([-50, 0, false]);
  expect(fall([cell('A', 10, 10), cell('B', 10, 10)], 2)).toEqual([0, -50, true]);
});

test('few units tell nothing', () => {
  const few = trendOf([{ location: 'A', country: 'CN', region: 'R', daily: Array.from({ length: 60 }, (_, d) => (d % 6 === 0 && d < 30 ? 1 : d === 40 || d === 50 ? 1 : 0)), out: new Float64Array(60) }], 1);
  expect([few?.before, few?.now]).toEqual([5, 2]);
  expect(few && falls(few, 0.4, 5)).toBe(false);
});

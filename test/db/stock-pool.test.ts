import { expect, test } from 'vitest';
import { StockPool } from '../../db/stock-pool.ts';

const seen = (pool: StockPool, sku: number): unknown[] => {
  const all: unknown[] = [];
  pool.visit(sku, (...level) => { all.push(level); });
  return all;
};

test('levels are found by SKU and location, whatever the order in which they came', () => {
  const pool = new StockPool();
  const places = [5, 1, 9, 3, 7, 2, 8, 4, 6, 1000];
  for (const place of places) pool.put(1, place, place * 10, place * 100, null, null);
  pool.put(2, 3, 1, 4, null, null);
  expect(places.map((place) => pool.available(1, place))).toEqual(places.map((place) => place * 100));
  expect([pool.available(1, 11), pool.available(3, 1), pool.available(2, 3)]).toEqual([0, 0, 4]);
  expect([...pool.locationsOf(1).keys()]).toEqual(places.toSorted((a, b) => a - b));
  expect(pool.levelsOf(1, 9)).toEqual([{ id: 90, free: 900, expires: null, expectedAt: null }]);
  expect([pool.levelsOf(1, 11), seen(pool, 3)]).toEqual([[], []]);
});

test.each([1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 7])('a level id of %d is kept as it is', (id) => {
  const pool = new StockPool();
  pool.put(1, 1, id, 3, null, null);
  expect(pool.single(1, 1)).toBe(true);
  expect([pool.id, pool.free]).toEqual([id, 3]);
  expect(pool.set(1, 1, id, 8)).toBe(true);
  expect([pool.set(1, 1, id + 1, 9), pool.set(1, 2, id, 9), pool.set(2, 1, id, 9), pool.available(1, 1)]).toEqual([false, false, false, 8]);
});

test('several levels of a place: first expired, first expected, oldest first; a known one is changed, not added', () => {
  const pool = new StockPool();
  pool.put(1, 1, 30, 5, null, null);
  pool.put(1, 1, 20, 6, '2027-01-02', null);
  pool.put(1, 1, 10, 7, '2027-01-01', null);
  pool.put(1, 1, 5, 8, null, null);
  expect(pool.levelsOf(1, 1).map((l) => [l.id, l.free])).toEqual([[10, 7], [20, 6], [5, 8], [30, 5]]);
  pool.put(1, 1, 20, 1, '2027-01-02', null);
  expect([pool.available(1, 1), pool.single(1, 1)]).toEqual([21, false]);
  expect([pool.set(1, 1, 30, 0), pool.set(1, 1, 99, 0), pool.available(1, 1)]).toEqual([true, false, 16]);
  expect(seen(pool, 1)).toEqual([[1, 10, 7, '2027-01-01', null], [1, 20, 1, '2027-01-02', null], [1, 5, 8, null, null], [1, 30, 0, null, null]]);
});

test('a supply that is late moves behind the others', () => {
  const pool = new StockPool();
  pool.put(1, 1, 1, 5, null, 100);
  pool.put(1, 1, 2, 6, null, 200);
  pool.put(1, 1, 1, 5, null, 300);
  expect(pool.levelsOf(1, 1).map((l) => [l.id, l.expectedAt])).toEqual([[2, 200], [1, 300]]);
});

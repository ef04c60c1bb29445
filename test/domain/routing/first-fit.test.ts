import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstFit, rankLocations } from '../../../domain/routing/first-fit.ts';

const stock = (table: Record<number, Record<number, number>>) => (skuId: number, locationId: number): number => table[locationId]?.[skuId] ?? 0;
const line = (lineNo: number, skuId: number, quantity: number) => ({ lineNo, skuId, quantity });

test('the first of the ranking that has everything', () => {
  expect(firstFit([line(1, 1, 2), line(2, 2, 1)], [7, 8, 9], stock({ 7: { 1: 2 }, 8: { 1: 2, 2: 1 }, 9: { 1: 9, 2: 9 } })))
    .toEqual({ picks: [{ lineNo: 1, skuId: 1, locationId: 8, quantity: 2 }, { lineNo: 2, skuId: 2, locationId: 8, quantity: 1 }], short: [] });
});

test('lines of one SKU share its stock', () => {
  expect(firstFit([line(1, 1, 2), line(2, 1, 2)], [7, 8], stock({ 7: { 1: 3 }, 8: { 1: 4 } })).picks.map((p) => p.locationId)).toEqual([8, 8]);
});

test('split: whoever covers most lines whole, the nearer at a tie; then single units; what is left is short', () => {
  expect(firstFit([line(1, 1, 1), line(2, 2, 1), line(3, 3, 5)], [7, 8, 9], stock({ 7: { 1: 1, 3: 2 }, 8: { 1: 1, 2: 1, 3: 1 }, 9: { 3: 1 } }))).toEqual({
    picks: [{ lineNo: 1, skuId: 1, locationId: 8, quantity: 1 }, { lineNo: 2, skuId: 2, locationId: 8, quantity: 1 },
      { lineNo: 3, skuId: 3, locationId: 7, quantity: 2 }, { lineNo: 3, skuId: 3, locationId: 8, quantity: 1 }, { lineNo: 3, skuId: 3, locationId: 9, quantity: 1 }],
    short: [line(3, 3, 1)],
  });
});

test('nothing wanted, nobody there', () => {
  expect(firstFit([], [1], stock({}))).toEqual({ picks: [], short: [] });
  expect(firstFit([line(1, 1, 2)], [], stock({}))).toEqual({ picks: [], short: [line(1, 1, 2)] });
});

test('never more than there is, never more or less than was wanted, never short beside stock', () => {
  const units = fc.integer({ min: 0, max: 6 });
  fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 5 })), { minLength: 1, maxLength: 6 }), fc.array(fc.tuple(units, units, units), { maxLength: 4 }), (wanted, at) => {
    const lines = wanted.map(([skuId, quantity], i) => line(i + 1, skuId, quantity));
    const has = (skuId: number, locationId: number): number => at[locationId]?.[skuId - 1] ?? 0;
    const fit = firstFit(lines, at.map((_, i) => i), has);
    for (const l of lines) {
      const picked = fit.picks.filter((p) => p.lineNo === l.lineNo).reduce((n, p) => n + p.quantity, 0);
      expect(picked + (fit.short.find((s) => s.lineNo === l.lineNo)?.quantity ?? 0)).toBe(l.quantity);
    }
    for (const skuId of [1, 2, 3]) {
      let free = 0;
      at.forEach((_, locationId) => {
        const taken = fit.picks.filter((p) => p.skuId === skuId && p.locationId === locationId).reduce((n, p) => n + p.quantity, 0);
        expect(taken).toBeLessThanOrEqual(has(skuId, locationId));
        free += has(skuId, locationId) - taken;
      });
      if (fit.short.some((s) => s.skuId === skuId)) expect(free).toBe(0);
    }
  }));
});

test('ranking: distance, then kind, then id', () => {
  const place = (lat: number) => ({ country: 'CN', province: 'P', city: 'C', lat, lon: 0 });
  expect(rankLocations(place(0), [
    { locationId: 1, place: place(2), kind: 'warehouse' }, { locationId: 4, place: place(1), kind: 'store' }, { locationId: 3, place: place(1), kind: 'warehouse' }, { locationId: 2, place: place(1), kind: 'warehouse' },
  ])).toEqual([2, 3, 4, 1]);
});

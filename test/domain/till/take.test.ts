import fc from 'fast-check';
import { expect, test } from 'vitest';
import { takeSold } from '../../../domain/till/take.ts';

test('free units first, in order; then reserved ones; what is left is unbacked', () => {
  const shelves = [{ levelId: 1, onHand: 5, free: 2 }, { levelId: 2, onHand: 3, free: 3 }];
  expect(takeSold(4, shelves)).toEqual({ taken: [{ levelId: 1, units: 2 }, { levelId: 2, units: 2 }], unbacked: 0 });
  expect(takeSold(7, shelves)).toEqual({ taken: [{ levelId: 1, units: 4 }, { levelId: 2, units: 3 }], unbacked: 0 });
  expect(takeSold(10, shelves)).toEqual({ taken: [{ levelId: 1, units: 5 }, { levelId: 2, units: 3 }], unbacked: 2 });
});

test('never more than is on hand, and every unit is accounted for', () => {
  const shelf = fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20 })).map(([onHand, reserved]) => ({ onHand, free: onHand - Math.min(onHand, reserved) }));
  fc.assert(fc.property(fc.integer({ min: 1, max: 50 }), fc.array(shelf, { maxLength: 5 }), (quantity, list) => {
    const shelves = list.map((s, i) => ({ ...s, levelId: i }));
    const { taken, unbacked } = takeSold(quantity, shelves);
    expect(taken.reduce((sum, t) => sum + t.units, 0) + unbacked).toBe(quantity);
    for (const t of taken) expect(t.units).toBeLessThanOrEqual(shelves[t.levelId]!.onHand);
    if (unbacked > 0) expect(taken.reduce((sum, t) => sum + t.units, 0)).toBe(shelves.reduce((sum, s) => sum + s.onHand, 0));
  }));
});

import { expect, test } from 'vitest';
import fc from 'fast-check';
import { spreadLoss } from '../../../domain/stock/spread-loss.ts';

const levels = [{ levelId: 1, onHand: 5, reserved: 4 }, { levelId: 2, onHand: 3, reserved: 1 }];
const reserved = [{ levelId: 2, units: 1 }, { levelId: 1, units: 3 }, { levelId: 1, units: 1 }];

test.each<[number, [number, number][]]>([
  [0, []],
  [1, [[1, 1]]],
  [2, [[1, 1], [2, 1]]],
  [3, [[1, 1], [2, 2]]],
  [4, [[1, 1], [2, 3]]], // the youngest reservation is the other level's
  [6, [[1, 3], [2, 3]]],
  [8, [[1, 5], [2, 3]]],
  [9, [[1, 5], [2, 3]]],
])('%i units', (units, taken) => { expect([...spreadLoss(levels, reserved, units)]).toEqual(taken); });

test('takes as many as were asked for, as long as there are, and no reserved one while a free one is left', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(20), fc.nat(20)), { maxLength: 6 }), fc.nat(150), (pairs, units) => {
    const rows = pairs.map(([a, b], levelId) => ({ levelId, onHand: Math.max(a, b), reserved: Math.min(a, b) }));
    const taken = spreadLoss(rows, rows.map((r) => ({ levelId: r.levelId, units: r.reserved })), units);
    const sum = [...taken.values()].reduce((a, b) => a + b, 0);
    const free = rows.reduce((n, r) => n + r.onHand - r.reserved, 0);
    expect(sum).toBe(Math.min(units, rows.reduce((n, r) => n + r.onHand, 0)));
    for (const r of rows) expect(taken.get(r.levelId) ?? 0).toBeLessThanOrEqual(r.onHand);
    if (units <= free) for (const r of rows) expect(taken.get(r.levelId) ?? 0).toBeLessThanOrEqual(r.onHand - r.reserved);
  }));
});

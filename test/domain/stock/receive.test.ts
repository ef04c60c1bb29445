import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchLot, type LotClaim, type LotHolder } from '../../../domain/stock/match-lot.ts';
import { spreadArrival, type Due } from '../../../domain/stock/receive.ts';

describe('spreadArrival', () => {
  const due: Due[] = [{ levelId: 1, onHand: 5, allotted: false, claims: [{ units: 2 }, { units: 2 }] }, { levelId: 2, onHand: 4, allotted: true, claims: [{ units: 3 }] }];
  const order = [[0, 0], [1, 0], [0, 1]] as const;

  test('claims by their order over all levels', () => {
    expect(spreadArrival(4, due, order)).toEqual({ arrivals: [{ levelId: 1, claims: [2, 0], free: 0 }, { levelId: 2, claims: [2], free: 0 }], surplus: 0 });
  });
  test('then free units, those set apart first; what is left was not announced', () => {
    expect(spreadArrival(8, due, order)).toEqual({ arrivals: [{ levelId: 1, claims: [2, 2], free: 0 }, { levelId: 2, claims: [3], free: 1 }], surplus: 0 });
    expect(spreadArrival(12, due, order)).toEqual({ arrivals: [{ levelId: 1, claims: [2, 2], free: 1 }, { levelId: 2, claims: [3], free: 1 }], surplus: 3 });
  });
  test('nothing announced: all of it is surplus', () => { expect(spreadArrival(3, [], [])).toEqual({ arrivals: [], surplus: 3 }); });
});

describe('matchLot', () => {
  test('the most urgent claims come onto the lot; who is in their way takes their places', () => {
    // 3 of lot 1 have come. Urgent: 2 on lot 0, then 1 on lot 0; least urgent: 1 on lot 1.
    expect(matchLot(1, 3, [{ onHand: 3, reserved: 3 }, { onHand: 3, reserved: 1 }], [{ holder: 0, units: 2 }, { holder: 0, units: 1 }, { holder: 1, units: 1 }])).toEqual([
      { claim: 0, units: 2, from: 0, to: 1 }, { claim: 2, units: 1, from: 1, to: 0 }, { claim: 1, units: 1, from: 0, to: 1 },
    ]);
  });
  test('who has units of the lot already stays; a lot with room needs nobody to leave', () => {
    expect(matchLot(0, 2, [{ onHand: 4, reserved: 2 }, { onHand: 2, reserved: 1 }], [{ holder: 0, units: 2 }, { holder: 1, units: 1 }])).toEqual([]);
    expect(matchLot(0, 3, [{ onHand: 4, reserved: 2 }, { onHand: 2, reserved: 1 }], [{ holder: 0, units: 2 }, { holder: 1, units: 1 }])).toEqual([{ claim: 1, units: 1, from: 1, to: 0 }]);
    expect(matchLot(2, 3, [{ onHand: 4, reserved: 2 }], [{ holder: 0, units: 2 }])).toEqual([]);
  });

  test('nobody loses a unit, no holder promises more than it has, and the lot serves exactly the most urgent', () => {
    const scene = fc.array(fc.record({ onHand: fc.integer({ min: 1, max: 9 }), parts: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 5 }) }), { minLength: 1, maxLength: 4 })
      .chain((raw) => {
        const claims: LotClaim[] = [];
        const holders = raw.map(({ onHand, parts }, holder): LotHolder => {
          let reserved = 0;
          for (const units of parts) {
            if (reserved + units > onHand) continue;
            claims.push({ holder, units });
            reserved += units;
          }
          return { onHand, reserved };
        });
        return fc.record({ holders: fc.constant(holders), claims: fc.shuffledSubarray(claims, { minLength: claims.length }), lot: fc.nat(holders.length - 1), units: fc.integer({ min: 1, max: 12 }) });
      });
    fc.assert(fc.property(scene, ({ holders, claims, lot, units }) => {
      const at = claims.map((c) => holders.map((_, h) => (h === c.holder ? c.units : 0)));
      for (const s of matchLot(lot, units, holders, claims)) {
        const row = at[s.claim] as number[];
        expect(s.units).toBeGreaterThan(0);
        row[s.from] = (row[s.from] as number) - s.units;
        row[s.to] = (row[s.to] as number) + s.units;
      }
      at.forEach((row, i) => {
        expect(Math.min(...row)).toBeGreaterThanOrEqual(0);
        expect(row.reduce((a, b) => a + b)).toBe(claims[i]?.units);
      });
      holders.forEach((h, n) => { expect(at.reduce((sum, row) => sum + (row[n] as number), 0)).toBeLessThanOrEqual(h.onHand); });
      let rest = Math.min(units, holders[lot]?.onHand ?? 0);
      claims.forEach((c, i) => {
        const due = Math.min(rest, c.units);
        expect(at[i]?.[lot]).toBeGreaterThanOrEqual(due);
        rest -= due;
      });
    }), { numRuns: 500 });
  });
});

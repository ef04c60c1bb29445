import { describe, expect, test } from 'vitest';
import { planTransfer, wholeUnits } from '../../../domain/stock/lease.ts';

test('whole bundles: as many as the scarcest component allows', () => {
  expect(wholeUnits([{ perUnit: 2, quantity: 10, missing: 3 }, { perUnit: 1, quantity: 5, missing: 1 }])).toBe(3);
  expect(wholeUnits([{ perUnit: 1, quantity: 5, missing: 0 }])).toBe(5);
  expect(wholeUnits([{ perUnit: 1, quantity: 5, missing: 0 }, { perUnit: 4, quantity: 20, missing: 17 }])).toBe(0);
});

describe('a transfer', () => {
  const leased = [{ levelId: 1, skuId: 7, quantity: 3 }, { levelId: 2, skuId: 7, quantity: 4 }, { levelId: 3, skuId: 8, quantity: 1 }];

  test('serves shortages first, then replaces own units, those to come before those that are there', () => {
    expect(planTransfer(leased, [{ skuId: 7, quantity: 4 }], [{ skuId: 7, quantity: 2, incoming: false }, { skuId: 7, quantity: 2, incoming: true }])).toEqual({
      served: [{ to: 0, levelId: 1, units: 3 }, { to: 0, levelId: 2, units: 1 }],
      replaced: [{ to: 1, levelId: 2, units: 2 }, { to: 0, levelId: 2, units: 1 }],
      excess: [{ levelId: 3, units: 1 }],
    });
  });

  test('leaves what is of no use', () => {
    expect(planTransfer(leased, [{ skuId: 9, quantity: 4 }], [])).toEqual({ served: [], replaced: [], excess: [{ levelId: 1, units: 3 }, { levelId: 2, units: 4 }, { levelId: 3, units: 1 }] });
    expect(planTransfer([], [{ skuId: 7, quantity: 4 }], [])).toEqual({ served: [], replaced: [], excess: [] });
  });
});

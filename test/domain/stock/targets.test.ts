import { describe, expect, test } from 'vitest';
import { planTargets, ruleFor, type Cell, type Target } from '../../../domain/stock/targets.ts';

const target = (mode: Target['mode'], value: number, skuId: number | null = null, locationId: number | null = null): Target => ({ skuId, locationId, mode, value });
const cell = (locationId: number, own: number, parent: number, others = 0): Cell => ({ locationId, own, parent, others });

test('the most specific rule counts', () => {
  const all = [target('units', 1), target('units', 2, null, 5), target('units', 3, 7), target('units', 4, 7, 5)];
  expect([ruleFor(all, 7, 5), ruleFor(all, 7, 6), ruleFor(all, 8, 5), ruleFor(all, 8, 6)].map((t) => t?.value)).toEqual([4, 3, 2, 1]);
  expect(ruleFor([target('units', 3, 7)], 8, 5)).toBeNull();
});

describe('percent', () => {
  test('is of own and parent together, spread by largest remainder, never more than the share', () => {
    // 30 % of 25 is 7.5: 7; in proportion to 10, 10, 5: 2.8, 2.8, 1.4.
    expect(planTargets([target('percent', 30)], 1, [cell(1, 0, 10), cell(2, 4, 6), cell(3, 0, 5)])).toEqual({
      wanted: 7, moved: 3, short: 0, moves: [{ locationId: 1, units: 3 }, { locationId: 2, units: -1 }, { locationId: 3, units: 1 }],
    });
  });
  test('a second run moves nothing', () => {
    expect(planTargets([target('percent', 30)], 1, [cell(1, 3, 7), cell(2, 3, 7), cell(3, 1, 4)])).toEqual({ wanted: 7, moved: 0, short: 0, moves: [] });
  });
  test('0 and 100', () => {
    expect(planTargets([target('percent', 0)], 1, [cell(1, 4, 6)])?.moves).toEqual([{ locationId: 1, units: -4 }]);
    expect(planTargets([target('percent', 100)], 1, [cell(1, 4, 6)])?.moves).toEqual([{ locationId: 1, units: 6 }]);
  });
  test('what others with a share have counts, and is not taken from them', () => {
    expect(planTargets([target('percent', 30)], 1, [cell(1, 0, 50, 50)])).toEqual({ wanted: 30, moved: 30, short: 0, moves: [{ locationId: 1, units: 30 }] });
    expect(planTargets([target('percent', 30)], 1, [cell(1, 0, 10, 90)])).toEqual({ wanted: 30, moved: 10, short: 20, moves: [{ locationId: 1, units: 10 }] });
  });
  test('by location, with another rule elsewhere', () => {
    expect(planTargets([target('percent', 50, 1, 1), target('units', 2)], 1, [cell(1, 0, 9), cell(2, 0, 9), cell(3, 0, 9)])).toEqual({
      wanted: 6, moved: 6, short: 0, moves: [{ locationId: 1, units: 4 }, { locationId: 2, units: 1 }, { locationId: 3, units: 1 }],
    });
  });
});

describe('units', () => {
  test('are spread over the locations in proportion to what is there', () => {
    expect(planTargets([target('units', 10, 1)], 1, [cell(1, 0, 30), cell(2, 0, 10)])?.moves).toEqual([{ locationId: 1, units: 8 }, { locationId: 2, units: 2 }]);
  });
  test('more than there is: all of it, and how much is short', () => {
    expect(planTargets([target('units', 100, 1)], 1, [cell(1, 5, 30), cell(2, 0, 0)])).toEqual({ wanted: 100, moved: 30, short: 65, moves: [{ locationId: 1, units: 30 }] });
  });
  test('too many go back', () => {
    expect(planTargets([target('units', 3, 1)], 1, [cell(1, 10, 0)])).toEqual({ wanted: 3, moved: -7, short: 0, moves: [{ locationId: 1, units: -7 }] });
  });
  test('of a named SKU they are wanted where there is none at all; a target for every SKU asks for none', () => {
    expect(planTargets([target('units', 4, 1)], 1, [])).toEqual({ wanted: 4, moved: 0, short: 4, moves: [] });
    expect(planTargets([target('units', 4, 1, 9)], 1, [cell(2, 0, 8)])).toEqual({ wanted: 4, moved: 0, short: 4, moves: [] });
    expect(planTargets([target('units', 4)], 1, [])).toBeNull();
    expect(planTargets([target('units', 4, 2)], 1, [cell(1, 3, 3)])).toBeNull();
  });
  test('figures beyond 2^53 when multiplied stay exact', () => {
    expect(planTargets([target('units', 1_000_000_000)], 1, [cell(1, 0, 999_999_999), cell(2, 0, 999_999_998), cell(3, 0, 3)])?.moves)
      .toEqual([{ locationId: 1, units: 500_000_000 }, { locationId: 2, units: 499_999_999 }, { locationId: 3, units: 1 }]);
  });
});

import { expect, test } from 'vitest';
import { circle, mayStandUnder } from '../../../domain/stock/hierarchy.ts';

test('brand, group, channel, campaign', () => {
  expect(mayStandUnder('group', 'shared')).toBe(true);
  expect(mayStandUnder('channel', 'group')).toBe(true);
  expect(mayStandUnder('campaign', 'channel')).toBe(true);
  expect(mayStandUnder('campaign', 'shared')).toBe(true);
  expect(mayStandUnder('group', 'channel')).toBe(false);
  expect(mayStandUnder('channel', 'campaign')).toBe(false);
  expect(mayStandUnder('channel', 'declaration')).toBe(false);
});

test('a circle is found, whatever its length', () => {
  const parents = new Map<number, number | null>([[0, null], [1, 0], [2, 1], [3, 2]]);
  expect(circle(3, 1, parents)).toBeNull();
  expect(circle(1, 3, parents)).toEqual([3, 2, 1]);
  expect(circle(2, 2, parents)).toEqual([2]);
});

import { describe, expect, test } from 'vitest';
import { isOpen, limitLevels, sharedUnits, shareOf, SharingBook, type SharingRule } from '../../../domain/stock/sharing.ts';

let ids = 0;
const rule = (changes: Partial<SharingRule> = {}): SharingRule => ({
  id: ++ids, locationId: 1, channelId: null, skuIds: null, category: null, mode: 'all', value: null, hours: null, weekdays: null, priority: 100, ...changes,
});
const NOON = Date.parse('2026-11-23T04:00:00Z'); // Monday, 12:00 in Shanghai
const at = (text: string): number => Date.parse(`${text}+08:00`);
const book = (...rules: SharingRule[]) => new SharingBook(rules, () => 'Asia/Shanghai', (sku) => (sku === 7 ? 'fresh' : null));

test.each<[SharingRule['mode'], number | null, number, number]>([
  ['all', null, 9, 9], ['none', null, 9, 0], ['percent', 50, 9, 4], ['percent', 0, 9, 0], ['percent', 100, 9, 9], ['cap', 5, 9, 5], ['cap', 20, 9, 9], ['cap', 0, 9, 0], ['all', null, -3, 0],
])('%s %s of %i free units shares %i', (mode, value, free, units) => { expect(sharedUnits({ mode, value }, free)).toBe(units); });

describe('hours', () => {
  const open = (changes: Partial<SharingRule>, time: string): boolean => isOpen(rule(changes), 'Asia/Shanghai', at(time));
  test('from the first minute to before the last, in the zone of the location', () => {
    const hours = { from: 600, to: 1200 };
    expect(['09:59:59', '10:00:00', '19:59:59', '20:00:00'].map((t) => open({ hours }, `2026-11-23T${t}`))).toEqual([false, true, true, false]);
    expect(open({ hours: { from: 0, to: 1440 } }, '2026-11-23T23:59:59')).toBe(true);
  });
  test('past midnight they belong to the day on which they begin', () => {
    const night = { hours: { from: 1320, to: 120 }, weekdays: [5] };
    expect(['2026-11-27T21:59', '2026-11-27T22:00', '2026-11-28T01:59', '2026-11-28T02:00', '2026-11-28T22:00', '2026-11-27T01:00'].map((t) => open(night, `${t}:00`))).toEqual([false, true, true, false, false, false]);
  });
  test('weekdays alone are whole days', () => {
    expect(['2026-11-22T23:59', '2026-11-23T00:00', '2026-11-23T23:59', '2026-11-24T00:00'].map((t) => open({ weekdays: [1] }, `${t}:00`))).toEqual([false, true, true, false]);
  });
});

describe('which rule counts', () => {
  const units = (b: SharingBook, sku: number, channel: number, when = NOON): number => b.units(sku, 1, channel, when, 10);
  test('no rule, or none that matches: all is shared', () => {
    expect(units(book(), 1, 1)).toBe(10);
    expect(units(book(rule({ channelId: 2, mode: 'none' })), 1, 1)).toBe(10);
    expect(book(rule({ mode: 'none' })).units(1, 2, 1, NOON, 10)).toBe(10);
  });
  test('SKUs before a category before a channel before everybody', () => {
    const b = book(rule({ mode: 'none' }), rule({ channelId: 1, mode: 'cap', value: 1 }), rule({ category: 'fresh', mode: 'cap', value: 2 }), rule({ category: 'fresh', channelId: 1, mode: 'cap', value: 3 }),
      rule({ skuIds: new Set([7, 8]), mode: 'cap', value: 4 }), rule({ skuIds: new Set([8]), channelId: 1, mode: 'cap', value: 5 }));
    expect([units(b, 1, 2), units(b, 1, 1), units(b, 7, 2), units(b, 8, 2), units(b, 8, 1)]).toEqual([0, 1, 4, 4, 5]);
    expect([1, 2].map((channel) => units(book(rule({ category: 'fresh', mode: 'cap', value: 2 }), rule({ category: 'fresh', channelId: 1, mode: 'cap', value: 3 })), 7, channel))).toEqual([3, 2]);
  });
  test('at a tie the first by priority whose hours are now; when none is open, nothing', () => {
    const day = rule({ mode: 'percent', value: 50, hours: { from: 540, to: 1260 } });
    const lunch = rule({ mode: 'cap', value: 1, hours: { from: 690, to: 780 }, priority: 1 });
    const b = book(day, lunch, rule({ mode: 'all', channelId: null, hours: { from: 0, to: 60 }, priority: 200 }));
    expect(['12:00', '15:00', '22:00', '00:30'].map((t) => units(b, 1, 1, at(`2026-11-23T${t}:00`)))).toEqual([1, 5, 0, 10]);
    // A closed rule that names more is not passed over for one that names less.
    expect(units(book(rule({ mode: 'all' }), rule({ channelId: 1, mode: 'all', hours: { from: 0, to: 60 } })), 1, 1)).toBe(0);
  });
});

test('of units to come a location gives what it shares of both together, less what it shares of those there', () => {
  const share = (_sku: number, _location: number, free: number): number => Math.min(5, free);
  expect(shareOf(share, 1, 1, 3, 9)).toEqual({ there: 3, coming: 2 });
  expect(shareOf(share, 1, 1, 8, 9)).toEqual({ there: 5, coming: 0 });
  expect(shareOf(share, 1, 1, 8, 0)).toEqual({ there: 5, coming: 0 });
  expect(shareOf(null, 1, 1, 8, 9)).toEqual({ there: 8, coming: 9 });
});

test('levels are cut down to the share of their place, the last ones first; what is allotted is not', () => {
  const share = (_sku: number, location: number, free: number): number => (location === 1 ? Math.floor(free / 2) : 0);
  const level = (locationId: number, allotmentId: number, free: number) => ({ skuId: 1, locationId, allotmentId, free });
  const levels = [level(1, 3, 4), level(1, 0, 3), level(1, 0, 7), level(2, 0, 9), level(1, 0, -2)];
  expect(limitLevels(levels, share).map((l) => l.free)).toEqual([4, 3, 2, 0, 0]);
  expect(limitLevels(levels, null)).toBe(levels);
});

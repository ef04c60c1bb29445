import { expect, test } from 'vitest';
import { afterOpen, usualHours } from '../../../domain/promising/hours.ts';

/** 09:00 to 21:00, Monday to Saturday. */
const shop = { timeZone: 'Asia/Shanghai', workDays: [1, 2, 3, 4, 5, 6], closedDays: [] as string[], openMinutes: 540, closeMinutes: 1_260 };
const at = (from: string, minutes: number, changes: Partial<typeof shop> = {}) => afterOpen({ ...shop, ...changes }, new Date(`${from}+08:00`), minutes * 60_000).toISOString();
const local = (text: string) => new Date(`${text}+08:00`).toISOString();

test.each<[string, string, string]>([
  ['while it is open: at once', at('2026-11-23T10:00:00', 10), local('2026-11-23T10:10:00')],
  ['at night: from the next opening', at('2026-11-23T21:30:00', 10), local('2026-11-24T09:10:00')],
  ['before it opens', at('2026-11-23T03:00:00', 10), local('2026-11-23T09:10:00')],
  ['what is left of the time when it closes is for the next day', at('2026-11-23T20:56:00', 10), local('2026-11-24T09:06:00')],
  ['its last minute is one', at('2026-11-23T20:50:00', 10), local('2026-11-23T21:00:00')],
  ['Saturday night: Monday', at('2026-11-28T21:30:00', 10), local('2026-11-30T09:10:00')],
  ['a closed day', at('2026-11-23T21:30:00', 10, { closedDays: ['2026-11-24', '2026-11-25'] }), local('2026-11-26T09:10:00')],
  ['more than a day of it', at('2026-11-23T10:00:00', 13 * 60), local('2026-11-24T11:00:00')],
  ['open past midnight: the night of a Saturday is still Saturday', at('2026-11-29T00:30:00', 10, { openMinutes: 1_080, closeMinutes: 1_560 }), local('2026-11-29T00:40:00')],
  ['around the clock on work days', at('2026-11-28T23:55:00', 10, { openMinutes: 0, closeMinutes: 1_440 }), local('2026-11-30T00:05:00')],
  ['never open: as if it were', at('2026-11-23T10:00:00', 10, { workDays: [] }), local('2026-11-23T10:10:00')],
])('%s', (_, got, wanted) => { expect(got).toBe(wanted); });

test('the hours of its own zone, also over a change of clocks', () => {
  const berlin = { ...shop, timeZone: 'Europe/Berlin', workDays: [7], openMinutes: 540, closeMinutes: 600 };
  expect(afterOpen(berlin, new Date('2026-10-24T12:00:00Z'), 600_000).toISOString()).toBe('2026-10-25T08:10:00.000Z');
  expect(afterOpen(berlin, new Date('2026-10-17T12:00:00Z'), 600_000).toISOString()).toBe('2026-10-18T07:10:00.000Z');
});

test('houses work around the clock, shops and partners do not', () => {
  expect(['warehouse', 'third_party', 'store', 'dealer', 'vendor'].map((kind) => usualHours(kind).openMinutes)).toEqual([0, 0, 540, 540, 540]);
});

import { expect, test } from 'vitest';
import { promise } from '../../../domain/promising/promise.ts';

/** 16:00 local, one hour of handling. */
const location = { timeZone: 'Asia/Shanghai', cutoffMinutes: 960, handlingMinutes: 60, workDays: [1, 2, 3, 4, 5], closedDays: [] as string[] };
const at = (orderedAt: string, changes: Partial<typeof location> = {}, transitDays = 1, scheduledFrom: string | null = null) => {
  const p = promise({ orderedAt: new Date(orderedAt), scheduledFrom: scheduledFrom === null ? null : new Date(scheduledFrom), location: { ...location, ...changes }, transitDays });
  return [p.shipBy.toISOString(), p.deliverBy.toISOString()];
};

test.each<[string, string[], string[]]>([
  ['before the cut-off of a Monday: that day', at('2026-11-23T02:00:00Z'), ['2026-11-23T09:00:00.000Z', '2026-11-24T10:00:00.000Z']],
  ['at the cut-off to the minute', at('2026-11-23T08:00:00Z'), ['2026-11-23T09:00:00.000Z', '2026-11-24T10:00:00.000Z']],
  ['a millisecond later: the next day', at('2026-11-23T08:00:00.001Z'), ['2026-11-24T09:00:00.000Z', '2026-11-25T10:00:00.000Z']],
  ['Friday evening: Monday', at('2026-11-27T09:00:00Z'), ['2026-11-30T09:00:00.000Z', '2026-12-01T10:00:00.000Z']],
  ["the location's own day counts, not UTC's", at('2026-11-22T17:00:00Z'), ['2026-11-23T09:00:00.000Z', '2026-11-24T10:00:00.000Z']],
  ['a scheduled day later on', at('2026-11-23T02:00:00Z', {}, 2, '2026-12-05T00:00:00Z'), ['2026-12-07T09:00:00.000Z', '2026-12-09T10:00:00.000Z']],
  ['same day delivery never before it is out of the house', at('2026-11-23T02:00:00Z', { cutoffMinutes: 1_200, handlingMinutes: 120 }, 0), ['2026-11-23T14:00:00.000Z', '2026-11-23T14:00:00.000Z']],
  ['the night the clocks go back: 16:00 stays 16:00', at('2026-10-24T20:00:00Z', { timeZone: 'Europe/Berlin', workDays: [7] }, 1), ['2026-10-25T16:00:00.000Z', '2026-10-26T17:00:00.000Z']],
  ['a holiday and the weekend after it: Monday', at('2026-11-26T10:00:00Z', { closedDays: ['2026-11-27'] }), ['2026-11-30T09:00:00.000Z', '2026-12-01T10:00:00.000Z']],
  ["a holiday is a day of the location's calendar", at('2026-11-22T17:00:00Z', { closedDays: ['2026-11-23'] }), ['2026-11-24T09:00:00.000Z', '2026-11-25T10:00:00.000Z']],
])('%s', (_, got, wanted) => { expect(got).toEqual(wanted); });

test('a location that never works promises nothing', () => { expect(() => at('2026-11-23T02:00:00Z', { workDays: [] })).toThrow(RangeError); });
test('a location that is closed for years promises nothing', () => {
  const closedDays = Array.from({ length: 1_200 }, (_, i) => new Date(Date.UTC(2026, 10, 23 + i)).toISOString().slice(0, 10));
  expect(() => at('2026-11-23T02:00:00Z', { closedDays })).toThrow(RangeError);
});

import { expect, test } from 'vitest';
import { handOver, handOverDay } from '../../../domain/promising/hand-over.ts';
import { promise } from '../../../domain/promising/promise.ts';

const DAY = 86_400_000;
const at = (timeZone: string) => ({ timeZone, cutoffMinutes: 960, handlingMinutes: 60, workDays: [1, 2, 3, 4, 5, 6, 7] });
const iso = (ms: number): string => new Date(ms).toISOString();

test('a promise ends at 18:00 of the destination, whoever sends', () => {
  const orderedAt = new Date('2026-11-23T15:00:00Z');
  const by = (timeZone: string, arrivesIn?: string) => promise({ orderedAt, scheduledFrom: null, location: at(timeZone), transitDays: 2, arrivesIn }).deliverBy.toISOString();
  expect(['America/New_York', 'America/Los_Angeles'].map((zone) => by(zone, 'America/New_York'))).toEqual(['2026-11-25T23:00:00.000Z', '2026-11-25T23:00:00.000Z']);
  expect(by('America/Los_Angeles')).toBe('2026-11-26T02:00:00.000Z');
});

test.each([['2027-03-12T15:00:00Z', '2027-03-15T22:00:00.000Z'], ['2026-10-30T15:00:00Z', '2026-11-02T23:00:00.000Z'], ['2026-11-23T15:00:00Z', '2026-11-26T23:00:00.000Z']])(
  'an arrival that is counted in days is on the hour of its promise, though clocks change on the way (%s)', (ordered, deliverBy) => {
    const input = { orderedAt: new Date(ordered), scheduledFrom: null, location: at('America/New_York') };
    const promised = promise({ ...input, transitDays: 3 }).deliverBy;
    expect(promised.toISOString()).toBe(deliverBy);
    for (const zone of ['America/New_York', 'America/Los_Angeles']) expect(iso(handOver({ ...input, location: at(zone), arrivesIn: 'America/New_York' }, promised.getTime()) + 3 * DAY)).toBe(deliverBy);
  });

test('without a promise it is the clock of its own day', () => {
  expect(iso(handOver({ orderedAt: new Date('2026-11-23T02:00:00Z'), scheduledFrom: null, location: at('Asia/Shanghai') }, null))).toBe('2026-11-23T10:00:00.000Z');
});

/** 16:00 local, two days of handling, closed at weekends. */
const shop = { timeZone: 'Asia/Shanghai', cutoffMinutes: 960, handlingMinutes: 2 * 1440, workDays: [1, 2, 3, 4, 5], closedDays: ['2026-11-24'] };
const dayOf = (text: string, scheduled: string | null = null) => {
  const { day, cutoff } = handOverDay(shop, new Date(text), scheduled === null ? null : new Date(scheduled));
  return [day, cutoff.toISOString()];
};

test.each<[string, string[], string[]]>([
  ['Saturday, Sunday and Monday morning are of Monday', dayOf('2026-11-21T02:00:00Z'), ['2026-11-23', '2026-11-23T08:00:00.000Z']],
  ['at the cut-off', dayOf('2026-11-23T08:00:00Z'), ['2026-11-23', '2026-11-23T08:00:00.000Z']],
  ['after it: the day after the holiday', dayOf('2026-11-23T08:00:00.001Z'), ['2026-11-25', '2026-11-25T08:00:00.000Z']],
  ['scheduled', dayOf('2026-11-21T02:00:00Z', '2026-11-26T00:00:00Z'), ['2026-11-26', '2026-11-26T08:00:00.000Z']],
])('%s', (_, got, wanted) => { expect(got).toEqual(wanted); });

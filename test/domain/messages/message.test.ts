import { describe, expect, test } from 'vitest';
import { fill, mayWrite, retryAfterS } from '../../../domain/messages/message.ts';
import { afterQuiet } from '../../../domain/messages/quiet.ts';

test('parameters are filled in; what is missing is named, and what a value says is not read as a template', () => {
  expect(fill('{recipient}: parcel {no} is at {place}. {no}', { recipient: 'Li', no: '{place}' })).toEqual({ text: 'Li: parcel {place} is at . {place}', missing: ['place'] });
  expect(fill('100 {} {constructor}', {})).toEqual({ text: '100 {} ', missing: ['constructor'] });
});

test('an offer needs a yes; a service goes until a no', () => {
  expect([mayWrite('service', null), mayWrite('service', true), mayWrite('service', false)]).toEqual(['yes', 'yes', 'opted_out']);
  expect([mayWrite('marketing', null), mayWrite('marketing', true), mayWrite('marketing', false)]).toEqual(['no_consent', 'yes', 'opted_out']);
});

test('tries are further apart each time, up to four hours', () => {
  expect([0, 1, 2, 3, 8, 99].map(retryAfterS)).toEqual([5, 5, 30, 120, 14_400, 14_400]);
});

describe('quiet hours', () => {
  const at = (text: string): number => Date.parse(text);
  const night = { from: 22 * 60, to: 8 * 60, timeZone: 'Asia/Shanghai' };
  test.each([
    ['2026-11-28T13:59:59Z', '2026-11-28T13:59:59Z'], // 21:59:59 there
    ['2026-11-28T14:00:00Z', '2026-11-29T00:00:00Z'],
    ['2026-11-28T16:30:20Z', '2026-11-29T00:00:00Z'],
    ['2026-11-28T23:59:59Z', '2026-11-29T00:00:00Z'],
    ['2026-11-29T00:00:00Z', '2026-11-29T00:00:00Z'],
  ])('across midnight: %s → %s', (from, to) => { expect(new Date(afterQuiet(at(from), night)).toISOString()).toBe(new Date(to).toISOString()); });
  test('within a day, and none at all', () => {
    const noon = { from: 720, to: 780, timeZone: 'UTC' };
    expect(afterQuiet(at('2026-11-28T12:30:00Z'), noon)).toBe(at('2026-11-28T13:00:00Z'));
    expect(afterQuiet(at('2026-11-28T13:00:00Z'), noon)).toBe(at('2026-11-28T13:00:00Z'));
    expect(afterQuiet(at('2026-11-28T12:30:00Z'), { ...noon, to: 720 })).toBe(at('2026-11-28T12:30:00Z'));
  });
});

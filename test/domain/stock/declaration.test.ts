import { describe, expect, test } from 'vitest';
import { nextDeclarationStep, type DeclarationFacts } from '../../../domain/stock/declaration-flow.ts';
import { contractLine, oversold, shelfConfidence, takeInOrder, type ContractSource } from '../../../domain/stock/declaration.ts';

const source = (units: number, firm: boolean, confidence: number): ContractSource => ({ location: 'L', supply: firm ? null : 'S', lot: null, lotExpiresOn: null, expectedAt: null, units, firm, confidence });

test('a location that was counted has its share of matches, any other one the constant', () => {
  expect(shelfConfidence({ counted: 3, matched: 2 }, 0.9)).toBe(0.6667);
  expect(shelfConfidence({ counted: 0, matched: 0 }, 0.9)).toBe(0.9);
  expect(shelfConfidence(null, 0.9)).toBe(0.9);
});

test('a contract line weighs its sources by units', () => {
  expect(contractLine('A', [source(30, true, 1), source(10, false, 0.6)])).toMatchObject({ sku: 'A', firm: 30, soft: 10, confidence: 0.9 });
  expect(contractLine('A', [])).toMatchObject({ firm: 0, soft: 0, confidence: 0 });
});

test('units are taken in order, or not at all', () => {
  const free = new Map([[1, 2], [2, -1], [3, 5]]);
  expect(takeInOrder([1, 2, 3], 4, free)).toEqual([{ levelId: 1, units: 2 }, { levelId: 3, units: 2 }]);
  expect(takeInOrder([1, 2, 3], 4, free)).toBeNull();
  expect([...free]).toEqual([[1, 0], [2, -1], [3, 3]]);
  expect(takeInOrder([9], 1, free)).toBeNull();
});

test('oversold is what was sold beyond what the session had', () => {
  const line = { sku: 'A', declared: 10, toppedUp: 2, givenBack: 1, sold: 11, reserved: 0, issued: 11, beyond: 4, cancelled: 0, returned: 0, short: 0, free: 0, firm: 0, soft: 0, released: 0 };
  expect(oversold(line)).toBe(0);
  expect(oversold({ ...line, sold: 12 })).toBe(1);
  expect(oversold({ ...line, sold: 10, released: 2 })).toBe(1);
});

describe('the next step', () => {
  const T = (hours: number): string => new Date(Date.UTC(2026, 10, 23, hours)).toISOString();
  const facts: DeclarationFacts = { status: 'declared', startsAt: T(2), endsAt: T(6), settleBy: T(30), unpaid: 0, nextPaymentDue: null, reserved: 0 };
  test.each<[string, Partial<DeclarationFacts>, string, ReturnType<typeof nextDeclarationStep>]>([
    ['waits for its start', {}, T(1), { do: 'wait', until: T(2) }],
    ['goes live at its start', {}, T(2), { do: 'go_live' }],
    ['waits for its end', { status: 'live' }, T(3), { do: 'wait', until: T(6) }],
    ['ends at its end', { status: 'live' }, T(6), { do: 'end' }],
    ['settles when everything is paid', { status: 'settling' }, T(6), { do: 'settle' }],
    ['waits until unpaid orders have expired', { status: 'settling', unpaid: 1, nextPaymentDue: T(7) }, T(6), { do: 'wait', until: '2026-11-23T07:00:05.000Z' }],
    ['looks again soon when a payment is overdue', { status: 'settling', unpaid: 1, nextPaymentDue: T(5) }, T(6), { do: 'wait', until: '2026-11-23T06:00:05.000Z' }],
    ['waits no longer than the deadline', { status: 'settling', unpaid: 1, nextPaymentDue: T(99) }, T(6), { do: 'wait', until: T(30) }],
    ['settles at the deadline whatever is unpaid', { status: 'settling', unpaid: 1, nextPaymentDue: T(99) }, T(30), { do: 'settle' }],
    ['looks after reserved units once settled', { status: 'settled', reserved: 1 }, T(8), { do: 'wait', until: '2026-11-23T08:10:00.000Z' }],
    ['is over with the last reserved unit', { status: 'settled' }, T(8), { do: 'finish' }],
    ['is over when cancelled', { status: 'cancelled' }, T(1), { do: 'finish' }],
  ])('%s', (_, changes, now, step) => { expect(nextDeclarationStep({ ...facts, ...changes }, now)).toEqual(step); });
});

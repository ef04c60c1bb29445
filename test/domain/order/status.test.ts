import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AT_LOCATION, deriveStatus, FULFILLMENT_STATUSES, LEFT, ORDER_STATUSES, TERMINAL, UNRELEASED, VOID, type StatusInput } from '../../../domain/order/status.ts';

const input = (changes: Partial<StatusInput>): StatusInput => ({
  current: 'captured', heldOpen: false, awaitingPayment: false, validated: true, waitingForStock: false, unroutedUnits: 0, fulfillments: [], cancelledWhole: false, windowOver: false, ...changes,
});

test.each<[string, Partial<StatusInput>]>([
  ['captured', { validated: false, unroutedUnits: 3 }],
  ['awaiting_payment', { validated: false, awaitingPayment: true, unroutedUnits: 3 }],
  ['on_hold', { heldOpen: true, awaitingPayment: true, unroutedUnits: 3 }],
  ['on_hold', { heldOpen: true, fulfillments: ['accepted'] }],
  ['confirmed', { unroutedUnits: 3 }],
  ['backordered', { unroutedUnits: 3, waitingForStock: true }],
  ['routed', { fulfillments: ['routed', 'routed'] }],
  ['confirmed', { fulfillments: ['routed'], unroutedUnits: 1 }],
  ['in_fulfillment', { fulfillments: ['routed', 'releasing'] }],
  ['in_fulfillment', { fulfillments: ['packed'], waitingForStock: true, unroutedUnits: 1 }],
  ['partially_shipped', { fulfillments: ['issued', 'packed'] }],
  ['partially_shipped', { fulfillments: ['delivered'], unroutedUnits: 1, waitingForStock: true }],
  ['shipped', { fulfillments: ['issued', 'delivered'] }],
  ['shipped', { fulfillments: ['issued'], heldOpen: true }],
  ['delivered', { fulfillments: ['delivered', 'returned'] }],
  ['delivered', { fulfillments: ['lost', 'returned'] }],
  ['shipped', { fulfillments: ['lost', 'issued'] }],
  ['closed', { fulfillments: ['delivered'], windowOver: true }],
  ['closed', { fulfillments: ['lost'], windowOver: true }],
  ['shipped', { fulfillments: ['issued'], windowOver: true }],
  ['cancelled', { cancelledWhole: true }],
  ['cancelled', { cancelledWhole: true, awaitingPayment: true, heldOpen: true }],
  ['in_fulfillment', { cancelledWhole: true, fulfillments: ['packed'] }],
])('%s when %j', (status, changes) => { expect(deriveStatus(input(changes))).toBe(status); });

test.each([...TERMINAL])('%s is never left', (current) => {
  expect(deriveStatus(input({ current, fulfillments: ['packed'], unroutedUnits: 3, heldOpen: true }))).toBe(current);
});

test('whatever the facts, a status comes out, and goods that have left are never hidden', () => {
  fc.assert(fc.property(
    fc.record({
      current: fc.constantFrom(...ORDER_STATUSES.filter((s) => !TERMINAL.has(s))), heldOpen: fc.boolean(), awaitingPayment: fc.boolean(), validated: fc.boolean(), waitingForStock: fc.boolean(),
      unroutedUnits: fc.nat(3), fulfillments: fc.array(fc.constantFrom(...FULFILLMENT_STATUSES.filter((s) => !VOID.has(s))), { maxLength: 4 }), cancelledWhole: fc.boolean(), windowOver: fc.boolean(),
    }),
    (facts) => {
      const status = deriveStatus(facts);
      expect(ORDER_STATUSES).toContain(status);
      const left = facts.fulfillments.some((f) => LEFT.has(f));
      expect(['partially_shipped', 'shipped', 'delivered', 'closed'].includes(status)).toBe(left);
    }));
});

test('every state of a fulfillment order is in exactly one group', () => {
  for (const status of FULFILLMENT_STATUSES) expect([UNRELEASED, AT_LOCATION, LEFT, VOID].filter((g) => g.has(status))).toHaveLength(1);
});

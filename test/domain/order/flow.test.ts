import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextStep, type OrderFacts } from '../../../domain/order/flow.ts';

const NOW = '2026-11-23T02:00:00.000Z';
const BEFORE = '2026-11-23T01:59:59.999Z';
const AFTER = '2026-11-23T02:00:01.000Z';
const LATER = '2026-11-23T03:00:00.000Z';
const facts = (changes: Partial<OrderFacts>): OrderFacts => ({
  v: 1, status: 'confirmed', done: false, holdReason: null, validated: true, awaitingPaymentUntil: null, toReserve: false, backorderUntil: null, toRoute: false, routeAfter: null,
  toRelease: [], toRecall: [], toIntercept: [], returnWork: false, nextDeadline: null, promiseBy: null, locations: [], ...changes,
});
const step = (changes: Partial<OrderFacts>) => nextStep(facts(changes), NOW);

test.each<[string, Partial<OrderFacts>, unknown]>([
  ['an order that is over', { done: true }, { do: 'finish' }],
  ['over, but a location must still be told', { done: true, toRecall: ['f'] }, { do: 'ship', release: [], recall: ['f'], intercept: [] }],
  ['a fresh order', { validated: false, toReserve: true }, { do: 'validate' }],
  ['validated', { toReserve: true }, { do: 'reserve' }],
  ['reserved', { toRoute: true }, { do: 'route' }],
  ['routed', { toRelease: ['f', 'g'] }, { do: 'ship', release: ['f', 'g'], recall: [], intercept: [] }],
  ['taking back comes before releasing', { toRelease: ['f'], toRecall: ['g'], toIntercept: ['p'] }, { do: 'ship', release: [], recall: ['g'], intercept: ['p'] }],
  ['a location to be reminded', { status: 'in_fulfillment', toRemind: ['f'], nextDeadline: BEFORE }, { do: 'ship', release: [], recall: [], intercept: [], remind: ['f'] }],
  ['releasing comes before reminding', { toRelease: ['g'], toRemind: ['f'] }, { do: 'ship', release: ['g'], recall: [], intercept: [] }],
  ['nobody to be reminded', { toRoute: true, toRemind: [] }, { do: 'route' }],
  ['a return to work on', { status: 'delivered', returnWork: true, nextDeadline: BEFORE }, { do: 'return' }],
  ['a merge window that is over', { toRoute: true, routeAfter: BEFORE }, { do: 'route' }],
  ['a merge window that ends now', { toRoute: true, routeAfter: NOW }, { do: 'route' }],
  ['missing units whose time is over', { backorderUntil: BEFORE }, { do: 'reserve' }],
  ['a deadline that has passed', { status: 'in_fulfillment', nextDeadline: BEFORE }, { do: 'track' }],
])('%s', (_, changes, expected) => { expect(step(changes)).toEqual(expected); });

test.each<[string, Partial<OrderFacts>, string | null, string]>([
  ['unpaid: PostgreSQL decides the expiry', { validated: false, awaitingPaymentUntil: AFTER, toReserve: true }, null, 'payment'],
  ['on hold', { holdReason: 'amount', toRelease: ['f'], toRoute: true }, null, 'a hold to be released: amount'],
  ['on hold with a location that must accept', { holdReason: 'manual', nextDeadline: AFTER }, AFTER, 'a hold'],
  ['a merge window', { toRoute: true, routeAfter: AFTER }, AFTER, 'the merge window'],
  ['backordered', { status: 'backordered', backorderUntil: LATER }, LATER, 'stock, until'],
  ['at a location', { status: 'in_fulfillment', nextDeadline: AFTER, locations: ['L-1'] }, AFTER, 'the location (L-1)'],
  ['whichever comes first', { status: 'in_fulfillment', nextDeadline: LATER, backorderUntil: AFTER }, AFTER, 'the location'],
  ['on its way', { status: 'shipped' }, null, 'the carrier'],
  ['in the return window', { status: 'delivered', nextDeadline: LATER }, LATER, 'the return window'],
])('waits: %s', (_, changes, until, reason) => {
  const next = step(changes);
  expect(next).toMatchObject({ do: 'wait', until });
  expect(next.do === 'wait' ? next.for : '').toContain(reason);
});

test('never waits for a moment that has passed, but where a hold stands', () => {
  const date = fc.constantFrom(null, BEFORE, NOW, AFTER, LATER);
  const ids = fc.constantFrom<string[]>([], ['a']);
  fc.assert(fc.property(
    fc.record({ done: fc.boolean(), validated: fc.boolean(), toReserve: fc.boolean(), toRoute: fc.boolean(), returnWork: fc.boolean(), backorderUntil: date, routeAfter: date, nextDeadline: date,
      toRelease: ids, toRecall: ids, toIntercept: ids }),
    (changes) => {
      const next = step(changes);
      if (next.do === 'wait' && next.until !== null) expect(next.until > NOW).toBe(true);
      if (next.do === 'finish') expect(changes.done).toBe(true);
    }));
});

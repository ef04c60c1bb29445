import { expect, test } from 'vitest';
import { appliedBut, appliedOf, nextSteps, type Applied, type Step } from '../../../domain/channel/next-steps.ts';
import type { SeenLine, SeenOrder } from '../../../domain/channel/seen-order.ts';

const keep = (s: string): string => s;
const line = (lineId: string, quantity: number, cancelled = 0): SeenLine => ({ lineId, itemId: null, platformSku: lineId, merchantCode: null, title: '', quantity, cancelled, unitPrice: 100, discounts: [], gift: false });
const order = (version: number, lines: SeenLine[], status: SeenOrder['status'] = 'to_ship'): SeenOrder => ({
  externalId: '1', version, status, fulfilledBy: 'us', currency: 'CNY', orderedAt: 1, paidAt: 1, shipBy: null, cashOnDelivery: false, buyer: { id: null, name: null }, address: null, wantedAddress: null, lines, discounts: [], freight: 0,
  buyerRemark: null, sellerRemark: null, session: null, afterSales: [], parcels: [],
});
const captured = new Map([['A', 2], ['B', 1]]);
const first = order(1, [line('A', 2), line('B', 1)]);
const applied = appliedOf(first, null, keep);
const steps = (was: Applied, seen: SeenOrder, of = captured): Step[] => {
  const verdict = nextSteps(was, seen, keep, of);
  if (verdict.verdict !== 'steps') throw new Error(verdict.reason);
  return verdict.steps;
};

test('the same lines ask for nothing', () => { expect(steps(applied, { ...first, version: 2 })).toEqual([]); });

test.each([
  ['another line', [line('A', 2), line('B', 1), line('C', 3)], 'line C: 3 (0)'],
  ['more of a line', [line('A', 5), line('B', 1)], 'line A: 5 (2)'],
])('%s holds the order', (_, lines, why) => {
  expect(steps(applied, order(2, lines))).toEqual([{ do: 'hold_changed', why: `the platform has more of it than was captured: ${why}`, key: expect.stringMatching(/^lines:[AC]=/) as string }]);
});

test.each([
  ['a lower quantity', [line('A', 1), line('B', 1)], [{ lineId: 'A', cancelled: 1 }]],
  ['units that are cancelled', [line('A', 2, 1), line('B', 1)], [{ lineId: 'A', cancelled: 1 }]],
  ['a line that is gone', [line('A', 2)], [{ lineId: 'B', cancelled: 1 }]],
])('%s is cancelled here', (_, lines, wanted) => { expect(steps(applied, order(2, lines))).toEqual([{ do: 'cancel_units', lines: wanted }]); });

test('units that were cancelled before the order was captured are not cancelled once more', () => {
  const seen = order(1, [line('A', 3, 1), line('B', 1)]);
  expect(steps(appliedOf(seen, null, keep), order(2, [line('A', 3, 2), line('B', 1)]))).toEqual([{ do: 'cancel_units', lines: [{ lineId: 'A', cancelled: 1 }] }]);
});

test('less of one line and more of another: the less is cancelled, the more holds it', () => {
  expect(steps(applied, order(2, [line('A', 1), line('B', 2)])).map((s) => s.do)).toEqual(['cancel_units', 'hold_changed']);
});

test('an order that shows no line at all is held, not cancelled; one that has left may leave lines out', () => {
  expect(steps(applied, order(2, []))).toEqual([{ do: 'hold_changed', why: 'the platform shows no line of it any more', key: 'lines:none' }]);
  expect(steps(applied, order(2, [line('A', 2)], 'shipped'))).toEqual([]);
});

test('an order that lives again after it was cancelled is held, and nothing else is done to it', () => {
  const cancelled = appliedOf(order(2, first.lines, 'cancelled'), applied, keep);
  expect(steps(cancelled, order(3, [line('A', 4), line('B', 1)]))).toEqual([{ do: 'hold_changed', why: 'the platform has it again, after it was cancelled', key: 'cancelled' }]);
});

test('a change that was seen to holds no more; the next one does', () => {
  const seen = appliedOf(order(2, [line('A', 5), line('B', 1)]), applied, keep);
  expect(steps(seen, order(3, [line('A', 5), line('B', 1)]))).toEqual([]);
  expect(steps(seen, order(3, [line('A', 4), line('B', 1)]))).toEqual([]);
  expect(steps(seen, order(3, [line('A', 1), line('B', 1)]))).toEqual([{ do: 'cancel_units', lines: [{ lineId: 'A', cancelled: 1 }] }]);
  expect(steps(seen, order(3, [line('A', 6), line('B', 1)])).map((s) => s.do)).toEqual(['hold_changed']);
});

test('what a version before has applied, without units, is compared with what was captured', () => {
  const { units: _units, ...old } = applied;
  expect([steps(old, order(2, first.lines)), steps(old, order(2, [line('A', 1), line('B', 1)])), steps(old, order(2, [line('A', 3), line('B', 1)])).map((s) => s.do)])
    .toEqual([[], [{ do: 'cancel_units', lines: [{ lineId: 'A', cancelled: 1 }] }], ['hold_changed']]);
});

test('an after-sale that was decided before it was seen, and waits, asks for the same again, and is closed when it is withdrawn', () => {
  const claim = (status: 'agreed' | 'closed') => ({ id: '1', kind: 'refund' as const, status, lines: [], amount: null, reason: '', waybill: null, version: 1 });
  const seen = { ...first, version: 2, afterSales: [claim('agreed')] };
  const wanted = steps(applied, seen);
  const waits = appliedBut(wanted, seen, applied, keep, captured);
  expect([wanted, steps(waits, seen), steps(waits, { ...seen, afterSales: [claim('closed')] }), steps(waits, { ...seen, afterSales: [] }).map((s) => s.do)]).toEqual([
    [{ do: 'refund', afterSale: claim('agreed') }], wanted, [{ do: 'close_after_sale', afterSale: claim('closed') }], ['close_after_sale']]);
});

test('a cancellation that waits is asked for again, and nothing of its after-sales is taken as done', () => {
  const was: Applied = { ...applied, afterSales: { 1: 'requested' } };
  const seen = order(2, first.lines, 'cancelled');
  const waits = appliedBut([{ do: 'cancel' }], seen, was, keep, captured);
  expect([waits.status, waits.afterSales, waits.version, steps(waits, seen)]).toEqual(['to_ship', { 1: 'requested' }, 2, [{ do: 'cancel' }]]);
});

test('what is asked for is kept with its version, or that of its order', () => {
  const claim = (id: string, status: 'requested' | 'agreed', version: number) => ({ id, kind: 'refund' as const, status, lines: [], amount: null, reason: '', waybill: null, version });
  expect([appliedOf({ ...first, version: 7, afterSales: [claim('1', 'requested', 5), claim('2', 'agreed', 6), claim('3', 'requested', 0)] }, null, keep).claims, applied.claims]).toEqual([{ 1: 5, 3: 7 }, undefined]);
});

test('an after-sale that is asked for and shown no more is closed; one that was agreed to is left', () => {
  const claim = (id: string, status: 'requested' | 'agreed') => ({ id, kind: 'refund' as const, status, lines: [], amount: null, reason: '', waybill: null, version: 1 });
  const was = appliedOf({ ...first, afterSales: [claim('1', 'requested'), claim('2', 'agreed'), claim('3', 'requested')] }, applied, keep);
  expect(steps(was, { ...first, version: 2, afterSales: [claim('3', 'requested')] })).toEqual([{ do: 'close_after_sale', afterSale: expect.objectContaining({ id: '1', status: 'closed' }) as object }]);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { advance, MILESTONES, WAKING, type Milestone } from '../../../domain/order/milestone.ts';

const at = (minute: number): Date => new Date(Date.UTC(2026, 0, 1, 0, minute));
const step = (from: Milestone, to: Milestone, later = true): Milestone => advance({ milestone: from, at: at(10) }, { milestone: to, at: at(later ? 20 : 5) });

test.each<[Milestone, Milestone, Milestone]>([
  ['issued', 'picked_up', 'picked_up'],
  ['picked_up', 'delivered', 'delivered'],
  ['in_transit', 'picked_up', 'in_transit'],
  ['delivered', 'in_transit', 'delivered'],
  ['delivered', 'lost', 'delivered'],
  ['lost', 'delivered', 'delivered'],
  ['lost', 'in_transit', 'lost'],
  ['lost', 'returning', 'returning'],
  ['out_for_delivery', 'attempt_failed', 'attempt_failed'],
  ['attempt_failed', 'out_for_delivery', 'out_for_delivery'],
  ['exception', 'out_for_delivery', 'out_for_delivery'],
  ['returning', 'out_for_delivery', 'returning'],
  ['returning', 'delivered', 'delivered'],
  ['returning', 'returned', 'returned'],
  ['returned', 'delivered', 'returned'],
  ['delivered', 'returning', 'returning'],
  ['delivered', 'exception', 'delivered'],
  ['in_transit', 'customs', 'customs'],
  ['customs', 'in_transit', 'in_transit'],
  ['out_for_delivery', 'ready_for_pickup', 'ready_for_pickup'],
  ['ready_for_pickup', 'customs', 'ready_for_pickup'],
])('%s, then %s: %s', (from, to, expected) => { expect(step(from, to)).toBe(expected); });

test('news that is older does not turn a failed attempt back', () => {
  expect(step('attempt_failed', 'out_for_delivery', false)).toBe('attempt_failed');
  expect(step('lost', 'returning', false)).toBe('lost');
  expect(step('delivered', 'returning', false)).toBe('delivered');
  expect(step('returning', 'delivered', false)).toBe('returning');
});

test('news that is older but further on counts all the same', () => { expect(step('picked_up', 'delivered', false)).toBe('delivered'); });

test('repeated news changes nothing', () => { for (const m of MILESTONES) expect(step(m, m)).toBe(m); });

test('whatever came before, a delivered parcel stays so unless it is sent back, and one that came back stays so', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom(...MILESTONES), fc.nat(1000)), { maxLength: 30 }), (news) => {
    let state = { milestone: 'issued' as Milestone, at: at(0) };
    for (const [milestone, minute] of news) {
      const before = state.milestone;
      const next = advance(state, { milestone, at: at(minute) });
      if (next !== before) state = { milestone: next, at: at(minute) };
      if (before === 'returned') expect(next).toBe('returned');
      if (before === 'delivered') expect(['delivered', 'returning', 'returned']).toContain(next);
    }
  }));
});

test('what needs somebody wakes the workflow', () => {
  expect([...WAKING].sort()).toEqual(['attempt_failed', 'delivered', 'exception', 'lost', 'returned']);
});

import { expect, test } from 'vitest';
import type { Milestone } from '../../../domain/order/milestone.ts';
import { withoutPeople } from '../../../domain/order/redact.ts';
import { silence, type TrackingRule } from '../../../domain/order/silence.ts';

const rule: TrackingRule = { pickupHours: 24, stuckHours: 48, lostHours: 240, returned: true };
const now = new Date('2026-11-28T00:00:00Z');
const after = (milestone: Milestone, hours: number, r = rule) => silence({ milestone, heardAt: new Date(now.getTime() - hours * 3_600_000) }, r, now);

test.each<[Milestone, number, string | null]>([
  ['issued', 23.9, null], ['issued', 24, 'not_picked_up'], ['in_transit', 24, null], ['in_transit', 48, 'stuck'], ['ready_for_pickup', 48, 'stuck'], ['in_transit', 240, 'lost'], ['issued', 240, 'lost'],
  ['delivered', 999, null], ['returned', 999, null], ['lost', 999, null],
])('%s, silent for %d hours: %s', (milestone, hours, kind) => { expect(after(milestone, hours)?.kind ?? null).toBe(kind); });

test('a rule that says never', () => {
  const never = { pickupHours: null, stuckHours: null, lostHours: null, returned: false };
  expect([after('issued', 9_999, never), after('in_transit', 9_999, never)]).toEqual([null, null]);
});

test.each([
  ['派送中,派件员:王小二 13800138000', '派送中,派件员:*** ***'], ['已签收,签收人:张三', '已签收,签收人:***'], ['Delivered. Signed by: J. DOE', 'Delivered. Signed by: *** DOE'], ['call +86 138-0013-8000 now', 'call *** now'],
  ['SF7444000000001 到达上海', 'SF7444000000001 到达上海'], ['到达 上海 200000', '到达 上海 200000'],
])('%s is kept as %s', (text, kept) => { expect(withoutPeople(text, 'SF7444000000001')).toBe(kept); });

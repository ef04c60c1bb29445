import { expect, test } from 'vitest';
import { report, type ReportInput } from '../../../domain/clearance/report.ts';
import { inWords } from '../../../domain/clearance/words.ts';

const day = (n: number): string => new Date(Date.UTC(2026, 10, 1 + n)).toISOString();
const input = (changes: Partial<ReportInput> = {}): ReportInput => ({
  status: 'ended', reason: 'target', startsAt: day(0), startedAt: day(0), endedAt: day(10), plannedEnd: day(14), target: 800, budget: 100_000, spent: 22_600,
  skus: [{ sku: 'A', stock: 100, listPrice: 1000, cost: 400, basePerDay: 1, soldElsewhere: 0 }],
  stages: [
    { no: 1, kind: 'staff', openedAt: day(0), closedAt: day(4), end: 'time', fixedCost: 0, messages: 0, messageCost: 0, partnerCost: 0 },
    { no: 2, kind: 'coupon', openedAt: day(4), closedAt: day(10), end: 'campaign', fixedCost: 100, messages: 50, messageCost: 500, partnerCost: 0 },
    { no: 3, kind: 'markdown', openedAt: null, closedAt: null, end: null, fixedCost: 0, messages: 0, messageCost: 0, partnerCost: 0 },
  ],
  sales: [{ stage: 1, sku: 'A', units: 20, list: 20_000, net: 16_000, ownDiscount: 4_000, borne: 0 }, { stage: 2, sku: 'A', units: 60, list: 60_000, net: 42_000, ownDiscount: 18_000, borne: 0 }],
  neighbours: [], elsewhere: { basePerDay: 3, units: 30 }, ...changes,
});

test('sell-through, money and ROI by stage, against what would have been sold at list price', () => {
  const r = report(input());
  expect(r).toMatchObject({ sellThrough: 800, sold: 80, stock: 100, missing: 0, revenue: 58_000, discount: 22_000, cost: 600, spent: 22_600, margin: 58_000 - 32_000 - 600, trend: 1, netMargin: 25_400 });
  // 4 units × 600 anyway: 16 000 − 8 000 − 2 400
  expect(r.stages[0]).toMatchObject({ units: 20, baseUnits: 4, extraUnits: 16, margin: 8_000, gain: 5_600, roi: 1.4 });
  // 42 000 − 24 000 − 3 600 − 600
  expect(r.stages[1]).toMatchObject({ units: 60, baseUnits: 6, extraUnits: 54, margin: 18_000, cost: 600, gain: 13_800, roi: 0.74 });
  expect(r.stages[2]).toMatchObject({ units: 0, baseUnits: 0, gain: 0, roi: null });
  expect(r.skus).toEqual([{ sku: 'A', stock: 100, sold: 80, sellThrough: 800, revenue: 58_000, discount: 22_000, margin: 26_000, left: 20 }]);
});

test('what a partner brand bears is paid back to us; what we bear of its goods and gifts is a cost of the stage', () => {
  const { stages, sales } = input();
  const r = report(input({ sales: sales.map((x) => (x.stage === 1 ? { ...x, borne: 1_500 } : x)), stages: stages.map((x) => (x.no === 2 ? { ...x, partnerCost: 700 } : x)) }));
  expect([r.stages[0]?.margin, r.stages[0]?.gain, r.stages[1]?.cost, r.stages[1]?.gain, r.cost, r.margin]).toEqual([9_500, 7_100, 1_300, 13_100, 1_300, 26_000 - 1_300 + 1_500]);
});

test('neighbours lose what they sold less than expected under the trend of everything else', () => {
  const neighbours = [
    { scope: 'category' as const, name: 'B', basePerDay: 10, units: 60, marginPerUnit: 100 }, { scope: 'category' as const, name: 'C', basePerDay: 1, units: 9, marginPerUnit: 100 },
    { scope: 'channel' as const, name: 'D', basePerDay: 2, units: 25, marginPerUnit: 100 },
  ];
  expect(report(input({ neighbours })).cannibalised).toEqual({
    units: 41, margin: 4_100,
    lines: [{ scope: 'category', name: 'B', expected: 100, units: 60, lost: 40, certain: true }, { scope: 'category', name: 'C', expected: 10, units: 9, lost: 1, certain: false }],
  });
  // Trade fell by a half: B has lost nothing.
  const fallen = report(input({ neighbours, elsewhere: { basePerDay: 300, units: 1_500 } }));
  expect([fallen.trend, fallen.cannibalised.units, fallen.stages[0]?.baseUnits]).toEqual([0.5, 0, 2]);
});

test('a missed target and a campaign that never ran', () => {
  expect(report(input({ status: 'escalated', reason: 'time', sales: [] }))).toMatchObject({ sellThrough: 0, missing: 80, margin: -600 });
  expect(report(input({ reason: 'lapsed', startedAt: null, stages: [], sales: [], spent: 0 }))).toMatchObject({ sold: 0, spent: 0, margin: 0 });
});

test('in words', () => {
  const money = (minor: number): string => `${(minor / 100).toFixed(2)} CNY`;
  expect(inWords(report(input()), money)).toEqual([
    '80 % sold (80 of 100 units) against a target of 80 %; it ended because it reached its target.',
    'Revenue 580.00 CNY, discounts 220.00 CNY, other costs 6.00 CNY: 226.00 CNY of a budget of 1000.00 CNY spent. Margin after costs 254.00 CNY.',
    'Staff sale (stage 1, ended on time): 20 units, 16 more than without it; gained 56.00 CNY against list-price sales, ROI 1.4.',
    'Coupons (stage 2, ended with the campaign): 60 units, 54 more than without it; gained 138.00 CNY against list-price sales, ROI 0.74.',
    'Markdown (stage 3): never opened.',
    'No sales of neighbours were lost.',
  ]);
});

import { expect, test } from 'vitest';
import { giftsOfMerged, type GivenLine, type MergedLine } from '../../../domain/promotion/gifts-of-merged.ts';
import type { GiftTerms, Promotion } from '../../../domain/promotion/model.ts';

const promo = (terms: Partial<GiftTerms>, changes: Partial<Promotion> = {}): Promotion => ({
  id: 'p1', code: 'P1', name: '', kind: 'gift', terms: { gifts: [{ sku: 'G', quantity: 1 }], outOfStock: 'drop', ...terms }, currency: 'CNY', version: 1, channels: null, skus: new Map(), categories: new Set<string>(), from: 0, until: 100,
  bearer: 'shop', priority: 100, stackable: true, perCustomerOrders: null, perCustomerUnits: null, perStaffUnits: null, budget: null, ...changes } as Promotion);
const line = (net: number, quantity = 1, changes: Partial<MergedLine> = {}): MergedLine => ({ sku: 'A', category: null, quantity, net, priced: true, promotions: [], ...changes });
const given = (lineNo: number, quantity = 1): GivenLine => ({ lineNo, sku: 'G', promotion: 'p1', quantity });
const run = (p: Promotion, lines: MergedLine[], there: GivenLine[] = [], at = 50) => {
  const { add, take } = giftsOfMerged({ channel: 'own', currency: 'CNY', at, lines, given: there }, [p], new Set());
  return [add.map((a) => [a.sku, a.quantity]), take.map((t) => [t.lineNo, t.quantity])];
};

test('by what the lines come to together; repeated only where the promotion repeats', () => {
  expect(run(promo({ minSpend: 1000 }), [line(500), line(499)])).toEqual([[], []]);
  expect(run(promo({ minSpend: 1000 }), [line(500), line(500)])).toEqual([[['G', 1]], []]);
  expect(run(promo({ minSpend: 1000 }), [line(1500), line(1500)], [given(2), given(4)])).toEqual([[], [[4, 1]]]);
  expect(run(promo({ minSpend: 1000, repeat: true }), [line(1500), line(1500)], [given(2), given(4)])).toEqual([[['G', 1]], []]);
  expect(run(promo({ minQuantity: 4 }), [line(1, 2)], [given(2, 3)])).toEqual([[], [[2, 3]]]);
});

test('over: only where it gave to a member; prices that are facts need the channel named', () => {
  expect(run(promo({}), [line(1)], [], 100)).toEqual([[], []]);
  expect(run(promo({ minQuantity: 1, repeat: true }), [line(1, 2)], [given(2)], 100)).toEqual([[['G', 1]], []]);
  expect(run(promo({}), [line(1, 1, { priced: false })])).toEqual([[], []]);
  expect(run(promo({}, { channels: new Set(['own']) }), [line(1, 1, { priced: false })])).toEqual([[['G', 1]], []]);
});

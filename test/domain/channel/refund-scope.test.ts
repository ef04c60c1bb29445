import { expect, test } from 'vitest';
import { refundScope } from '../../../domain/channel/refund-scope.ts';
import type { SeenAfterSale, SeenOrder } from '../../../domain/channel/seen-order.ts';

const refund = (id: string, status: SeenAfterSale['status'], lines: Record<string, number> = {}, amount: number | null = null): SeenAfterSale =>
  ({ id, kind: 'refund', status, lines: Object.entries(lines).map(([lineId, quantity]) => ({ lineId, quantity })), amount, reason: '', waybill: null, version: 1 });
const scope = (...afterSales: SeenAfterSale[]) => refundScope({ afterSales } as unknown as SeenOrder, afterSales.at(-1) as SeenAfterSale, [{ lineId: 'A', units: 3, ordered: 3 }, { lineId: 'B', units: 1, ordered: 2 }], 4000);

test.each([
  ['some units', [refund('1', 'done', { A: 1 })], { takes: 'units', lines: [{ lineId: 'A', cancelled: 1 }] }],
  ['those that were agreed to before count, those that were refused do not', [refund('1', 'done', { A: 1 }), refund('2', 'refused', { A: 1 }), refund('3', 'agreed', { A: 1 })], { takes: 'units', lines: [{ lineId: 'A', cancelled: 2 }] }],
  ['others that are only asked for do not', [refund('1', 'requested', { A: 2 }), refund('2', 'agreed', { A: 1 })], { takes: 'units', lines: [{ lineId: 'A', cancelled: 1 }] }],
  ['one that is asked for, as if it were agreed to', [refund('1', 'done', { A: 1 }), refund('2', 'requested', { A: 1 })], { takes: 'units', lines: [{ lineId: 'A', cancelled: 2 }] }],
  ['units that were cancelled before the order was captured', [refund('1', 'done', { B: 1 })], { takes: 'units', lines: [] }],
  ['all units, by two refunds', [refund('1', 'done', { A: 3, B: 1 }), refund('2', 'done', { B: 1 })], { takes: 'all' }],
  ['an amount', [refund('1', 'done', {}, 3999)], { takes: 'money' }],
  ['all that was paid, by two refunds', [refund('1', 'done', {}, 3999), refund('2', 'done', {}, 1)], { takes: 'all' }],
  ['the amounts of refunds with lines are not counted', [refund('1', 'done', { A: 1 }, 3000), refund('2', 'done', {}, 3000)], { takes: 'money' }],
  ['nothing at all', [refund('1', 'done', {}, 0)], { takes: 'money' }],
  ['neither lines nor amount', [refund('1', 'done')], { takes: 'unknown' }],
])('%s', (_, afterSales, wanted) => { expect(scope(...afterSales)).toEqual(wanted); });

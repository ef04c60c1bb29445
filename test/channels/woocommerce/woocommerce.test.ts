import { expect, test } from 'vitest';
import { mapOrder } from '../../../channels/woocommerce/map.ts';
import { woocommerce as protocol } from '../../../simulators/woocommerce/protocol.ts';
import { startPlatform } from '../../../simulators/platform/start-platform.ts';

const order = {
  id: '705', status: 'processing', currency: 'EUR', date_created_gmt: '2026-11-20T08:00:00', date_modified_gmt: '2026-11-20T08:00:05', date_paid_gmt: '2026-11-20T08:00:05', customer_id: 3, shipping_total: '4.20', shipping_tax: '0.80',
  shipping: { first_name: 'A', last_name: 'B', address_1: '1 Road', city: 'Rome', state: 'RM', country: 'IT', postcode: '00100' },
  line_items: [
    { id: 1, name: 'Shirt', product_id: 93, variation_id: 94, quantity: 3, sku: 'SKU-1', subtotal: '8.1967', subtotal_tax: '1.8033', total: '7.3770', total_tax: '1.6230' },
    { id: 2, name: 'Cup', product_id: 95, variation_id: 0, quantity: 1, sku: '', subtotal: '5.00', subtotal_tax: '0.00', total: '5.00', total_tax: '0.00' },
  ],
};

test('prices hold their tax; what does not divide by the units is a discount, so that the sum is what was paid', () => {
  const two = { ...order, line_items: order.line_items.map((l) => (l.id === 1 ? { ...l, subtotal: '8.20', subtotal_tax: '1.80', total: '7.38', total_tax: '1.62' } : l)) };
  const seen = mapOrder(two, [{ id: 9, date_created_gmt: '2026-11-20T09:00:00', amount: '3.33', reason: 'torn', line_items: [{ id: 10, quantity: -1, meta_data: [{ key: '_refunded_item_id', value: '1' }] }] }]);
  expect(seen.lines.map((l) => [l.platformSku, l.itemId, l.merchantCode, l.unitPrice, l.discounts.map((d) => [d.code, d.amount])]))
    .toEqual([['94', '93', 'SKU-1', 334, [['woocommerce', 100], ['rounding', 2]]], ['95', null, null, 500, []]]);
  expect([seen.refundsTellUnits, seen.lines.map((l) => l.cancelled)]).toEqual([true, [0, 0]]);
  expect([seen.freight, seen.version, seen.paidAt, seen.afterSales]).toEqual([500, Date.UTC(2026, 10, 20, 8, 0, 5), Date.UTC(2026, 10, 20, 8, 0, 5),
    [{ id: '9', kind: 'refund', status: 'done', lines: [{ lineId: '1', quantity: 1 }], amount: 333, reason: 'torn', waybill: null, version: Date.UTC(2026, 10, 20, 9) }]]);
});

test.each([
  ['tallied by refunds', [{ key: '_reduced_stock', value: '1' }, { key: '_restock_refunded_items', value: 2 }], 2],
  ['taken off what is off its stock', [{ key: '_reduced_stock', value: '1' }], 2],
  ['all of them', [{ key: '_reduced_stock', value: 0 }, { key: '_restock_refunded_items', value: '3' }], 3],
  ['none', [{ key: '_reduced_stock', value: '3' }], undefined],
  ['nobody counts its stock', [], undefined],
])('units that refunds have put back: %s', (_, meta_data, putBack) => {
  const [shirt] = order.line_items;
  const refunded = { id: 9, date_created_gmt: '2026-11-20T09:00:00', amount: '3.33', reason: '', line_items: [{ id: 10, quantity: -3, meta_data: [{ key: '_refunded_item_id', value: '1' }] }] };
  const of = (refunds: object[]) => mapOrder({ ...order, line_items: [{ ...shirt, subtotal: '8.20', subtotal_tax: '1.80', total: '7.38', total_tax: '1.62', meta_data }] }, refunds as Record<string, unknown>[]).lines.map((l) => l.putBack);
  expect([of([refunded]), of([])]).toEqual([[putBack], [undefined]]);
});

test('an amount finer than the currency is refused, never rounded silently', () => {
  expect(() => mapOrder(order, [])).toThrow('"8.1967" has more decimals than EUR');
});

test('cash on delivery is to be sent before it is paid; a status of a plugin is told by its name', () => {
  expect(mapOrder({ ...order, line_items: [], payment_method: 'cod', date_paid_gmt: null }, [])).toMatchObject({ status: 'to_ship', paidAt: null, cashOnDelivery: true });
  expect(() => mapOrder({ ...order, status: 'wc-packed' }, [])).toThrow('status "wc-packed" of a plugin is not known');
});

test('the simulator disables a webhook after five failures in a row, not before', async () => {
  const platform = await startPlatform(protocol, { settings: { webhookSecret: 's' }, hookUrl: 'http://127.0.0.1:9/', items: [{ sku: 'P-1', stock: 100 }] });
  const deliver = async (): Promise<void> => {
    platform.shop.place({ lines: [{ sku: 'P-1', quantity: 1 }], paid: false });
    platform.pusher.flush();
    while (platform.pusher.open > 0) await new Promise((resolve) => { setTimeout(resolve, 2); });
  };
  try {
    for (let i = 0; i < 4; i++) await deliver();
    expect([platform.pusher.records.length, platform.pusher.paused]).toEqual([4, false]);
    await deliver();
    await deliver();
    expect([platform.pusher.records.length, platform.pusher.paused]).toEqual([5, true]);
  } finally {
    await platform.close();
  }
});

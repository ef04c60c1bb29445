import { Ajv } from 'ajv';
import formatsModule from 'ajv-formats';
import { expect, test } from 'vitest';
import { OrderIntakeSchema } from '../../../api/orders/schema.ts';
import { CHANNELS, CITIES, isOnlineOnly, isShopOnly, LOCATIONS, priceOf, SKUS, stockOf } from '../../../bin/demo/network.ts';
import { demoOrder } from '../../../bin/demo/orders.ts';
import { priceOrder } from '../../../domain/order/pricing.ts';

const orders = Array.from({ length: 60 }, (_, i) => demoOrder(i));
const skuIndex = new Map(SKUS.map((sku, i) => [sku.code, i]));
const stock = (location: (typeof LOCATIONS)[number], sku: string): number => stockOf(location, skuIndex.get(sku) ?? -1);
const count = <T>(values: readonly T[]): Map<T, number> => values.reduce((m, v) => m.set(v, (m.get(v) ?? 0) + 1), new Map<T, number>());

test('the network: 2 warehouses, 12 shops in 6 cities, 3 dealers, 1 third-party warehouse, 200 SKUs, 5 channels', () => {
  expect(Object.fromEntries(count(LOCATIONS.map((l) => l.kind)))).toEqual({ warehouse: 2, store: 12, dealer: 3, third_party: 1 });
  expect(new Set(LOCATIONS.filter((l) => l.kind === 'store').map((l) => l.city))).toEqual(new Set(CITIES));
  expect([CITIES.length, SKUS.length, CHANNELS.length]).toEqual([6, 200, 5]);
  for (const list of [LOCATIONS, SKUS, CHANNELS]) expect(new Set(list.map((x) => x.code)).size).toBe(list.length);
  expect(CHANNELS.filter((c) => c.intakeMode === 'strict').map((c) => c.code)).toEqual(['own']);
  expect(CHANNELS.filter((c) => c.paymentWindowS === 60).map((c) => c.code)).toEqual(['shopify']);
});

test('stock is uneven: 20 SKUs only in shops, 20 only online, every SKU somewhere', () => {
  const places = SKUS.map((_, i) => new Set(LOCATIONS.filter((l) => stockOf(l, i) > 0).map((l) => l.kind)));
  const only = (i: number, allowed: readonly string[]): boolean => [...(places[i] ?? [])].every((kind) => allowed.includes(kind));
  expect(places.every((kinds) => kinds.size > 0)).toBe(true);
  expect(SKUS.map((_, i) => i).filter((i) => only(i, ['store']))).toEqual(SKUS.map((_, i) => i).filter(isShopOnly));
  expect(SKUS.map((_, i) => i).filter((i) => only(i, ['warehouse', 'third_party']))).toEqual(SKUS.map((_, i) => i).filter(isOnlineOnly));
  expect([SKUS.filter((_, i) => isShopOnly(i)).length, SKUS.filter((_, i) => isOnlineOnly(i)).length]).toEqual([20, 20]);
});

test('60 orders as the API takes them, from all channels, the same at every run', () => {
  const valid = formatsModule.default(new Ajv({ strict: false })).compile(OrderIntakeSchema);
  for (const { intake } of orders) expect([intake.externalId, valid(intake), valid.errors]).toEqual([intake.externalId, true, null]);
  expect(Object.fromEntries(count(orders.map((o) => o.intake.channel)))).toEqual({ own: 12, pos: 12, douyin: 12, kuaishou: 12, shopify: 12 });
  expect(new Set(orders.map((o) => o.intake.externalId)).size).toBe(60);
  expect(Array.from({ length: 60 }, (_, i) => demoOrder(i))).toEqual(orders);
});

test('the scenes, and what else is to be seen', () => {
  expect(Object.fromEntries(count(orders.map((o) => o.scene)))).toEqual({ clean: 52, unpaid: 1, paid_later: 1, cancelled: 1, returned: 3, split: 1, scheduled: 1 });
  for (const { scene, intake } of orders) expect([intake.externalId, intake.payment.status === 'unpaid']).toEqual([intake.externalId, scene === 'unpaid' || scene === 'paid_later']);
  expect(orders.find((o) => o.scene === 'unpaid')?.intake.channel).toBe('shopify'); // the one whose payment window ends within the demo
  expect(orders.filter((o) => o.scene === 'clean' && o.intake.payment.status === 'cash_on_delivery').length).toBe(3);
  expect(orders.filter((o) => o.intake.lines.some((l) => l.gift)).length).toBe(4);
});

test('no location has all of the split order; every other order fits into the stock of one', () => {
  const whole = (o: (typeof orders)[number]): number => LOCATIONS.filter((l) => o.intake.lines.every((line) => stock(l, line.sku) >= line.quantity)).length;
  expect(orders.filter((o) => whole(o) === 0).map((o) => o.scene)).toEqual(['split']);
});

test('the stock lasts for all 60, and no order meets the rule for high amounts', () => {
  const wanted = new Map<string, number>();
  for (const { sku, quantity } of orders.flatMap((o) => o.intake.lines)) wanted.set(sku, (wanted.get(sku) ?? 0) + quantity);
  for (const [sku, quantity] of wanted) expect([sku, LOCATIONS.reduce((sum, l) => sum + stock(l, sku), 0) >= quantity]).toEqual([sku, true]);
  for (const { intake } of orders) {
    const { total } = priceOrder({
      currency: intake.currency, discounts: [], freight: intake.freight ?? 0,
      lines: intake.lines.map((l, i) => ({ lineNo: i + 1, sku: l.sku, quantity: l.quantity, unitPrice: l.unitPrice ?? -1, discounts: l.discounts ?? [] })),
    });
    expect([intake.externalId, total > 0 && total < 5_000_000]).toEqual([intake.externalId, true]);
    for (const line of intake.lines) expect(line.unitPrice).toBe(line.gift ? 0 : priceOf(skuIndex.get(line.sku) ?? -1));
  }
});

test('people are clearly invented', () => {
  for (const { intake } of orders) {
    expect(intake.shipTo.phone).toMatch(/^100-0000-\d{4}$/);
    expect(intake.shipTo.name).toMatch(/^演示顾客\d+$/);
    expect(intake.shipTo.street).toMatch(/^示例路 \d+ 号$/);
  }
});

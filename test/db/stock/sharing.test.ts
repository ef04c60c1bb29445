import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CaptureOutcome } from '../../../db/capture/outcome.ts';
import { prepareOrder } from '../../../db/capture/prepare.ts';
import { takeLease } from '../../../db/leases/take-lease.ts';
import { reserveOrder } from '../../../db/orders/reserve-order.ts';
import { routeOrder } from '../../../db/orders/route-order.ts';
import { validateOrder } from '../../../db/orders/validate-order.ts';
import { ensureLevels } from '../../../db/ledger.ts';
import { receiveStock } from '../../../db/stock/receipts.ts';
import { openStore, type Store } from '../../../db/store.ts';
import { decodeId } from '../../../domain/ids.ts';
import type { OrderIntake } from '../../../domain/order/intake.ts';
import { VAULT_KEY, World } from '../../support/world.ts';

let world: World;
let other: Store;
let skus = 0;
beforeAll(async () => {
  world = await World.create({ skus: 60, stock: 0 });
  other = await openStore({ url: world.database.url, vaultKey: VAULT_KEY, clock: () => world.now, refreshMs: 50 });
});
afterAll(async () => {
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  await other.close();
  await world.close();
});

async function rules(...rows: Record<string, unknown>[]): Promise<void> {
  await world.store.pool.query('delete from sharing_rules');
  for (const row of rows) {
    const columns = { location_id: world.locationId('L-1'), ...row };
    await world.store.pool.query(`insert into sharing_rules (${Object.keys(columns).join(', ')}) values (${Object.keys(columns).map((_, i) => `$${i + 1}`).join(', ')})`, Object.values(columns));
  }
  await Promise.all([world.store.network.reload(), other.network.reload()]);
}
async function stocked(at: Record<string, number>): Promise<string> {
  const sku = `SKU-${++skus}`;
  await world.setStock(sku, at);
  await Promise.all([world.store.projection.refresh(), other.projection.refresh()]);
  return sku;
}
async function submit(sku: string, quantity: number, changes: Partial<OrderIntake> = {}, store: Store = world.store): Promise<CaptureOutcome> {
  const intake = world.intake({ lines: [{ sku, quantity, unitPrice: 1000 }], ...changes });
  await store.network.loadSkus([sku]);
  return store.capture.submit(prepareOrder(intake, store.network, store.vault, world.now, { apiKeyId: 1, idempotencyKey: null, actor: 'key:test', locationId: null }));
}
const outcome = (o: CaptureOutcome): unknown => ('problem' in o ? o.problem.code : o.answer.reserved.map((r) => [r.location, r.quantity]));
const uuid = (o: CaptureOutcome): string => { if ('problem' in o) throw o.problem; return decodeId('ord', o.answer.id) as string; };
const channelId = (code: string): number => world.store.network.channels.get(code)!.id;
const reservedAt = async (order: string): Promise<Record<string, number>> => Object.fromEntries((await world.store.pool.query<{ code: string; units: number }>(
  `select l.code, sum(r.quantity)::int units from reservations r join stock_levels v on v.id = r.level_id join locations l on l.id = v.location_id where r.order_id = $1 and r.status in ('held', 'confirmed') group by 1 order by 1`, [order])).rows.map((r) => [r.code, r.units]));

test('a location that shares nothing with a channel gives it nothing, and another channel all', async () => {
  const sku = await stocked({ 'L-1': 5 });
  await rules({ channel_id: channelId('own'), mode: 'none' });
  expect(outcome(await submit(sku, 1))).toBe('insufficient_stock');
  expect(await world.stock(sku)).toMatchObject({ 'L-1': [5, 0] });
  expect(outcome(await submit(sku, 5, { channel: 'douyin' }))).toEqual([['L-1', 5]]);
});

test('percent and cap count what is free at the moment; the rest comes from elsewhere', async () => {
  const sku = await stocked({ 'L-1': 10, 'L-2': 2 });
  await rules({ mode: 'percent', value: 50 });
  expect(outcome(await submit(sku, 6))).toEqual([['L-1', 5], ['L-2', 1]]);
  // Five are free at L-1, of which it shares two; L-2 has one.
  expect(outcome(await submit(sku, 4))).toBe('insufficient_stock');
  expect(outcome(await submit(sku, 3))).toEqual([['L-1', 2], ['L-2', 1]]);
  await rules({ mode: 'cap', value: 1 });
  expect(outcome(await submit(sku, 2))).toBe('insufficient_stock');
  expect(outcome(await submit(sku, 1))).toEqual([['L-1', 1]]);
  expect(await world.stock(sku)).toMatchObject({ 'L-1': [10, 8], 'L-2': [2, 2] });
});

test('two lines of one SKU count together', async () => {
  const sku = await stocked({ 'L-1': 10 });
  await rules({ mode: 'cap', value: 3 });
  const lines = (a: number, b: number) => ({ lines: [{ sku, quantity: a, unitPrice: 100 }, { sku, quantity: b, unitPrice: 100 }] });
  expect(outcome(await submit(sku, 0, lines(2, 2)))).toBe('insufficient_stock');
  expect(outcome(await submit(sku, 0, lines(2, 1)))).toEqual([['L-1', 2], ['L-1', 1]]);
});

test('hours are those of the location', async () => {
  const sku = await stocked({ 'L-1': 5 });
  await rules({ mode: 'all', from_minute: 600, to_minute: 1200 }); // the test's clock says 10:00 in Shanghai
  expect(outcome(await submit(sku, 1))).toEqual([['L-1', 1]]);
  await rules({ mode: 'all', from_minute: 601, to_minute: 1200 });
  expect(outcome(await submit(sku, 1))).toBe('insufficient_stock');
});

test('two processes at once: each order takes its share of what the one before has left', async () => {
  const sku = await stocked({ 'L-1': 100 });
  await rules({ mode: 'percent', value: 50 });
  const outcomes = await Promise.all(Array.from({ length: 6 }, (_, i) => submit(sku, 30, {}, i % 2 === 0 ? world.store : other)));
  // 50 of 100 are shared, then 35 of 70, then 20 of 40: the third has none, however they meet.
  expect(outcomes.map(outcome).filter((o) => o !== 'insufficient_stock')).toEqual([[['L-1', 30]], [['L-1', 30]]]);
  expect(await world.stock(sku)).toMatchObject({ 'L-1': [100, 60] });
});

test('what was allotted to a channel is its own, whatever is shared', async () => {
  const sku = await stocked({ 'L-1': 4 });
  await rules({ mode: 'none' });
  const { rows: [allotment] } = await world.store.pool.query<{ id: number }>(`insert into allotments (kind, name, code, parent_id) values ('campaign', 'c', 'shared-not', 0) returning id`);
  await world.store.network.reload();
  await world.store.writer.change(async (tx) => {
    const [id] = await ensureLevels(tx.client, [{ locationId: world.locationId('L-1'), skuId: world.store.network.knownSku(sku)!.id, condition: 'sellable', lotId: 0, allotmentId: allotment!.id }]);
    await tx.post('receipt', null, [{ levelId: id!, onHand: 3, reserved: 0 }]);
  });
  expect(outcome(await submit(sku, 4, { session: 'shared-not' }))).toBe('insufficient_stock');
  expect(outcome(await submit(sku, 3, { session: 'shared-not' }))).toEqual([['L-1', 3]]);
});

test('of what is coming a location gives what it shares of both together', async () => {
  const sku = await stocked({ 'L-1': 4 });
  await world.store.pool.query('update channels set supply_horizon_s = 864000 where code = $1', ['merging']);
  const { rows: [supply] } = await world.store.pool.query<{ id: number }>(
    `insert into supplies (kind, reference, expected_at, location_id) values ('purchase_order', 'PO-share', $1, $2) returning id`, [new Date(world.now.getTime() + 86_400_000), world.locationId('L-1')]);
  await world.store.writer.change(async (tx) => {
    const [id] = await ensureLevels(tx.client, [{ locationId: world.locationId('L-1'), skuId: world.store.network.knownSku(sku)!.id, condition: 'sellable', lotId: 0, supplyId: supply!.id }]);
    await tx.post('announce', null, [{ levelId: id!, onHand: 6, reserved: 0 }]);
  });
  await rules({ mode: 'percent', value: 50 });
  await world.store.projection.refresh();
  expect(outcome(await submit(sku, 6, { channel: 'merging' }))).toBe('insufficient_stock');
  expect(outcome(await submit(sku, 5, { channel: 'merging' }))).toEqual([['L-1', 2], ['L-1', 3]]);
});

test('a lease, a shortage and routing take no more than is shared either', async () => {
  const sku = await stocked({ 'L-1': 6 });
  await rules({ mode: 'cap', value: 2 });
  const lease = (quantity: number, reference: string) => takeLease(world.store.writer, world.store, { reference, owner: 'cart', channel: 'own', expiresInS: 600, mode: 'all', lines: [{ sku, quantity }] }, 'key:test');
  await expect(lease(3, 'three')).rejects.toMatchObject({ code: 'insufficient_stock' });
  expect((await lease(2, 'two')).repeated).toBe(false);

  // An accepted order of five is short of three; reserving it again gets two of them.
  const order = uuid(await submit(sku, 4, { channel: 'douyin' }));
  expect(await reservedAt(order)).toEqual({ 'L-1': 2 });
  await validateOrder(world.store.writer, world.store.network, world.store.vault, order);
  await rules({ mode: 'none' });
  await reserveOrder(world.store.writer, world.store.network, order);
  expect(await reservedAt(order)).toEqual({ 'L-1': 2 });
  await rules({ mode: 'cap', value: 1 });
  await reserveOrder(world.store.writer, world.store.network, order);
  expect(await reservedAt(order)).toEqual({ 'L-1': 3 });
  await rules();
  await reserveOrder(world.store.writer, world.store.network, order);
  expect(await reservedAt(order)).toEqual({ 'L-1': 4 });
});

test('routing moves an order only to a location that shares with its channel', async () => {
  const routed = async (changes: Record<string, unknown>[]): Promise<Record<string, number>> => {
    const [first, second] = [`SKU-${++skus}`, `SKU-${++skus}`];
    // Captured in two places; afterwards one place has it all.
    await world.setStock(first, { 'L-2': 1 });
    await world.setStock(second, { 'L-3': 1 });
    await world.store.projection.refresh();
    await rules();
    await world.store.network.loadSkus([first, second]);
    const intake = { lines: [first, second].map((sku) => ({ sku, quantity: 1, unitPrice: 100 })) };
    const order = uuid(await submit(first, 0, intake));
    expect(await reservedAt(order)).toEqual({ 'L-2': 1, 'L-3': 1 });
    await world.setStock(first, { 'L-1': 5 });
    await world.setStock(second, { 'L-1': 5 });
    await rules(...changes);
    await validateOrder(world.store.writer, world.store.network, world.store.vault, order);
    await reserveOrder(world.store.writer, world.store.network, order);
    await routeOrder(world.store.writer, world.store.network, order);
    return reservedAt(order);
  };
  expect(await routed([])).toEqual({ 'L-1': 2 });
  expect(await routed([{ mode: 'none' }])).toEqual({ 'L-2': 1, 'L-3': 1 });
  expect(await routed([{ mode: 'percent', value: 20 }])).toEqual({ 'L-1': 2 });
  expect(await routed([{ mode: 'percent', value: 19 }])).toEqual({ 'L-2': 1, 'L-3': 1 });
});

test('units that become free serve who waits, no more than their location shares with his channel', async () => {
  const sku = `SKU-${++skus}`;
  await rules({ channel_id: channelId('douyin'), mode: 'cap', value: 2 });
  const order = uuid(await submit(sku, 3, { channel: 'douyin' }));
  await validateOrder(world.store.writer, world.store.network, world.store.vault, order);
  await receiveStock(world.store.writer, world.store.network, world.locationId('L-1'), { reference: 'R-shared', location: 'L-1', lines: [{ sku, quantity: 5 }] });
  expect(await reservedAt(order)).toEqual({ 'L-1': 2 });
  await receiveStock(world.store.writer, world.store.network, world.locationId('L-2'), { reference: 'R-other', location: 'L-2', lines: [{ sku, quantity: 5 }] });
  expect(await reservedAt(order)).toEqual({ 'L-1': 2, 'L-2': 1 });
  await rules();
});

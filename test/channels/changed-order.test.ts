import { afterEach, expect, test } from 'vitest';
import { ShopScene } from './support/shop-scene.ts';

let scene: ShopScene;
afterEach(async () => { await scene.close(); });

type Held = { externalId: string; reason: string; key: string | null; order: string | null };
const held = async (): Promise<Held[]> => (await scene.api<{ items: Held[] }>('GET', `/v1/channels/${scene.code}/held`)).items;
const release = (body: object) => scene.api<{ released: number }>('POST', `/v1/channels/${scene.code}/held/release`, body);

async function captured(): Promise<{ id: string; ours: string }> {
  scene = await ShopScene.open('generic');
  await scene.api('POST', `/v1/channels/${scene.code}/listings`, { mappings: [1, 2].map((n) => ({ platformSku: `P-${n}`, components: [{ sku: `SKU-${n}`, quantity: 1 }] })) });
  await scene.proven();
  const order = scene.platform.shop.place({ lines: [{ sku: 'P-1', quantity: 2 }, { sku: 'P-2', quantity: 1 }] });
  await scene.pushed();
  await scene.sync();
  return { id: order?.id ?? '', ours: (await scene.channelOrder(order?.id ?? ''))?.order ?? '' };
}

/** It is changed there, and read again here. */
async function change(id: string, to: (order: ReturnType<ShopScene['platform']['shop']['order']>) => void): Promise<void> {
  const order = scene.platform.shop.order(id);
  scene.world.now = new Date(scene.world.now.getTime() + 2_000);
  to(order);
  order.updatedAt = scene.world.now.getTime();
  await scene.api('POST', `/v1/channels/${scene.code}/refresh`, { externalIds: [id] });
  await scene.sync();
}
const units = async (): Promise<unknown> => (await scene.world.store.pool.query<{ u: string }>('select quantity || $1 || cancelled_quantity u from order_lines order by line_no', ['-'])).rows.map((r) => r.u);

test('units that are added on the platform hold the order with that reason until somebody has seen to them', async () => {
  const { id, ours } = await captured();
  await change(id, (o) => { o.lines[0]!.quantity = 5; });
  const [one] = await held();
  expect([one?.externalId, one?.reason, one?.order, await scene.world.status(ours), await units()]).toEqual([id, 'changed_on_platform', ours, 'on_hold', ['2-0', '1-0']]);
  // Releasing all of the shop reads it again, and holds it again.
  expect(await release({})).toEqual({ released: 1 });
  await scene.sync();
  expect([(await held()).map((h) => h.key), await scene.world.status(ours)]).toEqual([[one?.key], 'on_hold']);
  expect(await release({ key: one?.key })).toEqual({ released: 1 });
  await scene.sync();
  expect([await held(), await scene.world.status(ours)]).toEqual([[], 'captured']);
  // The same state again is known; another change holds it anew.
  await change(id, () => undefined);
  expect(await held()).toEqual([]);
  await change(id, (o) => { o.lines[0]!.quantity = 6; });
  expect((await held()).map((h) => h.key === one?.key)).toEqual([false]);
});

test('a change that is taken back on the platform lets the order go by itself', async () => {
  const { id, ours } = await captured();
  await change(id, (o) => { o.lines.push({ ...o.lines[0]!, lineId: 'L-9' }); });
  expect(await scene.world.status(ours)).toBe('on_hold');
  await change(id, (o) => { o.lines.pop(); });
  expect([await held(), await scene.world.status(ours), await units()]).toEqual([[], 'captured', ['2-0', '1-0']]);
});

test('fewer units, and a line that is gone, are cancelled here', async () => {
  const { id, ours } = await captured();
  await change(id, (o) => { o.lines[0]!.quantity = 1; });
  expect(await units()).toEqual(['2-1', '1-0']);
  await change(id, (o) => { o.lines.pop(); });
  expect([await units(), await held(), await scene.world.status(ours)]).toEqual([['2-1', '1-1'], [], 'captured']);
});

test('an order that lives again on the platform after it was cancelled is held', async () => {
  const { id, ours } = await captured();
  await change(id, (o) => { o.status = 'cancelled'; });
  expect(await scene.world.status(ours)).toBe('cancelled');
  await change(id, (o) => { o.status = 'to_ship'; });
  expect([(await held()).map((h) => [h.reason, h.order]), await scene.world.status(ours)]).toEqual([[['changed_on_platform', ours]], 'cancelled']);
});

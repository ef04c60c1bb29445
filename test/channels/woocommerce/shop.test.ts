import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { dueHints, hintsRefused, storeHints } from '../../../db/channels/hints.ts';
import { woocommerce } from '../../../channels/woocommerce/index.ts';
import { NO_FAULTS } from '../../../simulators/platform/protocol.ts';
import { connectorOf } from '../support/connector-of.ts';
import { ShopScene } from '../support/shop-scene.ts';

let scene: ShopScene;
beforeAll(async () => {
  scene = await ShopScene.open('woocommerce');
  await scene.list();
});
beforeEach(() => { Object.assign(scene.platform.faults, NO_FAULTS); });
afterAll(async () => { await scene.close(); });

const place = () => scene.platform.shop.place({ lines: [{ sku: 'P-1', quantity: 1 }] }) as NonNullable<ReturnType<typeof scene.platform.shop.place>>;
async function taken(): Promise<{ id: string; ours: string }> {
  const { id } = place();
  await scene.pushed();
  await scene.sync();
  return { id, ours: (await scene.channelOrder(id))?.order ?? '' };
}
type Held = { externalId: string; reason: string; key: string; detail: string };
const held = async (id: string) => (await scene.api<{ items: Held[] }>('GET', `/v1/channels/${scene.code}/held?limit=500`)).items.find((h) => h.externalId === id);
const release = (key: string) => scene.api<{ released: number }>('POST', `/v1/channels/${scene.code}/held/release`, { key });
const POLLED_S = woocommerce.backstop.everyS + woocommerce.backstop.lagS + 1;

test('an order in a status of a plugin is held with its reason and asked ever more seldom, and taken when its status is known', async () => {
  const asked = { n: 0 };
  const { raw } = scene.world;
  scene.world.raw = (...args) => { if (/\/orders\/\d+$/.test(args[0].url)) asked.n += 1; return raw(...args); };
  scene.restart();
  const order = place();
  order.word = 'packed-by-plugin';
  await scene.pushed();
  await scene.sync();
  expect([await scene.channelOrder(order.id), await held(order.id), asked.n]).toEqual([
    { state: 'held', reason: 'refused', order: null },
    expect.objectContaining({ reason: 'refused', key: `refused:${order.id}`, detail: 'status "packed-by-plugin" of a plugin is not known: an order of it is read again when its status changes' }), 1]);
  await scene.sync(POLLED_S); // the poll has its own hint of it
  const asks = async (seconds: number): Promise<number> => { const before = asked.n; await scene.sync(seconds); return asked.n - before; };
  expect([await asks(950), await asks(20), await asks(3800), await asks(50), await asks(15_000), await asks(400), await asks(21_000), await asks(700)]).toEqual([0, 1, 0, 1, 0, 1, 0, 1]);
  // Released, it is looked at, and stands there again.
  expect([await release(`refused:${order.id}`), await asks(1), (await scene.channelOrder(order.id))?.state]).toEqual([{ released: 1 }, 1, 'held']);
  delete order.word;
  scene.platform.shop.changeAddress(order.id, {}, false);
  await scene.pushed();
  await scene.sync();
  expect(await scene.channelOrder(order.id)).toMatchObject({ state: 'open', reason: null, order: expect.any(String) as string });
  scene.world.raw = raw;
  scene.restart();
});

test('what was refused before does not stand before what is new', async () => {
  const { pool } = scene.world.store;
  const channelId = scene.world.store.network.channels.get(scene.code)?.id ?? 0;
  const now = new Date(scene.world.now.getTime() - 86_400_000 * 365);
  const hint = (externalId: string) => ({ channelId, channelCode: scene.code, key: `k:${externalId}`, subject: 'order', topic: 't', externalId, version: null });
  await storeHints(pool, ['old', 'older'].map(hint), 'push', now);
  const waiting = await dueHints(pool, channelId, now, 10);
  for (const h of waiting) await hintsRefused(pool, channelId, h, now, 'no');
  await storeHints(pool, [hint('new')], 'push', now);
  const later = new Date(now.getTime() + 61_000);
  expect([waiting.map((h) => h.externalId), (await dueHints(pool, channelId, later, 10)).map((h) => h.externalId)]).toEqual([['old', 'older'], ['new', 'old', 'older']]);
  await pool.query(`delete from channel_hints where key like 'k:%'`);
});

test('an order that the shop throws into its bin is found there by the poll, and cancelled', async () => {
  const { id, ours } = await taken();
  Object.assign(scene.platform.faults, { dropPushes: true });
  scene.platform.shop.discard(id, false);
  await scene.pushed();
  await scene.sync(POLLED_S);
  await scene.sync(POLLED_S);
  expect([await scene.world.status(ours), await scene.channelOrder(id)]).toEqual(['cancelled', { state: 'open', reason: null, order: ours }]);
});

test('an order that the shop has deleted is stopped until somebody has seen to it; one that we never had is forgotten', async () => {
  const { id, ours } = await taken();
  const other = place();
  other.word = 'packed-by-plugin';
  await scene.pushed();
  await scene.sync();
  expect((await scene.channelOrder(other.id))?.state).toBe('held');
  for (const gone of [id, other.id]) scene.platform.shop.discard(gone, true);
  await scene.pushed();
  await scene.sync(POLLED_S);
  const one = await held(id);
  expect([one?.reason, one?.detail, await scene.world.status(ours), await scene.channelOrder(other.id)]).toEqual([
    'changed_on_platform', 'the platform has it no more: see to it, then release it with this key', 'on_hold', { state: 'ignored', reason: 'gone_before_capture', order: null }]);
  expect(await release(one?.key ?? '')).toEqual({ released: 1 });
  await scene.sync();
  expect([await scene.channelOrder(id), await scene.world.status(ours)]).toEqual([{ state: 'open', reason: null, order: ours }, 'captured']);
  await scene.api('POST', `/v1/channels/${scene.code}/refresh`, { externalIds: [id] });
  await scene.sync();
  expect([await scene.channelOrder(id), await scene.world.status(ours)]).toEqual([{ state: 'open', reason: null, order: ours }, 'captured']);
});

test('a shop whose API is not there says nothing of an order', async () => {
  const { id, ours } = await taken();
  const { raw } = scene.world;
  for (const text of ['<html>not found</html>', '{"code":"rest_no_route","message":"No route was found"}']) {
    scene.world.raw = () => Promise.resolve({ status: 404, headers: {}, text });
    const connector = await connectorOf(scene, woocommerce);
    await expect(connector.fetchOrder(id, [])).rejects.toMatchObject({ name: 'PartnerRefused', status: 404, account: false });
  }
  scene.world.raw = raw;
  expect([await (await connectorOf(scene, woocommerce)).fetchOrder('404404', []), await scene.world.status(ours)]).toEqual([null, 'captured']);
});

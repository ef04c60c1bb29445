import { afterEach, expect, it, test } from 'vitest';
import { EveryShop } from './support/every-platform.ts';
import { answer, meddle } from './support/meddle.ts';
import type { ShopScene } from './support/shop-scene.ts';

/** Orders or lists that the platform does not give: stock goes on being told, and what nobody can see is not sold twice. */
const EVERY_S = 3_600;
let shop: EveryShop;
let scene: ShopScene;
afterEach(async () => { await shop.close(); });

async function selling(platform: string, settings: Record<string, unknown> = {}): Promise<void> {
  shop = EveryShop.on(platform);
  scene = await shop.selling(settings);
}
const passed = async (seconds: number, looks = 1): Promise<void> => { for (let i = 0; i < looks; i++) await scene.sync(seconds / looks); };
/** The next check, and every look that its readings need. */
async function checked(): Promise<void> {
  await scene.sync(EVERY_S + 1);
  await passed(3 * (shop.kind.backstop.lagS + 6), 3);
}
const there = (): number[] => [shop.stockOf('P-1'), shop.stockOf('P-2')];
const drifts = async (): Promise<number[]> => (await scene.world.store.pool.query<{ drift: number }>('select drift from listing_drifts order by id')).rows.map((r) => r.drift);
const readings = async (): Promise<number> => (await scene.world.one<{ n: number }>('select count(*)::int n from listings where reading is not null')).n;
const paused = async (): Promise<string[]> => (await scene.api<{ state: { paused: { lane: string }[] } }>('GET', `/v1/channels/${scene.code}/shop`)).state.paused.map((p) => p.lane);
const waiting = async (): Promise<number> => (await scene.world.one<{ n: number }>('select count(*)::int n from channel_hints where done_at is null')).n;
const sell = (sku: string, quantity: number): Promise<unknown> => scene.world.capture({ lines: [{ sku, quantity, unitPrice: 1000 }] });
const keepPolls = (): Promise<unknown> => scene.world.store.pool.query('update channel_shops set polled_at = $1', [new Date(scene.world.now.getTime() + 100 * EVERY_S * 1_000)]);

test.each([
  ['kuaishou', 'open/order/cursor/list', answer({}, 503), '503'],
  ['wechat', 'order/list/get', answer({ errcode: 48001, errmsg: 'api unauthorized' }), '48001'],
  ['wechat', 'order/list/get', answer({ errcode: 10020051, errmsg: 'bad range' }), '10020051'],
])('%s: a list of orders that fails (%s) proves no figure, and keeps no change of stock back', async (platform, path, way, word) => {
  await selling(platform);
  await keepPolls();
  scene.platform.shop.addStock('P-2', 3, null);
  await scene.sync(EVERY_S + 1);
  expect([there(), await readings()]).toEqual([[30, 33], 1]);
  const gate = meddle(scene, (call) => call.url.includes(path), way);
  await sell('SKU-1', 5);
  const facts = await scene.sync(shop.kind.backstop.lagS + 6);
  expect([facts.fault?.includes(word), facts.busy, there(), await readings(), await drifts(), await paused()]).toEqual([true, false, [25, 33], 1, [], []]);
  // Once a look: it has failed.
  expect(gate.asked).toBe(1);
  gate.on = false;
  await scene.sync(10);
  expect([there(), await readings(), await drifts()]).toEqual([[25, 30], 0, [3]]);
});

test('what has changed is told before the orders are read that a proof waits for', async () => {
  await selling('kuaishou');
  await keepPolls();
  scene.platform.shop.addStock('P-2', 3, null);
  await scene.sync(EVERY_S + 1);
  const calls: string[] = [];
  meddle(scene, (call) => { calls.push(call.url.includes('order/cursor/list') ? 'list' : call.url.includes('stock/update') ? 'told' : 'other'); return false; }, (go) => go());
  await sell('SKU-1', 5);
  await scene.sync(shop.kind.backstop.lagS + 6);
  expect([calls.filter((c) => c !== 'other').slice(0, 2), there(), await readings()]).toEqual([['told', 'list'], [25, 30], 0]);
});

test('figures that may not be read keep no change back: their own lane waits', async () => {
  await selling('wechat');
  const gate = meddle(scene, (call) => call.url.includes('product/stock/get'), answer({ errcode: 48001, errmsg: 'api unauthorized' }));
  await sell('SKU-1', 5);
  await scene.sync(EVERY_S + 1);
  await sell('SKU-2', 4);
  await scene.sync(10);
  expect([there(), await paused(), await scene.world.one('select count(*)::int n from listings where refused is not null')]).toEqual([[25, 26], ['figures'], { n: 0 }]);
  gate.on = false;
  await scene.sync(301);
  expect([await paused(), await drifts()]).toEqual([[], []]);
});

/** An order of four of P-1 that the platform refuses to show, and somebody adds three of P-2 there. */
async function refusedOrder(): Promise<{ id: string; gate: { on: boolean } }> {
  await selling('kuaishou');
  const gate = meddle(scene, (call) => call.url.includes('open/order/detail'), answer({ result: 7, code: '700001', error_msg: 'not for you' }));
  scene.platform.shop.addStock('P-2', 3, null);
  const order = shop.place({ lines: [{ sku: 'P-1', quantity: 4 }] });
  await scene.pushed();
  await scene.sync(EVERY_S + 1);
  await scene.sync(shop.kind.backstop.lagS + 6);
  expect([await scene.channelOrder(order.id), there(), await readings()]).toEqual([{ state: 'held', reason: 'refused', order: null }, [26, 33], 2]);
  return { id: order.id, gate };
}

it('an order that the platform refuses to show is waited for three times, and then its units stay off for a day', async () => {
  await refusedOrder();
  await passed(61);
  expect([there(), await readings()]).toEqual([[26, 33], 2]);
  await passed(241);
  await passed(10);
  expect([there(), await readings(), await drifts(), await waiting() > 0]).toEqual([[26, 30], 0, [3], true]);
  await checked();
  expect([there(), await drifts()]).toEqual([[26, 30], [3]]);
  // It is none of ours: then its units are missing on the platform.
  await passed(86_400, 4);
  await checked();
  expect([there(), await readings(), await drifts()]).toEqual([[30, 30], 0, [3, -4]]);
});

it('all that was heard of an order ends when it can be read', async () => {
  const { id, gate } = await refusedOrder();
  await passed(61);
  await passed(241);
  gate.on = false;
  scene.platform.shop.order(id).updatedAt = scene.world.now.getTime();
  scene.world.now = new Date(scene.world.now.getTime() + 2_000);
  // The poll finds it anew, long before the old hint is due.
  await scene.sync(400);
  expect([(await scene.channelOrder(id))?.state, await waiting(), there()]).toEqual(['open', 0, [26, 30]]);
  await checked();
  expect([there(), await readings(), await drifts()]).toEqual([[26, 30], 0, [3]]);
});

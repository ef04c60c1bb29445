import { afterEach, expect, it, test } from 'vitest';
import { PartnerUnavailable } from '../../domain/http-port.ts';
import { EveryShop } from './support/every-platform.ts';
import { answer, meddle } from './support/meddle.ts';
import type { ShopScene } from './support/shop-scene.ts';

/** Changes of stock of which nobody knows whether they arrived: until that is proven, nothing is on sale that does not exist, and nothing is told twice. */
let shop: EveryShop;
let scene: ShopScene;
afterEach(async () => { await shop.close(); });

async function selling(platform: string, settings: Record<string, unknown> = {}): Promise<void> {
  shop = EveryShop.on(platform);
  scene = await shop.selling(settings);
}
const sell = (quantity: number): Promise<unknown> => scene.world.capture({ lines: [{ sku: 'SKU-1', quantity, unitPrice: 1000 }] });
const there = (): number => shop.stockOf('P-1');
const listing = (): Promise<unknown> => scene.world.one(`select pending, reading, refused, (granted - sold)::int shown from listings where platform_sku = 'P-1'`);
const drifts = async (): Promise<number[]> => (await scene.world.store.pool.query<{ drift: number }>('select drift from listing_drifts order by id')).rows.map((r) => r.drift);
const publishing = (rule: object): Promise<unknown> => scene.api('PUT', `/v1/channels/${scene.code}/publishing`, { mode: 'on', sharePercent: 100, ...rule });
const settled = (shown: number): unknown => ({ pending: null, reading: null, refused: null, shown });
/** Every change arrives, and its answer does not. */
const deaf = (path: string): { on: boolean } => meddle(scene, (call) => `${call.url} ${String(call.body)}`.includes(path), async (go) => { await go(); throw new PartnerUnavailable('no answer'); });
/** Five are sold here, and whether Pinduoduo has taken them off nobody knows. */
async function unanswered(): Promise<void> {
  await selling('pinduoduo');
  const gate = deaf('pdd.goods.quantity.update');
  await sell(5);
  await scene.sync();
  gate.on = false;
}

it('a decrease of which nobody knows whether it arrived keeps no later one back', async () => {
  await unanswered();
  // It is read, shows what may be sold, and waits for its proof.
  await scene.sync(6);
  expect(there()).toBe(25);
  await sell(5);
  await scene.sync(6);
  // As if the first one had not arrived: fewer than there are, never more.
  expect(there()).toBe(15);
  await scene.sync(shop.kind.backstop.lagS);
  await scene.proven();
  expect([there(), await listing(), await drifts()]).toEqual([20, settled(20), []]);
});

it('nor an end of the sale', async () => {
  await unanswered();
  await scene.sync(6);
  await scene.api('PUT', `/v1/channels/${scene.code}/listings/P-1/publishing`, { mode: 'zero' });
  await scene.sync(6);
  expect(there()).toBe(0);
});

it('what is stopped is not lowered', async () => {
  await unanswered();
  await scene.sync(6);
  await scene.api('PUT', `/v1/channels/${scene.code}/listings/P-1/publishing`, { mode: 'stopped' });
  await scene.sync(6);
  await scene.sync(6);
  expect(there()).toBe(25);
});

it('answers that are lost again and again take off no more than once what is too many', async () => {
  await selling('pinduoduo');
  const gate = deaf('pdd.goods.quantity.update');
  await sell(5);
  await scene.sync();
  await scene.sync(6);
  await sell(5);
  for (let i = 0; i < 5; i++) await scene.sync(6);
  expect(there()).toBe(15);
  gate.on = false;
  for (let i = 0; i < 3; i++) await scene.sync(shop.kind.backstop.lagS + 6);
  expect([there(), await listing(), await drifts()]).toEqual([20, settled(20), []]);
});

test('WeChat: "read it first" leaves nothing on sale that is not there', async () => {
  await selling('wechat');
  const gate = meddle(scene, (call) => call.url.includes('stock/update'), (go) => { const first = gate.asked === 1; return first ? answer({ errcode: 10020054, errmsg: 'update failed' })() : go(); });
  await sell(5);
  await scene.sync(1);
  expect([gate.asked, there()]).toEqual([2, 25]);
  await scene.proven();
  await scene.proven();
  expect([there(), await listing(), await drifts()]).toEqual([25, settled(25), []]);
});

test.each([[48001, ['figures'], null], [10020050, [], 'the platform does not know this SKU']])('an increase that arrived is not told again because its reading was refused (%i)', async (errcode, lanes, refused) => {
  await selling('wechat');
  await publishing({ buffer: 10 });
  await scene.sync();
  expect(there()).toBe(20);
  const gate = deaf('stock/update');
  await scene.api('PUT', `/v1/channels/${scene.code}/listings/P-1`, { version: 1, components: [{ sku: 'SKU-1', quantity: 1 }] });
  await publishing({ buffer: 0 });
  await scene.sync();
  expect(there()).toBe(30);
  gate.on = false;
  const reading = meddle(scene, (call) => call.url.includes('product/stock/get'), answer({ errcode, errmsg: 'no' }));
  await scene.sync(6);
  const state = await scene.api<{ state: { paused: { lane: string }[] } }>('GET', `/v1/channels/${scene.code}/shop`);
  expect([state.state.paused.map((p) => p.lane), await scene.world.one(`select refused, (pending ->> 'delta')::int delta from listings where platform_sku = 'P-1'`)]).toEqual([lanes, { refused, delta: 10 }]);
  reading.on = false;
  scene.world.now = new Date(scene.world.now.getTime() + 301_000);
  await sell(1);
  for (let i = 0; i < 3; i++) await scene.sync(shop.kind.backstop.lagS + 6);
  expect([there(), await listing(), await drifts()]).toEqual([29, settled(29), []]);
});

test('Pinduoduo: units that ever other unpaid orders hold are not given back, those of none are', async () => {
  await selling('pinduoduo', { checkEveryS: 3_600 });
  const check = async (): Promise<void> => { await scene.sync(6 * 3_600); for (let i = 0; i < 2; i++) await scene.sync(shop.kind.backstop.lagS + 6); };
  const unpaid = () => shop.place({ lines: [{ sku: 'P-1', quantity: 2 }], paid: false }).id;
  let open = unpaid();
  // Somebody takes one off there by hand, at the same time.
  scene.platform.shop.addStock('P-1', -1, null);
  for (let i = 0; i < 6; i++) {
    await check();
    const next = unpaid();
    scene.platform.shop.pay(open);
    open = next;
    await scene.pushed();
    await scene.sync(1);
  }
  const { free } = await scene.world.one<{ free: number }>(`select sum(on_hand - reserved)::int free from stock_levels v join skus s on s.id = v.sku_id where s.code = 'SKU-1' and condition = 'sellable' and supply_id = 0`);
  expect([free - there(), await drifts()]).toEqual([3, []]);
  // The last buyer pays, and nobody buys any more: what is missing is nobody's.
  scene.platform.shop.pay(open);
  await scene.pushed();
  for (let i = 0; i < 6; i++) await check();
  expect([there(), await drifts()]).toEqual([free - 2, [-1]]);
});

import { afterEach, expect, it } from 'vitest';
import { EveryShop } from './support/every-platform.ts';

let shop: EveryShop;
afterEach(async () => { await shop.close(); });

it.each([[true, 3], [false, 5]])('woocommerce: units that a refund takes off are shown once, put back there or not (%s)', async (restock, sold) => {
  shop = EveryShop.on('woocommerce');
  const scene = await shop.selling();
  const order = shop.place({ lines: [{ sku: 'P-1', quantity: 5 }] });
  const { shop: there } = scene.platform;
  const refund = (quantity: number): void => { there.moveAfterSale(there.openAfterSale(order.id, { kind: 'refund', lines: [{ lineId: order.lines[0]?.lineId ?? '', quantity }] }).id, 'done', 'shop', restock); };
  const read = async (): Promise<unknown> => {
    await scene.pushed();
    for (let i = 0; i < 3; i++) await scene.sync();
    return [shop.stockOf('P-1'), await scene.world.one(`select sold, granted - sold shown from listings where platform_sku = 'P-1'`)];
  };
  expect(await read()).toEqual([25, { sold: 5, shown: 25 }]);
  refund(2);
  expect(await read()).toEqual([27, { sold, shown: 27 }]);
  refund(1);
  expect(await read()).toEqual([28, { sold: restock ? 2 : 5, shown: 28 }]);
  await scene.api('POST', `/v1/channels/${scene.code}/refresh`, { externalIds: [order.id] });
  expect(await read()).toEqual([28, { sold: restock ? 2 : 5, shown: 28 }]);
  // What is left is cancelled: only that comes back besides.
  there.cancel(order.id);
  await read();
  expect(shop.stockOf('P-1')).toBe(30);
  await scene.sync(3_700);
  await scene.proven();
  expect([shop.stockOf('P-1'), await scene.world.one('select count(*)::int n from listing_drifts')]).toEqual([30, { n: 0 }]);
});

it.each(['generic', 'shopify'])('%s: units that are cancelled there and put back are not shown twice, however often they are read', async (platform) => {
  shop = EveryShop.on(platform);
  const scene = await shop.selling();
  const order = shop.place({ lines: [{ sku: 'P-1', quantity: 5 }] });
  const listing = async () => scene.world.one(`select sold, granted - sold shown from listings where platform_sku = 'P-1'`);
  const read = async (): Promise<void> => {
    await scene.pushed();
    for (let i = 0; i < 3; i++) await scene.sync();
  };
  await read();
  scene.platform.shop.cancelUnits(order.id, order.lines[0]?.lineId ?? '', 2);
  await read();
  expect([shop.stockOf('P-1'), await listing()]).toEqual([27, { sold: 3, shown: 27 }]);
  // Killed before it could say that it had done it: the next reading does the same once more.
  await scene.world.store.pool.query(`update channel_orders set applied = jsonb_set(jsonb_set(applied, '{units}', '{}'), '{version}', '0') where external_id = $1`, [order.id]);
  await scene.world.store.pool.query(`update channel_orders set applied = jsonb_set(applied, array['units', $2], '5') where external_id = $1`, [order.id, order.lines[0]?.lineId]);
  await scene.api('POST', `/v1/channels/${scene.code}/refresh`, { externalIds: [order.id] });
  await read();
  expect([shop.stockOf('P-1'), await listing()]).toEqual([27, { sold: 3, shown: 27 }]);
  scene.platform.shop.cancel(order.id);
  await read();
  expect([shop.stockOf('P-1'), await listing()]).toEqual([30, { sold: 0, shown: 30 }]);
  await scene.sync(3_700);
  await scene.proven();
  expect([shop.stockOf('P-1'), await scene.world.one('select count(*)::int n from listing_drifts')]).toEqual([30, { n: 0 }]);
});

it.each(['generic', 'woocommerce'])('%s: our own cancellation never comes between the reading of a figure and its being set', async (platform) => {
  shop = EveryShop.on(platform);
  const scene = await shop.selling();
  const order = shop.place({ lines: [{ sku: 'P-1', quantity: 2 }] });
  await scene.pushed();
  await scene.sync();
  await scene.api('POST', `/v1/orders/${(await scene.channelOrder(order.id))?.order ?? ''}/cancel`, { reason: 'no longer made' });
  const { raw } = scene.world;
  // What is read comes late, so that whatever may come in between does.
  scene.world.raw = async (request, timeoutMs) => {
    const answer = await raw(request, timeoutMs);
    if (request.method === 'GET') for (let i = 0; i < 20; i++) await scene.world.one('select 1');
    return answer;
  };
  scene.restart();
  await scene.sync();
  scene.world.raw = raw;
  scene.restart();
  await scene.pushed();
  for (let i = 0; i < 3; i++) await scene.sync();
  await scene.sync(3_700);
  expect([shop.stockOf('P-1'), await scene.world.one(`select sold, granted - sold shown from listings where platform_sku = 'P-1'`), await scene.world.one('select count(*)::int n from listing_drifts')])
    .toEqual([30, { sold: 0, shown: 30 }, { n: 0 }]);
});

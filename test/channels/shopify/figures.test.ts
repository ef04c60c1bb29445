import { afterEach, expect, it } from 'vitest';
import { EveryShop } from '../support/every-platform.ts';

/** What a shop shows after a cancellation, without the hourly comparison that would mend it. */
let shop: EveryShop;
afterEach(async () => { await shop.close(); });

it('Shopify puts back what we have cancelled, as we count on', async () => {
  shop = EveryShop.on('shopify');
  const scene = await shop.selling();
  const order = shop.place({ lines: [{ sku: 'P-1', quantity: 4 }] });
  await scene.pushed();
  await scene.sync();
  expect(shop.stockOf('P-1')).toBe(26);
  await scene.api('POST', `/v1/orders/${(await scene.channelOrder(order.id))?.order ?? ''}/cancel`, { reason: 'no longer made' });
  for (let i = 0; i < 3; i++) {
    await scene.pushed();
    await scene.sync();
  }
  expect([scene.platform.shop.order(order.id).status, shop.stockOf('P-1')]).toEqual(['cancelled', 30]);
  await scene.sync(3700);
  await scene.proven();
  expect([shop.stockOf('P-1'), await scene.world.one('select count(*)::int n from listing_drifts')]).toEqual([30, { n: 0 }]);
});

it.each([[true], [false]])('WooCommerce tells whether the units of a cancelled order are back (%s)', async (restock) => {
  shop = EveryShop.on('woocommerce');
  const scene = await shop.selling();
  const order = shop.place({ lines: [{ sku: 'P-1', quantity: 4 }] });
  await scene.pushed();
  await scene.sync();
  scene.platform.shop.cancel(order.id, 'the payment was refused', restock);
  for (let i = 0; i < 3; i++) {
    await scene.pushed();
    await scene.sync();
  }
  expect([await scene.world.status((await scene.channelOrder(order.id))?.order ?? ''), shop.stockOf('P-1')]).toEqual(['cancelled', 30]);
  await scene.sync(3700);
  await scene.proven();
  expect([shop.stockOf('P-1'), await scene.world.one('select count(*)::int n from listing_drifts')]).toEqual([30, { n: 0 }]);
});

import { expect, it } from 'vitest';
import { advance } from '../../support/advance.ts';
import { everyPlatform } from '../support/every-platform.ts';

/** What every platform is told of stock, and what it holds itself. */
everyPlatform((shop) => {
  const { capabilities } = shop;

  it.runIf(capabilities.stock !== 'none' && capabilities.countsOwnSales)('never gives back what the platform has sold and not told', async () => {
    const scene = await shop.selling();
    Object.assign(scene.platform.faults, { holdPushes: true });
    // Sold there, not known here; meanwhile a unit is lost here.
    const sold = shop.place({ lines: [{ sku: 'P-1', quantity: 4 }] });
    await scene.world.store.pool.query(`update channel_shops set polled_at = $1`, [scene.world.now]);
    await scene.world.capture({ lines: [{ sku: 'SKU-1', quantity: 1, unitPrice: 1000 }] });
    await scene.sync();
    expect(shop.stockOf('P-1')).toBe(25);
    Object.assign(scene.platform.faults, { holdPushes: false });
    await scene.pushed();
    await scene.sync();
    expect([shop.stockOf('P-1'), (await scene.channelOrder(sold.id))?.state]).toEqual([25, 'open']);
  });

  it.runIf(capabilities.stock !== 'none' && capabilities.countsOwnSales)('carries a change of stock out once though its answer is lost', async () => {
    const scene = await shop.selling({ timeoutMs: 300 });
    await scene.world.capture({ lines: [{ sku: 'SKU-2', quantity: 5, unitPrice: 1000 }] });
    Object.assign(scene.platform.faults, { nextTimeouts: 1 });
    expect((await scene.sync()).fault).not.toBeNull();
    scene.restart();
    await scene.sync(10);
    // Read, and believed once every order from before it is taken.
    await scene.sync(shop.kind.backstop.lagS + 1);
    expect([shop.stockOf('P-2'), (await scene.world.one<{ p: unknown }>(`select pending p from listings where platform_sku = 'P-2'`)).p]).toEqual([25, null]);
  });

  it.runIf(capabilities.stock !== 'none')('stops and zeroes a shop or a listing by one switch', async () => {
    const scene = await shop.selling();
    await scene.api('PUT', `/v1/channels/${scene.code}/listings/P-1/publishing`, { mode: 'zero' });
    await scene.sync();
    expect([shop.stockOf('P-1'), shop.stockOf('P-2')]).toEqual([0, 30]);
    await scene.api('PUT', `/v1/channels/${scene.code}/publishing`, { mode: 'stopped' });
    await scene.world.capture({ lines: [{ sku: 'SKU-2', quantity: 3, unitPrice: 1000 }] });
    await scene.sync();
    expect(shop.stockOf('P-2')).toBe(30);
    await scene.api('PUT', `/v1/channels/${scene.code}/publishing`, { mode: 'on', sharePercent: 50, buffer: 2, cap: 10 });
    await scene.sync();
    expect([shop.stockOf('P-1'), shop.stockOf('P-2'), shop.stockOf('P-3')]).toEqual([0, 10, 10]);
  });

  it.runIf(capabilities.platformFulfils)('moves the stock of an order that the platform ships itself, and never ships it', async () => {
    const scene = await shop.selling({ platformLocation: 'L3' });
    const location = [...scene.world.store.network.locations.values()].at(-1);
    if (!location) throw new Error('the world has no location');
    await scene.api('PUT', `/v1/channels/${scene.code}/shop`, { settings: { ...scene.account, baseUrl: scene.platform.url, platformLocation: location.code } });
    await scene.world.database.pool.query('update locations set partner_url = null where id = $1', [location.id]);
    await scene.world.store.network.reload();
    scene.restart();
    const order = shop.place({ lines: [{ sku: 'P-1', quantity: 2 }], fulfilledBy: 'platform' });
    await scene.pushed();
    await scene.sync();
    const ours = (await scene.channelOrder(order.id))?.order ?? '';
    await advance(scene.world, ours);
    const before = scene.world.partners.requests.length;
    scene.platform.shop.ship(order.id, { key: 'own', carrier: 'sim', number: 'PW-1', lines: null });
    await scene.pushed();
    await scene.sync();
    await scene.sync(10);
    const level = await scene.world.one<{ on_hand: number; reserved: number }>(`select on_hand, reserved from stock_levels v join skus s on s.id = v.sku_id where s.code = 'SKU-1' and v.location_id = $1 and allotment_id = 0`, location.id);
    expect({ level, status: (await scene.world.fulfillments(ours)).map((f) => [f.location, f.status]), calls: scene.world.partners.requests.length - before, reports: await scene.world.one('select count(*)::int n from channel_reports') })
      .toEqual({ level: { on_hand: 8, reserved: 0 }, status: [[location.code, 'issued']], calls: 0, reports: { n: 0 } });
  });
});

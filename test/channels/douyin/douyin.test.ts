import { afterEach, describe, expect, it } from 'vitest';
import { douyin } from '../../../channels/douyin/index.ts';
import { BareShop } from '../support/bare-shop.ts';
import { connectorOf } from '../support/connector-of.ts';
import { EveryShop } from '../support/every-platform.ts';

describe('a shop on the simulator', () => {
  let shop: EveryShop;
  afterEach(async () => { await shop.close(); });
  const listing = (scene: { world: EveryShopWorld }) => scene.world.one(`select refused, pending, granted - sold shown from listings where platform_sku = 'P-1'`);

  it('takes off what lies outside of a campaign, and keeps the refusal of the rest', async () => {
    shop = new EveryShop(douyin);
    const scene = await shop.selling();
    scene.platform.shop.item('P-1').locked = { campaign: 20, channel: 5 };
    const connector = await connectorOf(scene, douyin);
    expect(await connector.readStock?.([{ itemId: '9001', platformSku: 'P-1' }])).toEqual([{ platformSku: 'P-1', sellable: 30, held: 0, loose: 5 }]);
    // 15 are to go; 5 can.
    await scene.world.capture({ lines: [{ sku: 'SKU-1', quantity: 15, unitPrice: 1000 }] });
    await scene.sync();
    expect([shop.stockOf('P-1'), await listing(scene)]).toEqual([25, { refused: expect.stringContaining('5 left') as string, pending: null, shown: 25 }]);
    // The campaign is over: what was refused is told at the next check.
    delete scene.platform.shop.item('P-1').locked;
    await scene.sync(3_601);
    await scene.proven();
    expect([shop.stockOf('P-1'), await listing(scene), await scene.world.one('select count(*)::int n from listing_drifts')]).toEqual([15, { refused: null, pending: null, shown: 15 }, { n: 0 }]);
  });

  it('tells the stock of its warehouse where SKUs are sold by region', async () => {
    shop = new EveryShop(douyin);
    const scene = await shop.selling({ warehouseId: 'WH-1' });
    expect(shop.stockOf('P-1')).toBe(30);
    const order = shop.place({ lines: [{ sku: 'P-1', quantity: 4 }], paid: false });
    await scene.pushed();
    await scene.world.capture({ lines: [{ sku: 'SKU-1', quantity: 5, unitPrice: 1000 }] });
    await scene.sync();
    scene.restart();
    await scene.world.capture({ lines: [{ sku: 'SKU-1', quantity: 1, unitPrice: 1000 }] });
    await scene.sync();
    expect([(await scene.channelOrder(order.id))?.state, shop.stockOf('P-1'), await listing(scene)]).toEqual(['open', 20, { refused: null, pending: null, shown: 20 }]);
    expect(await (await connectorOf(scene, douyin)).readStock?.([{ itemId: '9001', platformSku: 'P-1' }])).toEqual([{ platformSku: 'P-1', sellable: 20, held: 4, loose: 20 }]);
  });

  it('counts what is taken with the payment once it is paid, and nothing of it before', async () => {
    shop = new EveryShop(douyin);
    const scene = await shop.selling();
    scene.platform.shop.item('P-1').takenWhenPaid = true;
    const [paid, dropped] = [4, 3].map((quantity) => shop.place({ lines: [{ sku: 'P-1', quantity }], paid: false }));
    await scene.pushed();
    await scene.sync();
    // Theirs here, and taken off there: the platform shows what is left for others.
    expect([shop.stockOf('P-1'), await listing(scene)]).toEqual([23, { refused: null, pending: null, shown: 23 }]);
    scene.platform.shop.pay(paid?.id ?? '');
    scene.platform.shop.cancel(dropped?.id ?? '');
    for (let i = 0; i < 3; i++) {
      await scene.pushed();
      await scene.sync();
    }
    expect([shop.stockOf('P-1'), await listing(scene)]).toEqual([26, { refused: null, pending: null, shown: 26 }]);
    await scene.sync(3_601);
    await scene.proven();
    expect([shop.stockOf('P-1'), await scene.world.one('select count(*)::int n from listing_drifts'), await scene.world.one(`select sold from listings where platform_sku = 'P-1'`)]).toEqual([26, { n: 0 }, { sold: 4 }]);
  });
});
type EveryShopWorld = Awaited<ReturnType<EveryShop['selling']>>['world'];

it('a refresh whose answer was lost is fetched again, as long as the token that it gave is not used', async () => {
  const shop = await BareShop.open(douyin);
  try {
    const first = await shop.connector.nextToken?.(null) ?? null;
    const next = await shop.connector.nextToken?.(first);
    expect([next?.access === first?.access, await shop.connector.nextToken?.(first)]).toMatchObject([false, { access: next?.access, refresh: next?.refresh }]);
    const last = await shop.connector.nextToken?.(next ?? null) ?? null;
    await expect(shop.connector.nextToken?.(first)).rejects.toThrow();
    expect((await shop.connector.nextToken?.(last))?.access).not.toBe(last?.access);
  } finally {
    await shop.close();
  }
});

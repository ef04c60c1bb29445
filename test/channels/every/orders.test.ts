import { expect, it } from 'vitest';
import { everyPlatform } from '../support/every-platform.ts';

/** How every platform's orders come in, change and are held. */
everyPlatform((shop) => {
  const { kind, capabilities } = shop;

  it('tells the platform what may be sold, takes its order, and leaves the platform its own sale', async () => {
    const scene = await shop.selling();
    expect([1, 2, 3, 4].map((n) => shop.stockOf(`P-${n}`))).toEqual([30, 30, 30, 30]);
    const order = shop.place({ lines: [{ sku: 'P-1', quantity: 2, unitPrice: 1500 }, { sku: 'P-2', quantity: 1 }], freight: 800 });
    await scene.pushed();
    await scene.sync();
    const ours = await scene.channelOrder(order.id);
    expect(ours).toMatchObject({ state: 'open', reason: null });
    const detail = await scene.api<{ money: { total: number }; externalId: string; lines: { sku: string; quantity: number; unitPrice: number }[] }>('GET', `/v1/orders/${ours?.order ?? ''}`);
    expect({ total: detail.money.total, externalId: detail.externalId, lines: detail.lines.map((l) => [l.sku, l.quantity, l.unitPrice]) })
      .toEqual({ total: 5800, externalId: order.id, lines: [['SKU-1', 2, 1500], ['SKU-2', 1, 2000]] });
    await scene.sync();
    expect([shop.stockOf('P-1'), shop.stockOf('P-2'), shop.stockOf('P-3')]).toEqual([28, 29, 30]);
  });

  it('takes pushes ten times over, shuffled, and again three days later as one', async () => {
    const scene = await shop.selling();
    Object.assign(scene.platform.faults, { copies: 10, shuffle: true });
    const [bought, paidLater, cancelled] = [shop.place({ lines: [{ sku: 'P-1', quantity: 1 }] }), shop.place({ lines: [{ sku: 'P-2', quantity: 2 }], paid: false }), shop.place({ lines: [{ sku: 'P-3', quantity: 3 }] })];
    scene.platform.shop.pay(paidLater.id);
    scene.platform.shop.cancel(cancelled.id);
    await scene.pushed();
    await scene.sync();
    const before = await scene.orderCount();
    const events = await scene.world.one<{ n: string }>('select count(*) n from order_events');
    const moved = await scene.world.one<{ n: string }>('select count(*) n from stock_movements');
    scene.world.now = new Date(scene.world.now.getTime() + 3 * 86_400_000);
    Object.assign(scene.platform.faults, { copies: 1 });
    await scene.platform.pusher.again();
    await scene.sync();
    expect({ before, after: await scene.orderCount(), events: await scene.world.one('select count(*) n from order_events'), moved: await scene.world.one('select count(*) n from stock_movements') })
      .toEqual({ before: 2, after: 2, events, moved });
    expect(await scene.channelOrder(bought.id)).toMatchObject({ state: 'open' });
    expect(await scene.world.status((await scene.channelOrder(paidLater.id))?.order ?? '')).not.toBe('awaiting_payment');
  });

  it('finds by its poll what was never pushed', async () => {
    const scene = await shop.selling();
    Object.assign(scene.platform.faults, { dropPushes: true });
    const order = shop.place({ lines: [{ sku: 'P-1', quantity: 1 }] });
    await scene.pushed();
    await scene.sync(kind.backstop.everyS + kind.backstop.lagS + 1);
    expect(await scene.channelOrder(order.id)).toMatchObject({ state: 'open' });
  });

  it('holds an order for a listing that is not mapped, and releases all of them with the mapping', async () => {
    const scene = await shop.selling({ mapByMerchantCode: false });
    scene.platform.shop.putItem({ sku: 'P-9', itemId: '9009', merchantCode: 'SKU-4', price: 700, stock: 5 });
    const orders = [shop.place({ lines: [{ sku: 'P-9', quantity: 1 }] }), shop.place({ lines: [{ sku: 'P-9', quantity: 2 }] })] as const;
    await scene.pushed();
    await scene.sync();
    expect(await Promise.all(orders.map((o) => scene.channelOrder(o.id)))).toEqual([1, 2].map(() => ({ state: 'held', reason: 'unmapped_sku', order: null })));
    const unmapped = await scene.api<{ items: { platformSku: string; suggested: string | null }[] }>('GET', `/v1/channels/${scene.code}/listings?unmapped=true`);
    expect(unmapped.items.map((l) => [l.platformSku, l.suggested])).toEqual([['P-9', 'SKU-4']]);
    const mapped = await scene.api<{ version: number; released: number }>('PUT', `/v1/channels/${scene.code}/listings/P-9`, { components: [{ sku: 'SKU-3', quantity: 1 }, { sku: 'SKU-4', quantity: 2 }], version: 0 });
    expect(mapped).toEqual({ version: 1, released: 2 });
    await scene.sync();
    const second = await scene.channelOrder(orders[1].id);
    expect(second?.state).toBe('open');
    const detail = await scene.api<{ money: { total: number }; lines: { sku: string; quantity: number }[] }>('GET', `/v1/orders/${second?.order ?? ''}`);
    expect([detail.money.total, detail.lines.map((l) => [l.sku, l.quantity])]).toEqual([1400, [['SKU-3', 2], ['SKU-4', 4]]]);
  });

  it('holds an order in a currency that is not the shop\'s', async () => {
    const scene = await shop.selling();
    const order = shop.place({ lines: [{ sku: 'P-1', quantity: 1 }], currency: 'USD' });
    await scene.pushed();
    await scene.sync();
    // A platform that knows one currency only never shows another.
    const state = await scene.channelOrder(order.id);
    expect(kind.currencies === 'one' ? state?.state : [state?.state, state?.reason]).toEqual(kind.currencies === 'one' ? 'open' : ['held', 'currency']);
  });

  it('holds an order at a price below its floor, and takes it when somebody lowers the floor', async () => {
    const scene = await shop.selling();
    const floor = (priceFloor: number | null) => scene.api<{ released: number }>('PUT', `/v1/channels/${scene.code}/listings/P-1`, { components: [{ sku: 'SKU-1', quantity: 1 }], priceFloor });
    await floor(900);
    const [low, right] = [shop.place({ lines: [{ sku: 'P-1', quantity: 2, unitPrice: 10 }] }), shop.place({ lines: [{ sku: 'P-1', quantity: 1, unitPrice: 900 }] })];
    await scene.pushed();
    await scene.sync();
    expect([await scene.channelOrder(low.id), (await scene.channelOrder(right.id))?.state]).toEqual([{ state: 'held', reason: 'price_below_floor', order: null }, 'open']);
    expect(await floor(10)).toMatchObject({ released: 1 });
    await scene.sync();
    expect(await scene.channelOrder(low.id)).toMatchObject({ state: 'open', reason: null });
  });

  it('takes an order that changes while it is read as it is in the end, once', async () => {
    const scene = await shop.selling();
    const order = shop.place({ lines: [{ sku: 'P-1', quantity: 1 }, { sku: 'P-2', quantity: 2 }] });
    let changes = 0;
    scene.platform.faults.meanwhile = () => {
      if (changes++ === 0) scene.platform.shop.openAfterSale(order.id, { kind: 'refund', lines: [{ lineId: order.lines[0]?.lineId ?? '', quantity: 1 }], reason: 'while it was read' });
      else if (changes === 3) scene.platform.shop.changeAddress(order.id, { street: '3 Meanwhile Road' }, false);
    };
    await scene.pushed();
    await scene.sync();
    scene.platform.faults.meanwhile = null;
    await scene.pushed();
    await scene.sync(kind.backstop.everyS + kind.backstop.lagS + 1);
    await scene.sync(60);
    const { rows } = await scene.world.store.pool.query<{ version: string; state: string }>(`select applied ->> 'version' version, state from channel_orders`);
    expect([await scene.orderCount(), rows.length, rows[0]?.state, changes > 0]).toEqual([1, 1, 'open', true]);
    // Platforms tell seconds or milliseconds; either way it is the last state that was applied.
    expect(Math.floor(Number(rows[0]?.version) / 1000)).toBe(Math.floor(scene.platform.shop.order(order.id).updatedAt / 1000));
  });

  it('cancels with the platform, and takes the payment with it', async () => {
    const scene = await shop.selling();
    const order = shop.place({ lines: [{ sku: 'P-1', quantity: 3 }], paid: false });
    await scene.pushed();
    await scene.sync();
    const unpaid = await scene.channelOrder(order.id);
    expect(unpaid === null ? null : await scene.world.status(unpaid.order ?? '')).toBe(capabilities.showsUnpaid === false ? null : 'awaiting_payment');
    scene.platform.shop.pay(order.id);
    await scene.pushed();
    await scene.sync();
    const ours = (await scene.channelOrder(order.id))?.order ?? '';
    expect(await scene.world.status(ours)).toBe('captured');
    scene.platform.shop.cancel(order.id);
    await scene.pushed();
    await scene.sync();
    expect(await scene.world.status(ours)).toBe('cancelled');
    await scene.sync();
    expect(shop.stockOf('P-1')).toBe(30);
  });

  it.runIf(capabilities.addressChange !== 'none')('sends it to the address that the platform has now', async () => {
    const scene = await shop.selling();
    const order = shop.place({ lines: [{ sku: 'P-1', quantity: 1 }] });
    await scene.pushed();
    await scene.sync();
    scene.platform.shop.changeAddress(order.id, { city: 'Ningbo', street: '2 Other Road' }, capabilities.addressChange === 'asked');
    await scene.pushed();
    // Where no push tells it, the poll does.
    await scene.sync(kind.backstop.everyS + kind.backstop.lagS + 1);
    await scene.sync();
    await scene.pushed(); // what we agreed to comes back as the order's state
    await scene.sync();
    const detail = await scene.api<{ destination: { city: string } }>('GET', `/v1/orders/${(await scene.channelOrder(order.id))?.order ?? ''}`);
    expect(detail.destination.city).toContain('Ningbo');
    if (capabilities.addressChange === 'asked') expect(scene.platform.shop.order(order.id).addressAnswer).toBe(true);
  });
});

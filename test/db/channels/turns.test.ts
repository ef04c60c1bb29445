import { expect, test } from 'vitest';
import { applyOrder } from '../../../db/channels/apply-order.ts';
import { Turns } from '../../../db/channels/turns.ts';
import type { SeenOrder } from '../../../domain/channel/seen-order.ts';
import { World } from '../../support/world.ts';

test('so many at once, the next in the order of asking, also after one that failed', async () => {
  const turns = new Turns(2);
  let running = 0;
  const seen: number[] = [];
  const results = await Promise.allSettled([1, 2, 3, 4, 5].map((n) => turns.take(async () => {
    running += 1;
    seen.push(n);
    expect(running).toBeLessThanOrEqual(2);
    await new Promise((resolve) => { setImmediate(resolve); });
    running -= 1;
    if (n === 1) throw new Error('one');
    return n;
  })));
  expect([seen, results.map((r) => r.status)]).toEqual([[1, 2, 3, 4, 5], ['rejected', 'fulfilled', 'fulfilled', 'fulfilled', 'fulfilled']]);
});

test('more orders at once than the pool has connections are all captured', async () => {
  const world = await World.create({ stock: 500 });
  try {
    const { store } = world;
    const channel = store.network.channels.get('douyin');
    if (!channel) throw new Error('the world has no shop');
    const order = (n: number): SeenOrder => ({
      externalId: `T-${n}`, version: 1, status: 'to_ship', fulfilledBy: 'us', currency: 'CNY', orderedAt: world.now.getTime(), paidAt: world.now.getTime(), shipBy: null, cashOnDelivery: false, buyer: { id: null, name: null },
      address: { name: 'T', phone: '1', country: 'CN', province: 'Shanghai', city: 'Shanghai', street: `${n} Road` }, wantedAddress: null, discounts: [], freight: 0, buyerRemark: null, sellerRemark: null, session: null, afterSales: [], parcels: [],
      lines: [{ lineId: '1', itemId: null, platformSku: 'P', merchantCode: 'SKU-1', title: '', quantity: 1, cancelled: 0, unitPrice: 100, discounts: [], gift: false }],
    });
    const many = (store.pool.options.max ?? 10) * 2;
    const outcomes = await Promise.all(Array.from({ length: many }, (_, n) => applyOrder({ writer: store.writer, network: store.network, vault: store.vault, capture: store.capture }, channel, order(n), { automaticMapping: true, platformLocation: null, restores: 'never' })));
    expect(outcomes).toEqual(Array(many).fill({ state: 'open', reason: null }));
  } finally {
    await world.close();
  }
});

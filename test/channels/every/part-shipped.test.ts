import { afterEach, describe, expect, it } from 'vitest';
import { channelKinds } from '../../../channels/registry.ts';
import { BareShop } from '../support/bare-shop.ts';

/** An order of which a part has left, with refunds of what has left and of what has not: only the latter is no more to be shipped. */
describe.each(channelKinds.filter((k) => k.capabilities.shipment === 'parcels').map((k) => [k.platform, k] as const))('%s', (platform, kind) => {
  let shop: BareShop | null = null;
  afterEach(async () => {
    await shop?.close();
    shop = null;
  });

  it('cancels no unit that has left', async () => {
    shop = await BareShop.open(kind);
    const state = shop.platform.shop;
    const order = state.place({ lines: [{ sku: 'P-1', quantity: 1 }, { sku: 'P-2', quantity: 2 }, { sku: 'P-3', quantity: 1 }] });
    if (!order) throw new Error('the platform has not enough of it');
    const [one = '', two = '', three = ''] = order.lines.map((l) => l.lineId);
    state.ship(order.id, { key: 'k', carrier: 'sim', number: 'W-1', lines: [{ lineId: one, quantity: 1 }] });
    const refund = (lineId: string): void => { state.moveAfterSale(state.openAfterSale(order.id, { kind: 'refund', lines: [{ lineId, quantity: 1 }] }).id, 'done', 'platform'); };
    refund(one);
    const read = async () => { const seen = await shop?.connector.fetchOrder(order.id, []); return { status: seen?.status, cancelled: [one, two, three].map((id) => seen?.lines.find((l) => l.lineId === id)?.cancelled) }; };
    expect(await read()).toEqual({ status: 'part_shipped', cancelled: [0, 0, 0] });
    if (!['shopify', 'kuaishou', 'wechat'].includes(platform)) return;
    refund(two);
    expect(await read()).toEqual({ status: 'part_shipped', cancelled: [0, 1, 0] });
  });
});

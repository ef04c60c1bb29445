import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, it, test } from 'vitest';
import { readSettings } from '../../../api/channels/settings.ts';
import { receive } from '../../../channels/shopify/push.ts';
import { shopify } from '../../../channels/shopify/index.ts';
import * as queries from '../../../channels/shopify/queries.ts';
import { PartnerUnavailable } from '../../../domain/http-port.ts';
import { cost, parse } from '../../../simulators/shopify/graphql.ts';
import { BareShop } from '../support/bare-shop.ts';
import { ShopScene } from '../support/shop-scene.ts';

const push = (topic: string, content: object, eventId = 'e-1') => {
  const body = Buffer.from(JSON.stringify(content));
  const headers = { 'x-shopify-topic': topic, 'x-shopify-hmac-sha256': createHmac('sha256', 's').update(body).digest('base64'), 'x-shopify-event-id': eventId };
  return receive({ method: 'POST', query: new URLSearchParams(), headers, body, now: 0 }, 's');
};
const hinted = (topic: string, content: object, eventId?: string) => { const received = push(topic, content, eventId); return received.kind === 'hints' ? received.hints.map((h) => [h.subject, h.externalId]) : received.kind; };

describe('webhooks', () => {
  test('each topic names its order in its own way', () => {
    expect(hinted('orders/updated', { id: 42, updated_at: '2026-06-23T14:11:00-04:00' })).toEqual([['order', '42']]);
    expect(hinted('orders/edited', { order_edit: { id: 1, order_id: 42, line_items: { additions: [{ id: 7, delta: 1 }], removals: [] } } })).toEqual([['order', '42']]);
    expect(hinted('refunds/create', { id: 9, order_id: 42 })).toEqual([['order', '42']]);
    expect(hinted('returns/request', { id: 246, admin_graphql_api_id: 'gid://shopify/Return/246', status: 'requested', order: { id: 42 } })).toEqual([['order', '42']]);
    expect(hinted('returns/update', { id: 246 })).toEqual([['after_sale', 'Return/246']]);
    expect(hinted('fulfillment_orders/cancelled', { fulfillment_order: { id: 'gid://shopify/FulfillmentOrder/17', status: 'cancelled' } })).toEqual([['after_sale', 'FulfillmentOrder/17']]);
    expect(hinted('fulfillment_orders/moved', { original_fulfillment_order: { id: 'gid://shopify/FulfillmentOrder/18', status: 'closed' }, moved_fulfillment_order: { id: 'gid://shopify/FulfillmentOrder/19' } })).toEqual([['after_sale', 'FulfillmentOrder/18']]);
    expect(hinted('inventory_levels/update', { inventory_item_id: 9001, updated_at: '2026-06-23T14:11:00-04:00' })).toEqual([['stock', '9001']]);
  });

  test('one of ours that names nothing is not accepted; those that are none of ours are', () => {
    for (const topic of ['orders/updated', 'orders/edited', 'refunds/create', 'returns/request', 'fulfillment_orders/cancelled', 'inventory_levels/update']) expect(push(topic, { status: 'x' })).toMatchObject({ kind: 'rejected', reason: 'malformed', reply: { status: 400 } });
    expect(hinted('products/update', { id: 7 })).toBe('probe');
  });

  test('two events of one second are two, one that comes again is one', () => {
    const key = (note: string, eventId: string) => { const received = push('orders/updated', { id: 42, updated_at: '2026-06-23T14:11:00-04:00', note }, eventId); return received.kind === 'hints' ? received.hints[0]?.key : null; };
    expect(key('a', 'e-1')).not.toBe(key('b', 'e-2'));
    expect(key('a', 'e-1')).toBe(key('a', 'e-1'));
  });

  test('requests about people are kept, each order by itself', () => {
    expect(hinted('customers/redact', { shop_id: 1, customer: { id: 1 }, orders_to_redact: [42, 43] })).toEqual([['privacy', '42'], ['privacy', '43']]);
    expect(hinted('customers/redact', { shop_id: 1, customer: { id: 1 }, orders_to_redact: [] })).toBe('probe');
    expect(hinted('customers/data_request', { shop_id: 1, customer: { id: 1 }, orders_requested: [42], data_request: { id: 9 } })).toEqual([['privacy', '42']]);
    expect(hinted('customers/data_request', { shop_id: 1, customer: { id: 1 }, orders_requested: [], data_request: { id: 9 } })).toEqual([['privacy', 'request 9']]);
    expect(hinted('shop/redact', { shop_id: 1, shop_domain: 'a.myshopify.com' })).toEqual([['privacy', 'shop 1']]);
  });
});

test('no query may cost more than one query can', () => {
  const documents = [...Object.values(queries).filter((q) => typeof q === 'string' && q.startsWith('query')), queries.ORDER_OF('return'), queries.ORDER_OF('fulfillmentOrder')] as string[];
  const ids = Array.from({ length: shopify.capabilities.stockBatch }, () => 'gid');
  expect(documents.length).toBeGreaterThanOrEqual(12);
  expect(documents.map((q) => [q.slice(0, 40), cost(parse(q, { ids }).fields)]).filter(([, points]) => Number(points) > 1000)).toEqual([]);
  // What is read of every order leaves room for others in the smallest bucket.
  expect(cost(parse(queries.ORDER, {}).fields)).toBeLessThan(250);
});

test('an order that was bought with play money is held; the setting lets it be passed over, or taken', async () => {
  const scene = await ShopScene.open('shopify');
  try {
    await scene.api('POST', `/v1/channels/${scene.code}/listings`, { mappings: [{ platformSku: 'P-1', components: [{ sku: 'SKU-1', quantity: 1 }] }] });
    await scene.world.store.pool.query(`update listings set item_id = '9001'`);
    await scene.proven();
    const order = scene.platform.shop.place({ lines: [{ sku: 'P-1', quantity: 1 }] });
    if (!order) throw new Error('sold out');
    order.test = true;
    const put = (testOrders: string) => scene.api('PUT', `/v1/channels/${scene.code}/shop`, { settings: { ...scene.account, baseUrl: scene.platform.url, testOrders } });
    const read = async (): Promise<unknown> => {
      await scene.api('POST', `/v1/channels/${scene.code}/refresh`, { externalIds: [order.id] });
      await scene.sync();
      return [await scene.channelOrder(order.id), await scene.orderCount()];
    };
    expect(await read()).toEqual([{ state: 'held', reason: 'kept_back', order: null }, 0]);
    expect((await scene.api<{ items: { detail: string }[] }>('GET', `/v1/channels/${scene.code}/held`)).items.map((h) => h.detail)).toEqual(['the platform keeps it back: it is a test order (setting testOrders)']);
    await put('ignore');
    expect(await read()).toEqual([{ state: 'ignored', reason: 'gone_before_capture', order: null }, 0]);
    await put('take');
    expect(await read()).toEqual([{ state: 'open', reason: null, order: expect.any(String) as string }, 1]);
  } finally {
    await scene.close();
  }
});

test('a version that cannot set stock as we do is no setting', () => {
  const account = { shopDomain: 'a.myshopify.com', clientSecret: 's', accessToken: 't', locationId: '1' };
  for (const apiVersion of ['2025-10', '2024-01', '2026-02']) expect(() => readSettings(shopify, { ...account, apiVersion }, [])).toThrow('2026-01 or later');
  for (const apiVersion of ['2026-01', '2026-10', '2031-04']) expect(readSettings(shopify, { ...account, apiVersion }, []).settings['apiVersion']).toBe(apiVersion);
});

describe('on the simulator', () => {
  let shop: BareShop;
  afterEach(async () => { await shop.close(); });
  const place = (lines: { sku: string; quantity: number }[]) => {
    const order = shop.platform.shop.place({ lines, currency: 'USD' });
    if (!order) throw new Error('the platform has not enough of it');
    return order;
  };
  const lineIds = (order: { lines: { lineId: string }[] }): string[] => order.lines.map((l) => l.lineId);

  it('reads long orders, many refunds and returns to their end', async () => {
    shop = await BareShop.open(shopify);
    const { platform } = shop;
    const order = place(Array.from({ length: 100 }, (_, n) => ({ sku: `P-${(n % 4) + 1}`, quantity: n < 12 ? 2 : 1 })));
    const ids = lineIds(order);
    for (let n = 0; n < 12; n++) platform.shop.moveAfterSale(platform.shop.openAfterSale(order.id, { kind: 'refund', lines: [{ lineId: ids[n] ?? '', quantity: 1 }] }).id, 'done', 'platform');
    for (let n = 0; n < 7; n++) platform.shop.openAfterSale(order.id, { kind: 'return', lines: [{ lineId: ids[n] ?? '', quantity: 1 }] });
    const seen = await shop.connector.fetchOrder(order.id, []);
    expect([seen?.lines.map((l) => l.lineId), seen?.lines.filter((l) => l.cancelled === 1).map((l) => l.lineId)]).toEqual([ids, ids.slice(0, 12)]);
    expect(seen?.afterSales.map((a) => [a.kind, a.lines.map((l) => l.lineId)])).toEqual([...ids.slice(0, 12).map((l) => ['refund', [l]]), ...ids.slice(0, 7).map((l) => ['return', [l]])]);
    expect(platform.counts['dearest']).toBeLessThanOrEqual(1000);
  });

  it('takes one call for an order without any of that', async () => {
    shop = await BareShop.open(shopify);
    const order = place([{ sku: 'P-1', quantity: 1 }]);
    expect((await shop.connector.fetchOrder(order.id, []))?.status).toBe('to_ship');
    expect(shop.calls.length).toBe(1);
  });

  it('counts only what never left as cancelled, where a part has left', async () => {
    shop = await BareShop.open(shopify);
    const { platform } = shop;
    const order = place([{ sku: 'P-1', quantity: 1 }, { sku: 'P-2', quantity: 2 }, { sku: 'P-3', quantity: 2 }]);
    const [one = '', two = '', three = ''] = lineIds(order);
    platform.shop.ship(order.id, { key: 'k', carrier: 'sim', number: 'W-1', lines: [{ lineId: one, quantity: 1 }, { lineId: three, quantity: 1 }] });
    const refund = (lineId: string) => platform.shop.moveAfterSale(platform.shop.openAfterSale(order.id, { kind: 'refund', lines: [{ lineId, quantity: 1 }] }).id, 'done', 'platform');
    refund(one); // it has left
    refund(two); // it has not
    const seen = await shop.connector.fetchOrder(order.id, []);
    expect([seen?.status, seen?.lines.map((l) => [l.lineId, l.cancelled])]).toEqual(['part_shipped', [[one, 0], [two, 1], [three, 0]]]);
  });

  it('tells the second location of a parcel after the first one\'s answer', async () => {
    shop = await BareShop.open(shopify);
    const { platform } = shop;
    platform.memory<Record<string, string>>('locations', {})['P-2'] = '2';
    const order = place([{ sku: 'P-1', quantity: 1 }, { sku: 'P-2', quantity: 2 }]);
    const [one = '', two = ''] = lineIds(order);
    let sent = 0;
    shop.refuse = (body) => (body.includes('fulfillmentCreate') && ++sent === 2 ? new PartnerUnavailable('down before the second location') : null);
    const report = shop.parcel(order.id, 'W-1', [{ lineId: one, quantity: 1 }, { lineId: two, quantity: 2 }], true);
    await expect(shop.connector.reportShipment?.(report)).rejects.toThrow('second location');
    expect(platform.shop.order(order.id).status).toBe('part_shipped');
    await shop.connector.reportShipment?.(report);
    await shop.connector.reportShipment?.(report);
    expect(platform.shop.order(order.id).parcels.map((p) => [p.number, p.lines])).toEqual([['W-1', [{ lineId: one, quantity: 1 }]], ['W-1', [{ lineId: two, quantity: 2 }]]]);
    expect((await shop.connector.fetchOrder(order.id, []))?.parcels).toEqual([{ carrier: 'sim', number: 'W-1' }]);
  });

  it('finds the order of what does not name it', async () => {
    shop = await BareShop.open(shopify);
    const order = place([{ sku: 'P-1', quantity: 1 }]);
    const back = shop.platform.shop.openAfterSale(order.id, { kind: 'return' });
    expect(await Promise.all([shop.connector.orderOfAfterSale?.(`Return/${back.id}`), shop.connector.orderOfAfterSale?.(`FulfillmentOrder/${order.id}-1`), shop.connector.orderOfAfterSale?.('Return/1')])).toEqual([order.id, order.id, null]);
  });
});

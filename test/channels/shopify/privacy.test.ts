import { createHmac } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { decodeId } from '../../../domain/ids.ts';
import { ShopScene } from '../support/shop-scene.ts';

let scene: ShopScene;
afterEach(async () => { await scene.close(); });

async function selling(): Promise<void> {
  scene = await ShopScene.open('shopify');
  await scene.list(2);
}
const place = (phone: string): string => {
  const order = scene.platform.shop.place({ lines: [{ sku: 'P-1', quantity: 1 }], address: { name: 'Canary', phone }, buyerId: phone, currency: 'CNY' });
  if (!order) throw new Error('the platform has not enough of it');
  return order.id;
};
async function told(topic: string, content: object): Promise<number> {
  const body = JSON.stringify(content);
  const headers = { 'content-type': 'application/json', 'x-shopify-topic': topic, 'x-shopify-event-id': topic, 'x-shopify-hmac-sha256': createHmac('sha256', String(scene.account['clientSecret'])).update(body).digest('base64') };
  const { status } = await fetch(scene.platform.pusher.hookUrl, { method: 'POST', headers, body });
  return status;
}
const ours = async (externalId: string): Promise<string> => decodeId('ord', (await scene.channelOrder(externalId))?.order ?? '') as string;
/** What is kept of an order's people, and everything else of it. */
const kept = async (id: string) => scene.world.one<{ contact: unknown; key: boolean }>('select p.wrapped_key is not null key, v.ciphertext is not null contact from orders o join persons p on p.id = o.person_id join vault_records v on v.id = o.contact_id where o.id = $1', id);
const rest = async () => scene.world.one(`select (select jsonb_agg(o order by id) from orders o) orders, (select jsonb_agg(l order by order_id, line_no) from order_lines l) lines, (select jsonb_agg(v order by location_id, sku_id) from stock_levels v) levels,
  (select jsonb_agg(c order by external_id) from channel_orders c where external_id not like 'privacy:%') seen`);
const held = async () => (await scene.api<{ items: { externalId: string; reason: string; detail: string; key: string }[] }>('GET', `/v1/channels/${scene.code}/held`)).items;

it('erases the people of the orders that are named, once they are over, and nothing else', async () => {
  await selling();
  const [theirs, other] = [place('13800000011'), place('13800000012')];
  await scene.pushed();
  await scene.sync();
  const [id, otherId] = [await ours(theirs), await ours(other)];
  const read = async (order: string) => (await scene.world.store.vault.readContact(scene.world.store.pool, (await scene.world.one<{ c: string }>('select contact_id c from orders where id = $1', order)).c))?.shipTo.name ?? null;
  const before = await rest();
  expect(await told('customers/redact', { shop_id: 1, customer: { id: 1 }, orders_to_redact: [theirs, '1'] })).toBe(200);
  await scene.sync();
  // The order is open: the person is needed. It is said, and nothing has changed.
  expect((await held()).map((h) => [h.externalId, h.reason, h.key])).toEqual([[`privacy:customers/redact:${theirs}`, 'privacy', `privacy:customers/redact:${theirs}`]]);
  expect([await read(id), await rest()]).toEqual(['Canary', before]);
  scene.platform.shop.cancel(theirs);
  await scene.pushed();
  await scene.sync(600);
  const over = await rest();
  await scene.sync(600);
  expect([await read(id), await read(otherId), await kept(id), await kept(otherId)]).toEqual([null, 'Canary', { key: false, contact: true }, { key: true, contact: true }]);
  expect([await rest(), await held()]).toEqual([over, []]);
  expect(await scene.world.one(`select count(*)::int n from order_events where type = 'person.erased'`)).toEqual({ n: 1 });
});

it('keeps what somebody must do until they say that it is done', async () => {
  await selling();
  const theirs = place('13800000021');
  await scene.pushed();
  await scene.sync();
  const id = await ours(theirs);
  const before = await rest();
  expect([await told('customers/data_request', { shop_id: 1, customer: { id: 1 }, orders_requested: [theirs], data_request: { id: 9 } }), await told('shop/redact', { shop_id: 7, shop_domain: 'simulated.myshopify.com' })]).toEqual([200, 200]);
  await scene.sync();
  const tasks = [`privacy:customers/data_request:${theirs}`, 'privacy:shop/redact:shop 7'];
  expect((await held()).map((h) => [h.externalId, h.reason])).toEqual(tasks.map((t) => [t, 'privacy']));
  // Not with everything else that is read again.
  expect(await scene.api('POST', `/v1/channels/${scene.code}/held/release`, {})).toEqual({ released: 0 });
  expect(await scene.api('POST', `/v1/channels/${scene.code}/held/release`, { key: tasks[0] })).toEqual({ released: 1 });
  await scene.sync();
  expect([(await held()).map((h) => h.externalId), await rest(), (await kept(id)).key]).toEqual([[tasks[1]], before, true]);
});

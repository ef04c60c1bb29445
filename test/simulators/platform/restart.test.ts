import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { genericShop } from '../../../simulators/generic-shop/protocol.ts';
import { startPlatform } from '../../../simulators/platform/start-platform.ts';

const directory = mkdtempSync(join(tmpdir(), 'platform-'));
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  rmSync(directory, { recursive: true, force: true });
});

async function start(hookUrl?: string) {
  const platform = await startPlatform(genericShop, {
    settings: { webhookSecret: 'whsec_AAAA' }, stateFile: join(directory, 'state.json'), items: [{ sku: 'P-1', stock: 10, price: 500 }], ...(hookUrl === undefined ? {} : { hookUrl }),
  });
  closing.push(() => platform.close());
  return platform;
}
const post = (url: string, path: string, body: object): Promise<Response> => fetch(`${url}/_control${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

test('a platform that is started again is where it was, and pushes what nobody has taken', async () => {
  const first = await start('http://127.0.0.1:9/nobody');
  const token = first.memory('token', { value: 'none' });
  token.value = 'secret';
  await post(first.url, '/orders', { id: '77', lines: [{ sku: 'P-1', quantity: 2 }], paid: false });
  first.shop.once('key', () => 'done before');
  await expect.poll(() => first.pusher.records.length).toBe(1);
  // What was answered stands, however it ends: this is as if it had been killed after the answer.
  await post(first.url, '/orders/77/pay', {});
  const state = JSON.stringify(first.shop.save());
  first.pusher.close();

  const got: string[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (c: Buffer) => { text += c.toString(); }).on('end', () => { got.push(text); response.writeHead(200).end(); });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  closing.push(() => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }));
  const second = await start(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  expect(JSON.stringify(second.shop.save())).toBe(state);
  expect([second.memory('token', { value: 'none' }), second.shop.once('key', () => 'done again'), second.shop.item('P-1').stock]).toEqual([{ value: 'secret' }, 'done before', 8]);
  expect((await (await post(second.url, '/orders', { id: '77', lines: [{ sku: 'P-1', quantity: 2 }] })).json() as { externalId: string }).externalId).toBe('77');
  expect([second.shop.orders.size, second.shop.item('P-1').stock, second.shop.order('77').status]).toEqual([1, 8, 'to_ship']);
  await expect.poll(() => got.length).toBe(2);
  expect(got.every((body) => body.includes('77'))).toBe(true);
  await expect.poll(() => second.pusher.untold).toEqual([]);
});

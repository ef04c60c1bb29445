import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { loadDemo } from '../../../bin/demo/load-demo.ts';
import { PLATFORMS, platformOf, type PlatformName } from '../../../bin/demo/network.ts';
import { demoOrder } from '../../../bin/demo/orders.ts';
import { genericShop } from '../../../simulators/generic-shop/protocol.ts';
import { startPlatform, type RunningPlatform } from '../../../simulators/platform/start-platform.ts';

type Request = { method: string; path: string; body: Record<string, unknown> | null };
let server: Server | undefined;
let platforms: Record<string, RunningPlatform> = {};
afterEach(async () => {
  await Promise.all(Object.values(platforms).map((p) => p.close()));
  server?.closeAllConnections();
  await new Promise((resolve) => { if (server) server.close(resolve); else resolve(undefined); });
});

/** An API that takes everything: orders are delivered at once, those of a platform as soon as they are placed there, returns are closed once inspected; rules and orders are remembered. */
async function fakeApi(): Promise<{ url: string; requests: Request[] }> {
  const requests: Request[] = [];
  const rules: unknown[] = [];
  const known = new Map<string, string>();
  const returns = new Map<string, string>();
  const answer = ({ method, path, body }: Request): unknown => {
    const [, , kind, id = '', action] = path.split(/[/?]/);
    if (path === '/v1/audit-rules') {
      if (method === 'POST') rules.push(body);
      return { items: rules };
    }
    if (kind === 'orders' && method === 'GET' && path.includes('?')) {
      const externalId = new URL(path, 'http://x').searchParams.get('externalId') ?? '';
      const found = known.get(externalId) ?? (Object.values(platforms).some((p) => p.shop.orders.has(externalId)) ? `ord_${externalId}` : undefined);
      return { orders: found === undefined ? [] : [{ id: found }], next: null };
    }
    if (kind === 'orders' && method === 'POST' && id === '') {
      const externalId = String(body?.['externalId']);
      known.set(externalId, `ord_${externalId}`);
      return { id: `ord_${externalId}` };
    }
    if (action === 'shop') return { pushPath: `/hooks/${id}/key` };
    if (action === 'listings') for (const m of body?.['mappings'] as { platformSku: string }[]) platforms[id]?.shop.addStock(m.platformSku, 20, null);
    if (kind === 'orders' && action === 'returns') returns.set(id, 'authorised');
    if (kind === 'returns' && action === 'inspect') returns.set(id.slice(4), 'closed');
    const status = returns.get(id);
    return { status: 'delivered', lines: [{ line: 1, quantity: 1 }], returns: status === undefined ? [] : [{ rma: `rma_${id}`, status }] };
  };
  const http = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => { text += chunk.toString(); });
    request.on('end', () => {
      const seen = { method: request.method ?? '', path: request.url ?? '', body: text === '' ? null : JSON.parse(text) as Record<string, unknown> };
      requests.push(seen);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answer(seen)));
    });
  });
  server = http;
  await new Promise<void>((resolve) => { http.listen(0, '127.0.0.1', resolve); });
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, requests };
}

test('loads twice with the same requests: what is already there is not made again', async () => {
  const api = await fakeApi();
  // What they speak is nothing to the loader: one protocol stands for all three.
  platforms = Object.fromEntries(await Promise.all(PLATFORMS.map(async (name) => [name, await startPlatform(genericShop, { settings: { webhookSecret: 'whsec_AAAA' } })] as const)));
  const platformUrls = Object.fromEntries(Object.entries(platforms).map(([name, p]) => [name, p.url])) as Record<PlatformName, string>;
  const options = { apiUrl: api.url, adminKey: 'key', wmsUrl: 'http://wms', carrierUrl: 'http://carrier', platformUrls, partnerSecret: 'whsec_x', orders: 60, onProgress: () => undefined };
  const key = ({ method, path, body }: Request): string => `${method} ${path} ${String(body?.['reference'] ?? body?.['externalId'] ?? body?.['name'] ?? '')}`;
  await loadDemo(options);
  const first = api.requests.splice(0);
  await loadDemo(options);
  const second = api.requests.splice(0);

  const writes = (requests: Request[], path: RegExp): Request[] => requests.filter((r) => r.method !== 'GET' && path.test(r.path));
  expect(['channels', 'carriers', 'locations', 'places', 'skus', 'stock/receipts'].map((what) => writes(first, new RegExp(`^/v1/${what}${what === 'channels' ? '/\\w+$' : ''}`)).length)).toEqual([5, 1, 18, 1, 1, 18]);
  expect([writes(first, /^\/v1\/channels\/\w+\/shop$/).length, writes(first, /^\/v1\/channels\/\w+\/listings$/).length]).toEqual([3, 3]);
  const wanted = (here: (channel: string) => boolean): string[] => Array.from({ length: 60 }, (_, i) => demoOrder(i).intake).filter((o) => here(o.channel)).map((o) => o.externalId).sort();
  expect(writes(first, /^\/v1\/orders$/).map((r) => String(r.body?.['externalId'])).sort()).toEqual(wanted((c) => platformOf(c) === undefined));
  // The others were placed on their platforms: paid later, cancelled and left unpaid there.
  const there = (): { id: string; status: string }[] => Object.values(platforms).flatMap((p) => [...p.shop.orders.values()]);
  expect(there().map((o) => o.id).sort()).toEqual(wanted((c) => platformOf(c) !== undefined));
  const scenes = Array.from({ length: 60 }, (_, i) => demoOrder(i)).filter((o) => ['paid_later', 'cancelled', 'unpaid'].includes(o.scene));
  expect(scenes.map((o) => [o.scene, there().find((x) => x.id === o.intake.externalId)?.status])).toEqual([['unpaid', 'unpaid'], ['paid_later', 'to_ship'], ['cancelled', 'cancelled']]);
  expect([writes(first, /\/payment$/).length, writes(first, /\/cancel$/).length, writes(first, /\/returns$/).length, writes(first, /\/receive$/).length, writes(first, /\/inspect$/).length]).toEqual([0, 0, 3, 3, 3]);
  const scheduled = writes(first, /^\/v1\/orders$/).filter((r) => r.body?.['scheduled'] !== undefined);
  expect(scheduled.map((r) => r.body?.['externalId'])).toEqual(['DEMO-0041']);

  // Rules, returns and the scheduled order are found; PUTs, receipts and orders are sent again under the same references.
  expect(writes(second, /^\/v1\/audit-rules$/)).toEqual([]);
  expect(writes(second, /\/returns$/)).toEqual([]);
  const again = (requests: Request[]): string[] => requests.filter((r) => r.method !== 'GET' && !/audit-rules|\/returns|^\/hooks/.test(r.path)).map(key).filter((k) => k !== 'POST /v1/orders DEMO-0041').sort();
  expect(again(second)).toEqual(again(first));
  expect(there().length).toBe(36);
});

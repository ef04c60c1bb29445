import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { loadDemo } from '../../../bin/demo/load-demo.ts';
import { demoOrder } from '../../../bin/demo/orders.ts';

type Request = { method: string; path: string; body: Record<string, unknown> | null };
let server: Server | undefined;
afterEach(() => new Promise((resolve) => { if (server) server.close(resolve); else resolve(undefined); }));

/** An API that takes everything: orders are delivered at once, returns are closed once inspected; rules and orders are remembered. */
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
      const found = known.get(new URL(path, 'http://x').searchParams.get('externalId') ?? '');
      return { orders: found === undefined ? [] : [{ id: found }], next: null };
    }
    if (kind === 'orders' && method === 'POST' && id === '') {
      const externalId = String(body?.['externalId']);
      known.set(externalId, `ord_${externalId}`);
      return { id: `ord_${externalId}` };
    }
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
  const options = { apiUrl: api.url, adminKey: 'key', wmsUrl: 'http://wms', carrierUrl: 'http://carrier', partnerSecret: 'whsec_x', orders: 60, onProgress: () => undefined };
  const key = ({ method, path, body }: Request): string => `${method} ${path} ${String(body?.['reference'] ?? body?.['externalId'] ?? body?.['name'] ?? '')}`;
  await loadDemo(options);
  const first = api.requests.splice(0);
  await loadDemo(options);
  const second = api.requests.splice(0);

  const writes = (requests: Request[], path: RegExp): Request[] => requests.filter((r) => r.method !== 'GET' && path.test(r.path));
  expect(['channels', 'carriers', 'locations', 'places', 'skus', 'stock/receipts'].map((what) => writes(first, new RegExp(`^/v1/${what}`)).length)).toEqual([5, 1, 18, 1, 1, 18]);
  expect(writes(first, /^\/v1\/orders$/).map((r) => r.body?.['externalId'])).toEqual(Array.from({ length: 60 }, (_, i) => demoOrder(i).intake.externalId));
  expect([writes(first, /\/payment$/).length, writes(first, /\/cancel$/).length, writes(first, /\/returns$/).length, writes(first, /\/receive$/).length, writes(first, /\/inspect$/).length]).toEqual([1, 1, 3, 3, 3]);
  const scheduled = writes(first, /^\/v1\/orders$/).filter((r) => r.body?.['scheduled'] !== undefined);
  expect(scheduled.map((r) => r.body?.['externalId'])).toEqual(['DEMO-0039']);

  // Rules, returns and the scheduled order are found; PUTs, receipts and orders are sent again under the same references.
  expect(writes(second, /^\/v1\/audit-rules$/)).toEqual([]);
  expect(writes(second, /\/returns$/)).toEqual([]);
  const again = (requests: Request[]): string[] => requests.filter((r) => r.method !== 'GET' && !/audit-rules|\/returns/.test(r.path)).map(key).filter((k) => k !== 'POST /v1/orders DEMO-0039');
  expect(again(second)).toEqual(again(first));
});

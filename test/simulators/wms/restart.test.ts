import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startWms, type Simulator } from '../../../simulators/wms/start-wms.ts';
import { FakeTributary, SECRET, allow, plain, polled, signed } from '../support/fake-tributary.ts';
import { intake } from '../support/samples.ts';

let tributary: FakeTributary;
let folder: string;
let wms: Simulator | undefined;
beforeEach(async () => {
  tributary = await new FakeTributary().listen();
  folder = mkdtempSync(join(tmpdir(), 'tributary-wms-'));
});
afterEach(async () => {
  await wms?.close();
  await tributary.close();
  rmSync(folder, { recursive: true });
});

async function restart(speed: number): Promise<string> {
  await wms?.close();
  wms = await startWms({ tributaryUrl: tributary.url, apiKey: 'k', secret: SECRET, speed, stateFile: join(folder, 'state.ndjson') });
  return wms.url;
}
const send = (url: string, body: unknown): ReturnType<typeof signed> => signed(url, 'POST', '/v1/fulfillment-orders', body);
const stats = async (url: string): Promise<Record<string, unknown>> => (await plain(url, 'GET', '/_control/stats')).body;

it('goes on with unfinished orders and remembers finished ones', async () => {
  let url = await restart(100_000);
  const first = await send(url, intake('fo_done'));
  await polled(() => stats(url), (now) => now['open'] === 0);
  url = await restart(1);
  await send(url, intake('fo_open'));
  await send(url, intake('fo_cancelled'));
  await signed(url, 'POST', '/v1/fulfillment-orders/fo_cancelled/cancel', { reason: 'x' });
  url = await restart(100_000);
  await polled(() => stats(url), (now) => now['open'] === 0);
  expect((await stats(url))['byStatus']).toMatchObject({ handed_over: 2, cancelled: 1, received: 0 });
  expect(await send(url, intake('fo_done'))).toEqual({ status: 200, body: first.body });
  expect((await send(url, intake('fo_done', { priority: 1 }))).status).toBe(409);
  expect(tributary.types('fo_done')).toEqual(['accepted', 'packed', 'goods_issue']);
  expect(tributary.types('fo_open')).toEqual(['accepted', 'packed', 'goods_issue']);
  expect(tributary.types('fo_cancelled')).toEqual([]);
});

it('sends an event again, the very same, when its answer was not heard before the stop', async () => {
  tributary.answer = (call) => (call.body['type'] === 'packed' ? { status: 200, hang: true } : allow(call));
  let url = await restart(100_000);
  await send(url, intake('fo_1'));
  await tributary.until(() => tributary.event('fo_1', 'packed') !== undefined);
  tributary.answer = allow;
  url = await restart(100_000);
  expect((await signed(url, 'POST', '/v1/fulfillment-orders/fo_1/cancel', { reason: 'x' })).body['outcome']).toBe('refused');
  await polled(() => stats(url), (now) => now['open'] === 0);
  expect(tributary.types('fo_1')).toEqual(['accepted', 'packed', 'packed', 'goods_issue']);
  expect(tributary.received[2]?.body).toEqual(tributary.received[1]?.body);
  expect(tributary.received[2]?.headers['webhook-id']).toBe(tributary.received[1]?.headers['webhook-id']);
});

it('keeps its stock, less what has left', async () => {
  let url = await restart(100_000);
  const [{ sku, quantity } = { sku: '', quantity: 0 }] = intake('fo_1')['lines'] as { sku: string; quantity: number }[];
  const location = String(intake('fo_1')['locationCode']);
  await plain(url, 'PUT', '/_control/stock', { [location]: { [sku]: 50 } });
  await send(url, intake('fo_1'));
  await polled(() => stats(url), (now) => now['open'] === 0);
  const stock = async (): Promise<unknown> => (await signed(url, 'GET', `/v1/stock?location=${location}`)).body['items'];
  expect(await stock()).toEqual([{ sku, condition: 'sellable', quantity: 50 - quantity }]);
  url = await restart(1);
  expect(await stock()).toEqual([{ sku, condition: 'sellable', quantity: 50 - quantity }]);
});

it('keeps faults and rules, takes a torn last line, and writes no personal data', async () => {
  let url = await restart(1);
  await plain(url, 'PUT', '/_control/rules', [{ action: 'reject', reason: 'closed' }]);
  await plain(url, 'PUT', '/_control/faults', { duplicate: { rate: 1 } });
  await send(url, intake('fo_1', { buyerRemark: 'ring twice' }));
  await wms?.close();
  wms = undefined;
  const file = join(folder, 'state.ndjson');
  expect(readFileSync(file, 'utf8')).not.toMatch(/王小明|13800000000|文三路|ring twice/);
  appendFileSync(file, '{"k":"finish","id":"fo_');
  url = await restart(100_000);
  await tributary.until(() => tributary.received.length === 2);
  expect(tributary.types('fo_1')).toEqual(['rejected', 'rejected']);
  expect(tributary.event('fo_1', 'rejected')?.['reason']).toBe('closed');
  await polled(() => stats(url), (now) => now['open'] === 0);
  expect((await stats(url))['byStatus']).toMatchObject({ rejected: 1 });
});

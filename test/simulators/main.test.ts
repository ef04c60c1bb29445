import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeTributary, SECRET, plain, polled, signed } from './support/fake-tributary.ts';
import { intake, waybillRequest } from './support/samples.ts';

let tributary: FakeTributary;
const children: ChildProcess[] = [];
beforeEach(async () => {
  tributary = await new FakeTributary().listen();
});
afterEach(async () => {
  for (const child of children.splice(0)) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await tributary.close();
});

function run(what: 'wms' | 'carrier', env: Record<string, string>): ChildProcess {
  const file = fileURLToPath(new URL(`../../simulators/${what}/main.ts`, import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', file], {
    env: { PATH: process.env['PATH'] ?? '', TRIBUTARY_URL: tributary.url, API_KEY: 'key', SECRET, SPEED: '100000', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}

async function listening(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no standard output');
  for await (const line of createInterface({ input: child.stdout })) {
    const match = /^listening on (http:\/\/127\.0\.0\.1:\d+)$/.exec(line);
    if (match?.[1] !== undefined) return match[1];
  }
  throw new Error('the process ended without listening');
}

describe('the two processes', () => {
  it('work together: the location hands its parcel to the carrier, and both end cleanly on SIGTERM', async () => {
    const carrier = run('carrier', { CARRIER_CODE: 'far', SPEED: '1000000' });
    const carrierUrl = await listening(carrier);
    const wms = run('wms', { CARRIER_URL: carrierUrl, API_KEYS: '{"SH-01":"key-sh"}' });
    const url = await listening(wms);
    const { waybillNo } = (await signed(carrierUrl, 'POST', '/v1/waybills', waybillRequest('r1'))).body;
    expect((await signed(url, 'POST', '/v1/fulfillment-orders', intake('fo_1', { carrier: 'far', waybillNo }))).status).toBe(201);
    await tributary.until(() => tributary.tracking(waybillNo as string).some((event) => event['status'] === 'delivered'));
    expect(tributary.types('fo_1')).toEqual(['accepted', 'packed', 'goods_issue']);
    const of = (prefix: string): Set<unknown> =>
      new Set(tributary.received.filter((call) => call.path.startsWith(prefix)).map((call) => call.headers.authorization));
    expect(of('/v1/partners/locations/SH-01/')).toEqual(new Set(['Bearer key-sh']));
    expect(of('/v1/partners/carriers/far/')).toEqual(new Set(['Bearer key']));
    await polled(() => plain(url, 'GET', '/_control/stats'), (stats) => stats.body['open'] === 0);
    for (const child of [wms, carrier]) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
    }
  });

  it.each([
    ['SPEED', 'fast', 'SPEED is a number from'],
    ['SECRET', '', 'SECRET is required'],
    ['REJECT_RATE', '1.5', 'REJECT_RATE is a number from 0 to 1'],
    ['API_KEYS', '["a"]', 'API_KEYS is a JSON object of texts'],
  ])('refuse to start with %s=%s', async (name, value, message) => {
    const child = run('wms', { [name]: value });
    let errors = '';
    child.stderr?.on('data', (part: Buffer) => {
      errors += part.toString();
    });
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(1);
    expect(errors).toContain(message);
  });
});

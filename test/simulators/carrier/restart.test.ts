import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startCarrier, type Simulator } from '../../../simulators/carrier/start-carrier.ts';
import { FakeTributary, SECRET, plain, polled, signed } from '../support/fake-tributary.ts';
import { waybillRequest } from '../support/samples.ts';

let tributary: FakeTributary;
let folder: string;
let carrier: Simulator | undefined;
beforeEach(async () => {
  tributary = await new FakeTributary().listen();
  folder = mkdtempSync(join(tmpdir(), 'tributary-carrier-'));
});
afterEach(async () => {
  await carrier?.close();
  await tributary.close();
  rmSync(folder, { recursive: true });
});

async function restart(speed: number): Promise<string> {
  await carrier?.close();
  carrier = await startCarrier({ tributaryUrl: tributary.url, secret: SECRET, speed, stateFile: join(folder, 'state.ndjson') });
  return carrier.url;
}
const issue = (url: string, id: string): ReturnType<typeof signed> => signed(url, 'POST', '/v1/waybills', waybillRequest(id));

it('lets parcels travel on, remembers waybills, cancellations and interceptions, and takes a torn last line', async () => {
  let url = await restart(1);
  const first = await issue(url, 'r1');
  const [a, b, c] = [first, await issue(url, 'r2'), await issue(url, 'r3')].map((answer) => String(answer.body['waybillNo']));
  await plain(url, 'POST', `/v1/waybills/${a}/pickup`);
  await signed(url, 'POST', `/v1/waybills/${b}/cancel`, { reason: 'x' });
  await plain(url, 'POST', `/v1/waybills/${c}/pickup`);
  await signed(url, 'POST', `/v1/waybills/${c}/intercept`, { requestId: 'i1', reason: 'x' });
  await carrier?.close();
  carrier = undefined;
  expect(tributary.received).toEqual([]); // the window of 20 s is still open
  const file = join(folder, 'state.ndjson');
  expect(readFileSync(file, 'utf8')).not.toMatch(/王小明|13800000000|文三路/);
  appendFileSync(file, '{"k":"eve');

  url = await restart(1_000_000);
  await tributary.until(() => ['delivered', 'returned'].every((status) => tributary.tracking().some((event) => event['status'] === status)));
  expect(await issue(url, 'r1')).toEqual({ status: 200, body: first.body });
  expect((await plain(url, 'POST', `/v1/waybills/${b}/pickup`)).status).toBe(409);
  expect(tributary.tracking(a).map((event) => event['status'])).toContain('picked_up');
  expect(tributary.tracking(c).map((event) => event['status'])).toEqual(['picked_up', 'returning', 'returned']);

  await polled(
    () => plain(url, 'GET', '/_control/stats'),
    ({ body }) => Object.values({ ...(body['callbacks'] as object), answered: 0, refused: 0, retries: 0 }).every((n) => n === 0),
  );
  const pushes = tributary.received.length;
  const before = await signed(url, 'GET', `/v1/waybills/${a}/events`);
  url = await restart(1_000_000);
  expect(await signed(url, 'GET', `/v1/waybills/${a}/events`)).toEqual(before);
  const next = String((await issue(url, 'r4')).body['waybillNo']);
  await plain(url, 'POST', `/v1/waybills/${next}/pickup`);
  await tributary.until(() => tributary.tracking(next).some((event) => event['status'] === 'delivered'));
  const later = tributary.received.slice(pushes).flatMap((call) => call.body['events'] as { waybillNo: string }[]);
  expect(new Set(later.map((event) => event.waybillNo))).toEqual(new Set([next]));
});

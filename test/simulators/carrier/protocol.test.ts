import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startCarrier, type CarrierOptions, type Simulator } from '../../../simulators/carrier/start-carrier.ts';
import { FakeTributary, SECRET, plain, polled, signed, type Reply } from '../support/fake-tributary.ts';
import { waybillRequest } from '../support/samples.ts';

let tributary: FakeTributary;
let carrier: Simulator | undefined;
let url = '';
let folder: string;
let stateFile: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-carrier-'));
  stateFile = join(folder, 'state.ndjson');
  tributary = await new FakeTributary().listen();
  tributary.answer = () => ({ status: 200, body: { accepted: 1, duplicates: 0, unknown: 0 } });
});
afterEach(async () => {
  await carrier?.close();
  await tributary.close();
  rmSync(folder, { recursive: true });
});

/** Fast enough for the whole way in about a tenth of a second. */
const FAST = 1_000_000;

async function start(more: Partial<CarrierOptions> = {}): Promise<void> {
  carrier = await startCarrier({ tributaryUrl: tributary.url, apiKey: 'key-c', secret: SECRET, speed: FAST, ...more });
  url = carrier.url;
}
async function issue(requestId: string, more: Record<string, unknown> = {}): Promise<string> {
  const answer = await signed(url, 'POST', '/v1/waybills', waybillRequest(requestId, more));
  expect(answer.status).toBe(201);
  return answer.body['waybillNo'] as string;
}
const pickup = (no: string): Promise<Reply> => plain(url, 'POST', `/v1/waybills/${no}/pickup`, { weightG: 900 });
const cancel = (no: string): Promise<Reply> => signed(url, 'POST', `/v1/waybills/${no}/cancel`, { reason: 'x' });
const intercept = (no: string, requestId = 'i1'): Promise<Reply> =>
  signed(url, 'POST', `/v1/waybills/${no}/intercept`, { requestId, reason: 'refund' });
const history = async (no: string): Promise<Record<string, string>[]> =>
  (await signed(url, 'GET', `/v1/waybills/${no}/events`)).body['events'] as Record<string, string>[];
const statuses = async (no: string): Promise<(string | undefined)[]> => (await history(no)).map((event) => event['status']);
const reaches = (no: string, status: string): Promise<unknown> => polled(() => statuses(no), (all) => all.includes(status));
const faults = (what: unknown): Promise<Reply> => plain(url, 'PUT', '/_control/faults', what);

describe('waybills', () => {
  it('are issued once a request', async () => {
    await start({ speed: 1 });
    const first = await signed(url, 'POST', '/v1/waybills', waybillRequest('r1'));
    expect(first).toEqual({
      status: 201,
      body: { waybillNo: expect.stringMatching(/^SIM\d{13}$/) as string, carrier: 'sim', price: expect.any(Number) as number, currency: 'CNY' },
    });
    expect(await signed(url, 'POST', '/v1/waybills', waybillRequest('r1'))).toEqual({ status: 200, body: first.body });
    expect(await issue('r2')).not.toBe(first.body['waybillNo']);
  });

  it('carry the code and currency they are told, and the same numbers in every run with the same seed', async () => {
    await start({ speed: 1, carrierCode: 'far', currency: 'EUR', seed: '3' });
    const first = await signed(url, 'POST', '/v1/waybills', waybillRequest('r1'));
    expect(first.body).toMatchObject({ carrier: 'far', currency: 'EUR' });
    await carrier?.close();
    await start({ speed: 1, carrierCode: 'far', currency: 'EUR', seed: '3' });
    expect(await signed(url, 'POST', '/v1/waybills', waybillRequest('r1'))).toEqual(first);
    await carrier?.close();
    await start({ speed: 1, carrierCode: 'far', seed: '4' });
    expect(await issue('r1')).not.toBe(first.body['waybillNo']);
  });

  it('cost more for weight, distance and speed', async () => {
    await start({ speed: 1 });
    const price = async (id: string, more: Record<string, unknown>): Promise<unknown> =>
      (await signed(url, 'POST', '/v1/waybills', waybillRequest(id, more))).body['price'];
    const near = { from: { city: '宁波市', province: '浙江省' } };
    expect(await price('a', near)).toBe(600);
    expect(await price('b', { ...near, weightG: 1000 })).toBe(600);
    expect(await price('c', { ...near, weightG: 2500 })).toBe(800);
    expect(await price('d', { ...near, service: 'express' })).toBe(960);
    expect(await price('e', {})).toBeGreaterThanOrEqual(900);
  });

  it('need a right signature on every call but the hand-over', async () => {
    await start({ speed: 1 });
    const no = await issue('r1');
    const old = { 'webhook-timestamp': String(Math.floor(Date.now() / 1000) - 310) };
    expect((await signed(url, 'POST', '/v1/waybills', waybillRequest('r2'), old)).status).toBe(401);
    expect((await signed(url, 'POST', `/v1/waybills/${no}/cancel`, { reason: 'x' }, old)).status).toBe(401);
    expect((await signed(url, 'POST', `/v1/waybills/${no}/intercept`, { requestId: 'i', reason: 'x' }, old)).status).toBe(401);
    expect((await signed(url, 'GET', `/v1/waybills/${no}/events`, undefined, { 'webhook-signature': 'v1,AAAA' })).status).toBe(401);
    expect((await plain(url, 'POST', '/v1/waybills', waybillRequest('r2'))).status).toBe(401);
    expect((await plain(url, 'POST', `/v1/waybills/${no}/pickup`)).status).toBe(200);
  });

  it('are refused with 400 when the request is wrong, 404 when unknown', async () => {
    await start({ speed: 1 });
    expect((await signed(url, 'POST', '/v1/waybills', waybillRequest('r1', { weightG: '800' }))).status).toBe(400);
    expect((await signed(url, 'POST', '/v1/waybills', waybillRequest('r1', { to: {} }))).status).toBe(400);
    expect([(await cancel('X')).status, (await intercept('X')).status, (await pickup('X')).status]).toEqual([404, 404, 404]);
    expect((await signed(url, 'GET', '/v1/waybills/X/events')).status).toBe(404);
  });

  it('can be cancelled until picked up', async () => {
    await start({ speed: 1 });
    const [one, two] = [await issue('r1'), await issue('r2')];
    for (let times = 0; times < 2; times += 1) expect((await cancel(one)).body).toEqual({ outcome: 'cancelled' });
    expect((await pickup(one)).status).toBe(409);
    expect((await pickup(two)).status).toBe(200);
    expect((await pickup(two)).status).toBe(200);
    expect(await statuses(two)).toEqual(['picked_up']);
    expect((await cancel(two)).body).toEqual({ outcome: 'refused', reason: 'picked_up' });
  });
});

describe('tracking', () => {
  it('tells the whole way, pushed and polled alike', async () => {
    await start({ carrierCode: 'far' });
    const no = await issue('r1');
    await pickup(no);
    await tributary.until(() => tributary.tracking(no).some((event) => event['status'] === 'delivered'));
    const events = await history(no);
    const all = events.map((event) => event['status']);
    expect(all[0]).toBe('picked_up');
    expect(all.slice(-2)).toEqual(['out_for_delivery', 'delivered']);
    const between = all.slice(1, -2);
    expect(new Set(between)).toEqual(new Set(['in_transit']));
    expect(between.length).toBeGreaterThanOrEqual(2); // between provinces
    expect(between.length).toBeLessThanOrEqual(3);
    expect(events.map((event) => event['eventId'])).toEqual(events.map((_, n) => `${no}.${n + 1}`));
    expect(events[0]).toEqual({
      eventId: `${no}.1`, waybillNo: no, status: 'picked_up', description: 'Picked up in 上海市', city: '上海市',
      occurredAt: expect.stringMatching(/Z$/) as string,
    });
    expect(events.at(-1)?.['city']).toBe('杭州市');
    expect([...tributary.tracking(no)].sort((a, b) => (String(a['eventId']) < String(b['eventId']) ? -1 : 1))).toEqual(events);
    for (const call of tributary.received) {
      expect(call.path).toBe('/v1/partners/carriers/far/tracking');
      expect(call.headers.authorization).toBe('Bearer key-c');
      expect(call.headers['webhook-id']).toMatch(/^msg_/);
    }
  });

  it('comes in batches of at most 100', async () => {
    await start({ speed: 100 }); // the window is 200 ms: all 230 pick-ups fall into few
    const numbers = await Promise.all(Array.from({ length: 230 }, (_, n) => issue(`r${n}`)));
    await Promise.all(numbers.map(pickup));
    await tributary.until(() => tributary.tracking().length >= 230);
    const sizes = tributary.received.map((call) => (call.body['events'] as unknown[]).length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
    expect(Math.max(...sizes)).toBeGreaterThan(1);
    expect(new Set(tributary.tracking().map((event) => event['waybillNo']))).toEqual(new Set(numbers));
  });

  it('repeats an unanswered push, the same and with the same webhook-id', async () => {
    tributary.answer = (_call, index) => ({ status: index === 0 ? 503 : 200 });
    await start({ speed: 1000 });
    await pickup(await issue('r1'));
    await tributary.until(() => tributary.received.length >= 2);
    expect(tributary.received[1]?.body).toEqual(tributary.received[0]?.body);
    expect(tributary.received[1]?.headers['webhook-id']).toBe(tributary.received[0]?.headers['webhook-id']);
  });

  it('shows mishaps where rates ask for them', async () => {
    await start({ mishaps: { attemptFailed: 1, exception: 1 } });
    const no = await issue('r1');
    await pickup(no);
    await reaches(no, 'delivered');
    const all = await statuses(no);
    expect(all.slice(0, 3)).toEqual(['picked_up', 'in_transit', 'exception']);
    expect(all.slice(-4)).toEqual(['out_for_delivery', 'attempt_failed', 'out_for_delivery', 'delivered']);
    await carrier?.close();
    await start({ mishaps: { lost: 1 } });
    const lost = await issue('r1');
    await pickup(lost);
    await reaches(lost, 'lost');
    expect((await intercept(lost)).status).toBe(409);
  });
});

describe('interception', () => {
  it('turns the parcel round, once, whoever asks again', async () => {
    await start({ speed: 1 });
    const no = await issue('r1');
    await pickup(no);
    expect(await intercept(no)).toEqual({ status: 200, body: { outcome: 'accepted' } });
    expect(await intercept(no)).toEqual({ status: 200, body: { outcome: 'accepted' } });
    expect(await intercept(no, 'i2')).toEqual({ status: 200, body: { outcome: 'accepted' } });
  });

  it.each([['picked up', true], ['still to be picked up', false]])('of a parcel %s ends with returned', async (_when, before) => {
    await start({ speed: 1, stateFile });
    const no = await issue('r1');
    if (before) await pickup(no);
    expect((await intercept(no)).body).toEqual({ outcome: 'accepted' });
    if (!before) await pickup(no);
    await carrier?.close();
    await start({ stateFile }); // from here on fast
    await tributary.until(() => tributary.tracking(no).some((event) => event['status'] === 'returned'));
    expect(await statuses(no)).toEqual(['picked_up', 'returning', 'returned']);
    expect((await history(no)).at(-1)?.['city']).toBe('上海市');
  });

  it('comes too late for a parcel delivered, and leaves it so', async () => {
    await start();
    const no = await issue('r1');
    await pickup(no);
    await reaches(no, 'delivered');
    expect((await intercept(no)).body).toEqual({ outcome: 'refused', reason: 'delivered' });
    expect((await statuses(no)).at(-1)).toBe('delivered');
  });

  it('refused on the last leg does not stop the delivery; the same request keeps its answer', async () => {
    const facts = { no: 'SIM1', requestId: 'r1', fromCity: 'A', toCity: 'B', hops: 1, express: false, price: 600 };
    const event = (status: string): unknown => ({ k: 'event', no: 'SIM1', status, at: Date.now(), silent: false });
    const records = [{ k: 'waybill', facts }, event('picked_up'), event('in_transit'), event('out_for_delivery')];
    writeFileSync(stateFile, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    await start({ speed: 1, stateFile });
    const answer = await intercept('SIM1');
    expect(answer.body).toEqual({ outcome: 'refused', reason: 'out_for_delivery' });
    await carrier?.close();
    await start({ stateFile });
    await reaches('SIM1', 'delivered');
    expect(await intercept('SIM1')).toEqual(answer);
    expect((await intercept('SIM1', 'i2')).body).toEqual({ outcome: 'refused', reason: 'delivered' });
  });

  it('of a cancelled waybill is a conflict', async () => {
    await start({ speed: 1 });
    const no = await issue('r1');
    await cancel(no);
    expect(await intercept(no)).toMatchObject({ status: 409, body: { code: 'waybill_cancelled' } });
  });
});

describe('faults', () => {
  it('error500: some waybills are issued and the answer lost; the repetition finds them', async () => {
    await start({ speed: 1 });
    await faults({ error500: { rate: 1 } });
    const ask = (n: number): Promise<Reply> => signed(url, 'POST', '/v1/waybills', waybillRequest(`r${n}`));
    const numbers = Array.from({ length: 30 }, (_, n) => n);
    expect(new Set((await Promise.all(numbers.map(ask))).map((answer) => answer.status))).toEqual(new Set([500]));
    await faults({});
    expect(new Set((await Promise.all(numbers.map(ask))).map((answer) => answer.status))).toEqual(new Set([200, 201]));
  });

  it('slow: the answer takes its time', async () => {
    await start({ speed: 1 });
    await faults({ slow: { rate: 1, ms: 150 } });
    const asked = performance.now();
    await issue('r1');
    expect(performance.now() - asked).toBeGreaterThanOrEqual(149);
  });

  it('duplicate: every event is pushed twice, some in one push and some in two', async () => {
    await start();
    await faults({ duplicate: { rate: 1 } });
    const numbers = await Promise.all(Array.from({ length: 10 }, (_, n) => issue(`r${n}`)));
    await Promise.all(numbers.map(pickup));
    for (const no of numbers) await reaches(no, 'delivered');
    const total = (await Promise.all(numbers.map(history))).flat().length;
    await tributary.until(() => tributary.tracking().length === 2 * total);
    const inOnePush = tributary.received.filter(({ body }) => {
      const ids = (body['events'] as { eventId: string }[]).map((event) => event.eventId);
      return new Set(ids).size < ids.length;
    });
    expect(inOnePush.length).toBeGreaterThan(0);
    expect(new Set(tributary.received.map((call) => call.headers['webhook-id'])).size).toBe(tributary.received.length);
  });

  it('outOfOrder: events overtake each other and none is lost', async () => {
    await start();
    await faults({ outOfOrder: { rate: 1 } });
    const no = await issue('r1');
    await pickup(no);
    await reaches(no, 'delivered');
    const total = (await history(no)).length;
    await tributary.until(() => tributary.tracking(no).length === total);
    const order = tributary.tracking(no).map((event) => Number(event['eventId']?.split('.')[1]));
    expect(order).not.toEqual([...order].sort((a, b) => a - b));
    expect(new Set(order).size).toBe(total);
  });

  it('silent: nothing is pushed, the poll shows all', async () => {
    await start();
    await faults({ silent: { rate: 1 } });
    const no = await issue('r1');
    await pickup(no);
    await reaches(no, 'delivered');
    await faults({});
    const other = await issue('r2');
    await pickup(other);
    await tributary.until(() => tributary.tracking(other).some((event) => event['status'] === 'delivered'));
    expect(tributary.tracking(no)).toEqual([]);
  });
});

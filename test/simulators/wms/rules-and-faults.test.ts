import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startWms, type Simulator, type WmsOptions } from '../../../simulators/wms/start-wms.ts';
import { FakeTributary, SECRET, plain, polled, signed } from '../support/fake-tributary.ts';
import { intake } from '../support/samples.ts';

let tributary: FakeTributary;
let wms: Simulator | undefined;
beforeEach(async () => {
  tributary = await new FakeTributary().listen();
});
afterEach(async () => {
  await wms?.close();
  await tributary.close();
});

async function start(more: Partial<WmsOptions> = {}): Promise<string> {
  wms = await startWms({ tributaryUrl: tributary.url, apiKey: 'key-1', secret: SECRET, speed: 100_000, ...more });
  return wms.url;
}

const send = (url: string, body: unknown): ReturnType<typeof signed> => signed(url, 'POST', '/v1/fulfillment-orders', body);
const cancel = (url: string, id: string): ReturnType<typeof signed> =>
  signed(url, 'POST', `/v1/fulfillment-orders/${id}/cancel`, { reason: 'customer' });
const status = async (url: string, id: string): Promise<unknown> =>
  (await signed(url, 'GET', `/v1/fulfillment-orders/${id}`)).body['status'];
const reaches = (url: string, id: string, wanted: string): Promise<unknown> => polled(() => status(url, id), (now) => now === wanted);
const allDone = (url: string): Promise<unknown> =>
  polled(() => plain(url, 'GET', '/_control/stats'), ({ body }) => body['open'] === 0 && (body['callbacks'] as { waiting: number }).waiting === 0);
const rules = async (url: string, list: unknown): Promise<void> => {
  expect(await plain(url, 'PUT', '/_control/rules', list)).toEqual({ status: 200, body: list });
};
const faults = async (url: string, what: unknown): Promise<void> => {
  expect(await plain(url, 'PUT', '/_control/faults', what)).toEqual({ status: 200, body: what });
};

describe('rules', () => {
  it('reject: with the reason given, only where every condition holds', async () => {
    const url = await start();
    await rules(url, [{ sku: 'CAP', locationCode: 'SH-01', action: 'reject', reason: 'damaged' }]);
    await send(url, intake('fo_1'));
    await send(url, intake('fo_2', { locationCode: 'BJ-02' }));
    await send(url, intake('fo_3', { lines: [{ lineNo: 1, sku: 'TEE-M', quantity: 1 }] }));
    await allDone(url);
    expect(tributary.types('fo_1')).toEqual(['rejected']);
    expect(tributary.event('fo_1', 'rejected')?.['reason']).toBe('damaged');
    expect([await status(url, 'fo_1'), await status(url, 'fo_2'), await status(url, 'fo_3')]).toEqual(['rejected', 'handed_over', 'handed_over']);
    expect(await cancel(url, 'fo_1')).toEqual({ status: 200, body: { outcome: 'cancelled' } });
    expect(await status(url, 'fo_1')).toBe('rejected');
  });

  it('reject with a rate: some, the same ones in every run', async () => {
    const url = await start();
    await rules(url, [{ rate: 0.5, action: 'reject' }]);
    for (let n = 0; n < 40; n += 1) await send(url, intake(`fo_${n}`));
    await allDone(url);
    const rejected = tributary.received.filter((call) => call.body['type'] === 'rejected');
    expect(rejected.length).toBeGreaterThan(10);
    expect(rejected.length).toBeLessThan(30);
    expect(new Set(rejected.map((call) => call.body['reason']))).toEqual(new Set(['no_capacity']));
  });

  it('short_pick: says what is missing and sends the rest', async () => {
    const url = await start();
    await rules(url, [{ sku: 'TEE-M', action: 'short_pick', quantity: 1 }]);
    await send(url, intake('fo_1'));
    await reaches(url, 'fo_1', 'handed_over');
    expect(tributary.types('fo_1')).toEqual(['accepted', 'short_picked', 'packed', 'goods_issue']);
    expect(tributary.event('fo_1', 'short_picked')?.['lines']).toEqual([{ lineNo: 1, quantity: 1 }]);
    const lines = [{ lineNo: 1, quantity: 1 }, { lineNo: 2, quantity: 1 }];
    expect(tributary.event('fo_1', 'packed')?.['parcels']).toMatchObject([{ lines }]);
    expect(tributary.event('fo_1', 'goods_issue')?.['parcels']).toMatchObject([{ lines }]);
  });

  it('short_pick of everything: ends there', async () => {
    const url = await start();
    await rules(url, [{ action: 'short_pick', quantity: 99 }]);
    await send(url, intake('fo_1', { lines: [{ lineNo: 1, sku: 'TEE-M', quantity: 2 }] }));
    await allDone(url);
    expect(tributary.types('fo_1')).toEqual(['accepted', 'short_picked']);
    expect(tributary.event('fo_1', 'short_picked')?.['lines']).toEqual([{ lineNo: 1, quantity: 2 }]);
    expect(await status(url, 'fo_1')).toBe('short_picked');
  });

  it('silent: takes the order and never says a word; it can be cancelled', async () => {
    const url = await start();
    await rules(url, [{ fulfillmentOrderId: 'fo_1', action: 'silent' }]);
    expect((await send(url, intake('fo_1'))).status).toBe(201);
    await send(url, intake('fo_2'));
    await reaches(url, 'fo_2', 'handed_over');
    expect(tributary.types('fo_1')).toEqual([]);
    expect(await status(url, 'fo_1')).toBe('received');
    expect((await cancel(url, 'fo_1')).body).toEqual({ outcome: 'cancelled' });
  });

  it('refuse_cancel: refuses although nothing is packed, until the rule goes', async () => {
    const url = await start({ speed: 1 });
    await rules(url, [{ action: 'refuse_cancel', reason: 'handed_over' }]);
    await send(url, intake('fo_1'));
    expect((await cancel(url, 'fo_1')).body).toEqual({ outcome: 'refused', reason: 'handed_over' });
    await rules(url, []);
    expect((await cancel(url, 'fo_1')).body).toEqual({ outcome: 'cancelled' });
  });
});

describe('faults', () => {
  it('error500: the work is done before some of them, and the repetition finds it', async () => {
    const url = await start({ speed: 1 });
    await faults(url, { error500: { rate: 1 } });
    const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => send(url, intake(`fo_${n}`))));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([500]));
    await faults(url, {});
    const again = await Promise.all(Array.from({ length: 30 }, (_, n) => send(url, intake(`fo_${n}`))));
    expect(new Set(again.map((answer) => answer.status))).toEqual(new Set([200, 201]));
    await faults(url, { error500: { rate: 1 } });
    const cancels = await Promise.all(Array.from({ length: 30 }, (_, n) => cancel(url, `fo_${n}`)));
    expect(new Set(cancels.map((answer) => answer.status))).toEqual(new Set([500]));
    await faults(url, {});
    const counts = (await plain(url, 'GET', '/_control/stats')).body['byStatus'] as Record<string, number>;
    expect(counts['cancelled']).toBeGreaterThan(0);
    expect(counts['received']).toBeGreaterThan(0);
    expect((counts['cancelled'] ?? 0) + (counts['received'] ?? 0)).toBe(30);
  });

  it('slow: waits before or after the work', async () => {
    const url = await start({ speed: 1 });
    await faults(url, { slow: { rate: 1, ms: 150 } });
    const asked = performance.now();
    expect((await send(url, intake('fo_1'))).status).toBe(201);
    expect(performance.now() - asked).toBeGreaterThanOrEqual(149);
  });

  it('duplicate: every event twice, same eventId and body, another webhook-id', async () => {
    const url = await start();
    await faults(url, { duplicate: { rate: 1 } });
    for (let n = 0; n < 5; n += 1) await send(url, intake(`fo_${n}`));
    await allDone(url);
    expect(tributary.received.length).toBe(30);
    const bodies = new Map<string, string[]>();
    for (const { body } of tributary.received) {
      const id = String(body['eventId']);
      bodies.set(id, [...(bodies.get(id) ?? []), JSON.stringify(body)]);
    }
    expect(bodies.size).toBe(15);
    for (const pair of bodies.values()) {
      expect(pair.length).toBe(2);
      expect(pair[0]).toBe(pair[1]);
    }
    expect(new Set(tributary.received.map((call) => call.headers['webhook-id'])).size).toBe(30);
  });

  it('outOfOrder: an event comes after the one that follows it; nothing is lost', async () => {
    const url = await start();
    await faults(url, { outOfOrder: { rate: 1 } });
    await send(url, intake('fo_1'));
    await reaches(url, 'fo_1', 'handed_over');
    expect(tributary.types('fo_1')).toEqual(['packed', 'accepted', 'goods_issue']);
  });

  it('silent: a share of the orders is never heard of', async () => {
    const url = await start();
    await faults(url, { silent: { rate: 0.5 } });
    for (let n = 0; n < 40; n += 1) await send(url, intake(`fo_${n}`));
    const counts = await polled(
      async () => (await plain(url, 'GET', '/_control/stats')).body['byStatus'] as Record<string, number>,
      (now) => (now['received'] ?? 0) + (now['handed_over'] ?? 0) === 40 && (now['handed_over'] ?? 0) > 0,
    );
    expect(counts['received']).toBeGreaterThan(10);
    expect(counts['received']).toBeLessThan(30);
    const heard = new Set(tributary.received.map((call) => call.body['fulfillmentOrderId']));
    expect(heard.size).toBe(counts['handed_over']);
  });
});

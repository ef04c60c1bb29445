import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Caller, type Answer } from '../../../simulators/shared/caller.ts';
import { TimerHeap } from '../../../simulators/shared/timer-heap.ts';
import { FakeTributary } from '../support/fake-tributary.ts';

let fake: FakeTributary;
let heap: TimerHeap;
const callers: Caller[] = [];
beforeEach(async () => {
  fake = await new FakeTributary().listen();
  heap = new TimerHeap();
});
afterEach(async () => {
  heap.close();
  for (const caller of callers.splice(0)) caller.close();
  await fake.close();
});

function caller(more: { baseUrl?: string; concurrency?: number; timeoutMs?: number; speed?: number } = {}): Caller {
  const made = new Caller({ baseUrl: fake.url, heap, speed: 1000, ...more });
  callers.push(made);
  return made;
}

function post(by: Caller, webhookId = 'msg_1'): Promise<Answer> {
  return new Promise((done) => by.post({ path: '/x', body: '{"n":1}', webhookId, apiKey: 'key', done }));
}

describe('Caller', () => {
  it('sends the key and the id, and gives the answer', async () => {
    fake.answer = () => ({ status: 200, body: { fine: true } });
    expect(await post(caller({ baseUrl: `${fake.url}/base/` }))).toEqual({ status: 200, body: { fine: true } });
    const [call] = fake.received;
    expect(call?.path).toBe('/base/x');
    expect(call?.headers.authorization).toBe('Bearer key');
    expect(call?.headers['webhook-id']).toBe('msg_1');
    expect(call?.headers['content-type']).toBe('application/json');
  });

  it('repeats 5xx, a cut connection and no answer in time, always with the same webhook-id', async () => {
    const answers = [{ status: 503 }, { status: 0 }, { status: 200, hang: true }, { status: 200 }];
    fake.answer = (_call, index) => answers[index] ?? { status: 500 };
    const by = caller({ timeoutMs: 150 });
    expect((await post(by)).status).toBe(200);
    expect(fake.received.map((call) => call.headers['webhook-id'])).toEqual(['msg_1', 'msg_1', 'msg_1', 'msg_1']);
    expect(by.stats).toEqual({ answered: 1, refused: 0, retries: 3 });
  });

  it('takes a 4xx as final', async () => {
    fake.answer = () => ({ status: 409, body: { code: 'handover_blocked' } });
    const by = caller();
    expect(await post(by)).toEqual({ status: 409, body: { code: 'handover_blocked' } });
    expect(fake.received.length).toBe(1);
    expect(by.stats).toEqual({ answered: 1, refused: 1, retries: 0 });
  });

  it('never has more in flight than allowed, over connections it keeps', async () => {
    const by = caller({ concurrency: 3 });
    let connections = 0;
    fake.onConnection(() => {
      connections += 1;
    });
    await Promise.all(Array.from({ length: 50 }, (_, n) => post(by, `msg_${n}`)));
    expect(fake.received.length).toBe(50);
    expect(connections).toBe(3);
    expect(by.depth).toBe(0);
  });

  it('gets through once a partner who was away is back', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => probe.once('listening', resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    const by = caller({ baseUrl: `http://127.0.0.1:${port}` });
    const all = Promise.all(Array.from({ length: 20 }, (_, n) => post(by, `msg_${n}`)));
    const late = new FakeTributary();
    const back = new Promise<void>((resolve) => {
      const look = (): void => {
        if (by.stats.retries > 2) resolve();
        else heap.schedule(5, look);
      };
      look();
    });
    await back;
    await late.listen(port);
    expect((await all).map((answer) => answer.status)).toEqual(new Array<number>(20).fill(200));
    await late.close();
  });
});

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CaptureOutcome } from '../../db/capture/outcome.ts';
import { CaptureQueue } from '../../db/capture/capture-queue.ts';
import { prepareOrder, type PreparedOrder } from '../../db/capture/prepare.ts';
import { openStore } from '../../db/store.ts';
import { StockWriter } from '../../db/stock-writer.ts';
import type { OrderIntake } from '../../domain/order/intake.ts';
import type { Problem } from '../../domain/problem.ts';
import { VAULT_KEY, World } from '../support/world.ts';

let world: World;
let skus = 0;
beforeAll(async () => { world = await World.create({ skus: 60, stock: 0 }); });
afterAll(async () => { await world.close(); });

async function sku(quantity = 100): Promise<string> {
  const code = `SKU-${++skus}`;
  await world.setStock(code, { 'L-1': quantity });
  await world.store.network.loadSkus([code]);
  return code;
}

function prepared(code: string, changes: Partial<OrderIntake> = {}, key: string | null = null): PreparedOrder {
  const intake = world.intake({ lines: [{ sku: code, quantity: 1, unitPrice: 100 }], ...changes });
  return prepareOrder(intake, world.store.network, world.store.vault, world.now, { apiKeyId: 1, idempotencyKey: key, actor: 'key:test', locationId: null });
}

type Fault = (text: string, run: () => Promise<unknown>, client: pg.PoolClient) => Promise<unknown>;

/** A pool whose clients ask `fault` how to run each statement. */
function faulty(fault: Fault): pg.Pool {
  const bound = <T extends object>(target: T, name: string | symbol): unknown => {
    const value: unknown = Reflect.get(target, name);
    return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
  };
  return new Proxy(world.store.pool, {
    get: (pool, name) => (name !== 'connect' ? bound(pool, name) : async () => {
      const client = await pool.connect();
      return new Proxy(client, {
        get: (target, method) => (method !== 'query' ? bound(target, method) : (query: string | { text: string }, values?: unknown[]) =>
          fault(typeof query === 'string' ? query : query.text, () => target.query(query as string, values), target)),
      });
    }),
  });
}

function queue(fault: Fault, size = 200, limit = 20_000): CaptureQueue {
  const { network, projection, vault } = world.store;
  return new CaptureQueue(new StockWriter(faulty(fault), projection, () => world.now), { network, projection, vault }, size, limit);
}

const lost = (): Error => new Error('Connection terminated unexpectedly');
const sqlError = (code: string): Error => Object.assign(new Error(`injected ${code}`), { code });
const answers = (outcomes: readonly CaptureOutcome[]) => outcomes.map((o) => {
  if ('problem' in o) throw o.problem;
  return o.answer;
});
const effects = (code: string) => world.one<Record<string, number>>(
  `with o as (select distinct order_id id from order_lines where sku_code = $1)
   select (select count(*)::int from orders where id in (select id from o)) orders, (select count(*)::int from order_events where order_id in (select id from o)) events,
     (select count(*)::int from outbox where order_id in (select id from o)) outbox, (select coalesce(sum(quantity), 0)::int from reservations where order_id in (select id from o)) units,
     (select count(*)::int from stock_movements where order_id in (select id from o)) movements`, code);
const once = (n: number) => ({ orders: n, events: n, outbox: n, units: n, movements: n });
const settled = (promises: readonly Promise<CaptureOutcome>[]) => Promise.allSettled(promises);

describe('an order that cannot be written', () => {
  test.each([0, 17, 49])('stands alone, wherever it is (%i of 50); all others are captured', async (at) => {
    const code = await sku();
    const orders = Array.from({ length: 50 }, () => prepared(code));
    orders[at] = prepared(code, { priority: 99_999 }); // no smallint
    const outcomes = await settled(orders.map((o) => world.store.capture.submit(o)));
    expect(outcomes.flatMap((o, i) => (o.status === 'rejected' ? [[i, (o.reason as { code: string }).code]] : []))).toEqual([[at, '22003']]);
    expect(await effects(code)).toEqual(once(49));
    expect(await world.stock(code)).toMatchObject({ 'L-1': [100, 49] });
    expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  });

  test('takes its repetitions with it and nobody else, nor the process', async () => {
    const code = await sku();
    const bad = { externalId: randomUUID(), priority: 99_999 };
    const outcomes = await settled([prepared(code, bad), prepared(code, bad), ...Array.from({ length: 20 }, () => prepared(code))].map((o) => world.store.capture.submit(o)));
    expect(outcomes.map((o) => o.status)).toEqual(['rejected', 'rejected', ...Array.from({ length: 20 }, () => 'fulfilled')]);
    expect(await effects(code)).toEqual(once(20));
  });

  test('the same where our own code stumbles over it', async () => {
    const code = await sku();
    const orders = Array.from({ length: 10 }, () => prepared(code));
    orders[4]!.capturedAt = new Date(Number.NaN);
    const outcomes = await settled(orders.map((o) => world.store.capture.submit(o)));
    expect(outcomes.flatMap((o, i) => (o.status === 'rejected' ? [i] : []))).toEqual([4]);
    expect(await effects(code)).toEqual(once(9));
    expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  });
});

describe('a transaction that PostgreSQL gives up', () => {
  test.each(['40P01', '40001'])('%s is tried again', async (sqlstate) => {
    const code = await sku();
    let failures = 0;
    const capture = queue(async (text, run) => {
      if (text.startsWith('with') && failures < 3) {
        failures++;
        throw sqlError(sqlstate);
      }
      return run();
    });
    const got = answers(await Promise.all(Array.from({ length: 10 }, () => capture.submit(prepared(code)))));
    expect(new Set(got.map((a) => a.id)).size).toBe(10);
    expect([failures, await effects(code)]).toEqual([3, once(10)]);
  });

  test('without end it is an error, and nothing is written', async () => {
    const code = await sku();
    const capture = queue(async (text, run) => {
      if (text === 'commit') throw sqlError('40001');
      return run();
    });
    await expect(capture.submit(prepared(code))).rejects.toMatchObject({ code: '40001' });
    expect(await effects(code)).toEqual(once(0));
  });

  test('what is no fault of an order is not tried order by order', async () => {
    const code = await sku();
    let begun = 0;
    const capture = queue(async (text, run) => {
      if (text === 'begin') begun++;
      if (text.startsWith('with')) throw sqlError('53100'); // the disk is full
      return run();
    });
    const outcomes = await settled(Array.from({ length: 20 }, () => capture.submit(prepared(code))));
    expect(outcomes.map((o) => o.status === 'rejected' && (o.reason as { code: string }).code)).toEqual(Array.from({ length: 20 }, () => '53100'));
    expect([begun, await effects(code)]).toEqual([1, once(0)]);
  });
});

describe('an answer to COMMIT that is lost', () => {
  test('it was committed: one effect and the right answer, 1,000 times', async () => {
    const code = await sku(1_200);
    let losses = 0;
    const capture = queue(async (text, run) => {
      const result = await run();
      if (text !== 'commit') return result;
      losses++;
      throw lost();
    });
    for (let i = 0; i < 1_000; i++) {
      const [order] = [prepared(code, {}, i % 2 ? `lost-${code}-${i}` : null)];
      const outcome = await capture.submit(order);
      expect(outcome).toMatchObject({ repeated: false, answer: { externalId: order.intake.externalId, reserved: [{ line: 1, location: 'L-1', quantity: 1 }] } });
      const { data } = await world.one<{ data: unknown }>(`select data from order_events where order_id = $1`, order.id);
      expect(data).toEqual((outcome as { answer: unknown }).answer);
    }
    expect([losses, await effects(code)]).toEqual([1_000, once(1_000)]);
    expect(await world.stock(code)).toMatchObject({ 'L-1': [1_200, 1_000] });
    expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  });

  test('it was not committed: captured by the next attempt, once', async () => {
    const code = await sku();
    let losses = 0;
    const capture = queue(async (text, run, client) => {
      if (text !== 'commit' || losses++ % 2) return run();
      await client.query('rollback');
      throw lost();
    });
    for (let i = 0; i < 10; i++) answers(await Promise.all([capture.submit(prepared(code)), capture.submit(prepared(code, {}, `rolled-${code}-${i}`))]));
    expect([losses, await effects(code)]).toEqual([20, once(20)]);
    expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  });

  test('the server is still at it when we look: its effect stands, ours is not added', async () => {
    const code = await sku();
    let losses = 0;
    const pending: Promise<unknown>[] = [];
    const capture = queue(async (text, run, client) => {
      if (text !== 'commit' || losses++ > 0) return run();
      // The connection seems gone, but the transaction lives a while longer on the server.
      const release = client.release.bind(client);
      client.release = () => undefined;
      pending.push(delay(150).then(run).then(() => { release(true); }));
      throw lost();
    });
    const key = `late-${code}`;
    const got = answers(await Promise.all([capture.submit(prepared(code)), capture.submit(prepared(code, {}, key))]));
    await Promise.all(pending);
    expect(got.map((a) => a.reserved)).toEqual([[{ line: 1, location: 'L-1', quantity: 1 }], [{ line: 1, location: 'L-1', quantity: 1 }]]);
    expect(await effects(code)).toEqual(once(2));
    expect(await world.one('select status, response from idempotency_keys where key = $1', key)).toEqual({ status: 201, response: got[1] });
    expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  });

  test('a batch of refusals only is answered too', async () => {
    const code = await sku(0);
    let losses = 0;
    const capture = queue(async (text, run) => {
      const result = await run();
      if (text !== 'commit' || losses++ > 0) return result;
      throw lost();
    });
    expect(await capture.submit(prepared(code, {}, `none-${code}`))).toMatchObject({ problem: { code: 'insufficient_stock' } });
    expect(await effects(code)).toEqual(once(0));
  });
});

describe('a connection that ends', () => {
  test('in the middle of a transaction: 503, nothing written, the next order goes through, the process lives', async () => {
    const code = await sku();
    let cut = false;
    const capture = queue(async (text, run, client) => {
      if (!text.startsWith('with') || cut) return run();
      cut = true;
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() pid');
      await world.store.pool.query('select pg_terminate_backend($1)', [rows[0]!.pid]);
      await delay(50); // the news of it arrives while nothing is asked
      return run();
    });
    await expect(capture.submit(prepared(code))).rejects.toMatchObject({ code: 'unavailable', status: 503, extra: { retryAfter: 2 } });
    expect(await effects(code)).toEqual(once(0));
    answers([await capture.submit(prepared(code))]);
    expect(await effects(code)).toEqual(once(1));
  });

  test('the same to a change of the stock writer', async () => {
    const code = await sku();
    await expect(world.store.writer.change(async (tx) => {
      const row = await tx.one<{ pid: number }>('select pg_backend_pid() pid');
      await world.store.pool.query('select pg_terminate_backend($1)', [row!.pid]);
      await delay(50);
      await tx.query('select 1');
    })).rejects.toThrow(/not queryable|terminat/);
    answers([await world.store.capture.submit(prepared(code))]);
  });

  test('no database at all: 503 at once', async () => {
    const code = await sku();
    const store = await openStore({ url: world.database.url, vaultKey: VAULT_KEY, clock: () => world.now });
    const order = prepared(code);
    const refuse = async (): Promise<never> => { throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }); };
    const pool = new Proxy(store.pool, { get: (target, name) => (name === 'connect' ? refuse : Reflect.get(target, name) as unknown) });
    const capture = new CaptureQueue(new StockWriter(pool, store.projection), { network: store.network, projection: store.projection, vault: store.vault });
    await expect(capture.submit(order)).rejects.toMatchObject({ code: 'unavailable', status: 503 });
    await store.close();
  });
});

test('more than may wait is told to come again; who waits is served', async () => {
  const code = await sku();
  const capture = queue((_text, run) => run(), 10, 25);
  const outcomes = await settled(Array.from({ length: 40 }, () => capture.submit(prepared(code))));
  const refused = outcomes.flatMap((o) => (o.status === 'rejected' ? [o.reason as Problem] : []));
  expect(refused).toHaveLength(15);
  for (const problem of refused) expect([problem.code, problem.status, problem.extra]).toEqual(['overloaded', 429, { retryAfter: 1 }]);
  expect(await effects(code)).toEqual(once(25));
  await capture.close();
});

test('close waits for everything that was submitted', async () => {
  const code = await sku();
  const capture = queue((_text, run) => run(), 10);
  const waiting = Promise.all(Array.from({ length: 35 }, () => capture.submit(prepared(code))));
  await capture.close();
  expect(await effects(code)).toEqual(once(35));
  expect(await waiting).toHaveLength(35);
});

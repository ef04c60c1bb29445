import { randomUUID } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, WorkflowNotFoundError } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askWorkflow } from '../../db/outbox.ts';
import { decodeId, encodeId } from '../../domain/ids.ts';
import { createLogger } from '../../runtime/logger.ts';
import { Relay, type RelayOptions } from '../../workers/relay.ts';
import { orderWorkflowId, returnWorkflowId } from '../../workflows/contract/ids.ts';
import { devServer, type DevServer } from '../support/temporal.ts';
import { World } from '../support/world.ts';

const soon = { timeout: 30_000, interval: 20 };
let world: World;
let dev: DevServer;
let connection: NativeConnection;
let client: Client;
let taskQueue: string;
const relays: Relay[] = [];
beforeAll(async () => {
  dev = await devServer();
  world = await World.create({ stock: 1000 });
  connection = await NativeConnection.connect({ address: dev.address });
  client = new Client({ connection, namespace: dev.namespace });
});
beforeEach(async () => {
  taskQueue = `relay-${randomUUID()}`;
  await world.store.pool.query('delete from outbox');
});
afterEach(async () => { for (const relay of relays.splice(0)) await relay.close(); });
afterAll(async () => {
  await connection.close();
  await world.close();
});

type Handled = [topic: string, outcome: string];
async function relay(options: Partial<RelayOptions> = {}): Promise<{ relay: Relay; handled: Handled[] }> {
  const handled: Handled[] = [];
  const made = new Relay({
    pool: world.store.pool, url: world.database.url, client, taskQueue, logger: createLogger('test', 'silent'), pollMs: 100, onHandled: (...event) => { handled.push(event); }, ...options,
  });
  relays.push(made);
  await made.start();
  return { relay: made, handled };
}
async function stop(one: Relay): Promise<void> {
  relays.splice(relays.indexOf(one), 1);
  await one.close();
}
const uuid = (id: string): string => decodeId('ord', id) as string;
const workflow = (id: string) => client.workflow.getHandle(orderWorkflowId(id));
const rows = async () => (await world.one<{ n: number }>('select count(*)::int n from outbox')).n;
const put = (topic: string, id: string, returnId: string | null = null) => world.store.pool.query('insert into outbox (topic, order_id, return_id, priority) values ($1, $2, $3, now())', [topic, uuid(id), returnId]);
const signals = async (id: string): Promise<number> => (await workflow(id).fetchHistory()).events?.filter((e) => e.workflowExecutionSignaledEventAttributes?.signalName === 'look').length ?? 0;

describe('starts', () => {
  test('a captured order is started with its summary and search attributes, and its row goes', async () => {
    const { handled } = await relay();
    const order = await world.capture();
    await expect.poll(rows, soon).toBe(0);
    const described = await workflow(order.id).describe();
    expect([described.status.name, described.type, described.taskQueue, await described.staticSummary()]).toEqual(['RUNNING', 'order', taskQueue, 'Order of channel own']);
    expect(described.typedSearchAttributes.getAll().map((a) => [a.key.name, a.value]).toSorted()).toEqual([
      ['Channel', 'own'], ['OrderStatus', 'captured'], ['PromiseBy', new Date('2026-11-24T10:00:00Z')]].toSorted());
    const { events } = await workflow(order.id).fetchHistory();
    const input = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data;
    expect(JSON.parse(Buffer.from(input!).toString())).toEqual({ v: 1, orderId: order.id });
    await expect.poll(() => handled, soon).toEqual([['start', 'done']]);
  });

  test('a workflow of another type is started under its own id, once; a look signals it, and starts it where it is not running', async () => {
    const ref = (declaration: string) => ({ type: 'declaration', id: `declaration/${declaration}`, input: { v: 1, declaration } });
    const [started, looked] = [ref(`dec_${randomUUID()}`), ref(`dec_${randomUUID()}`)];
    await world.store.writer.change(async (tx) => {
      await askWorkflow(tx, 'start', started);
      await askWorkflow(tx, 'start', started);
      await askWorkflow(tx, 'look', started);
      await askWorkflow(tx, 'look', looked);
    });
    const { handled } = await relay();
    await expect.poll(rows, soon).toBe(0);
    expect(handled.toSorted()).toEqual([['look_workflow', 'done'], ['look_workflow', 'done'], ['start_workflow', 'done'], ['start_workflow', 'done']]);
    for (const { type, id, input } of [started, looked]) {
      const handle = client.workflow.getHandle(id);
      expect(await handle.describe()).toMatchObject({ type, taskQueue, status: { name: 'RUNNING' } });
      const { events } = await handle.fetchHistory();
      expect(JSON.parse(Buffer.from(events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data ?? []).toString())).toEqual(input);
      expect(events?.filter((e) => e.workflowExecutionSignaledEventAttributes?.signalName === 'look')).toHaveLength(1);
      await handle.terminate();
    }
  });

  test('a row that comes twice is one workflow', async () => {
    const order = await world.capture();
    const { handled } = await relay();
    await expect.poll(rows, soon).toBe(0);
    const { runId } = await workflow(order.id).describe();
    await put('start', order.id);
    await world.store.pool.query('notify outbox');
    await expect.poll(rows, soon).toBe(0);
    expect((await workflow(order.id).describe()).runId).toBe(runId);
    await expect.poll(() => handled, soon).toEqual([['start', 'done'], ['start', 'done']]);
  });

  test('an order whose workflow is closed does not run again, neither by a start nor by a look', async () => {
    const order = await world.capture();
    await relay();
    await expect.poll(rows, soon).toBe(0);
    const { runId } = await workflow(order.id).describe();
    await workflow(order.id).terminate('the test ends it');
    await put('start', order.id);
    await put('look', order.id);
    await expect.poll(rows, soon).toBe(0);
    const described = await workflow(order.id).describe();
    expect([described.runId, described.status.name]).toEqual([runId, 'TERMINATED']);
  });

  test('urgent orders are started first', async () => {
    const late = await world.capture({ shipBy: '2026-12-20T00:00:00Z' });
    const urgent = await world.capture({ shipBy: '2026-12-20T00:00:00Z', priority: 9 });
    const soonDue = await world.capture({ shipBy: '2026-11-24T00:00:00Z' });
    await relay({ slots: 1 });
    await expect.poll(rows, soon).toBe(0);
    const started = await Promise.all([soonDue, urgent, late].map(async (o) => (await workflow(o.id).describe()).startTime.getTime()));
    expect(started).toEqual(started.toSorted((a, b) => a - b));
  });

  test('a late return is a workflow of its own', async () => {
    const order = await world.capture();
    await world.store.pool.query('delete from outbox');
    const returnId = (await world.one<{ id: string }>('select uuidv7() id')).id;
    await put('start_return', order.id, returnId);
    await put('look', order.id, returnId);
    await relay();
    await expect.poll(rows, soon).toBe(0);
    const handle = client.workflow.getHandle(returnWorkflowId(encodeId('rma', returnId)));
    const described = await handle.describe();
    expect([described.status.name, await described.staticSummary()]).toEqual(['RUNNING', `Late return of ${order.id}`]);
    const { events } = await handle.fetchHistory();
    expect(events?.filter((e) => e.workflowExecutionSignaledEventAttributes).length).toBe(1);
    await expect(workflow(order.id).describe()).rejects.toBeInstanceOf(WorkflowNotFoundError);
  });
});

describe('looks', () => {
  test('signal the workflow, one for each row, in their order behind the start', async () => {
    const order = await world.capture();
    await put('look', order.id);
    await put('look', order.id);
    await relay();
    await expect.poll(rows, soon).toBe(0);
    expect(await signals(order.id)).toBe(2);
  });

  test('a look at an order that was never started starts it', async () => {
    const order = await world.capture();
    await world.store.pool.query('delete from outbox');
    await put('look', order.id);
    await relay();
    await expect.poll(rows, soon).toBe(0);
    expect((await workflow(order.id).describe()).status.name).toBe('RUNNING');
  });

  test.each(['closed', 'cancelled', 'rejected', 'expired'])('a look at an order that is %s and has no workflow needs nobody', async (status) => {
    const order = await world.capture();
    await world.store.pool.query('delete from outbox');
    await world.store.pool.query('update orders set status = $2 where id = $1', [uuid(order.id), status]);
    await put('look', order.id);
    const { handled } = await relay();
    await expect.poll(rows, soon).toBe(0);
    await expect.poll(() => handled, soon).toEqual([['look', 'done']]);
    await expect(workflow(order.id).describe()).rejects.toBeInstanceOf(WorkflowNotFoundError);
  });
});

describe('several relays', () => {
  test('two at once never handle one row', async () => {
    const orders = await Promise.all(Array.from({ length: 40 }, () => world.capture()));
    for (const order of orders) await put('look', order.id);
    const [one, two] = [await relay(), await relay()];
    await expect.poll(rows, soon).toBe(0);
    await Promise.all([stop(one.relay), stop(two.relay)]);
    const all = [...one.handled, ...two.handled];
    expect([all.length, all.filter(([topic]) => topic === 'start').length, all.filter(([, outcome]) => outcome === 'done').length]).toEqual([80, 40, 80]);
    // A signal given twice would show.
    for (const order of orders) expect(await signals(order.id)).toBe(1);
  });

  test('the lease of one that died ends, and another takes the row', async () => {
    const order = await world.capture();
    // A relay that leased the row and was killed before it did anything.
    await world.store.pool.query(`update outbox set leased_until = now() + interval '1500 milliseconds', attempts = 1`);
    await relay();
    await delay(400);
    expect(await rows()).toBe(1);
    await expect(workflow(order.id).describe()).rejects.toBeInstanceOf(WorkflowNotFoundError);
    await expect.poll(rows, soon).toBe(0);
    expect((await workflow(order.id).describe()).status.name).toBe('RUNNING');
  });

  test('close waits for what is under way and takes no more', async () => {
    await Promise.all(Array.from({ length: 30 }, () => world.capture()));
    const { relay: one, handled } = await relay({ slots: 8 });
    await stop(one);
    const done = handled.length;
    expect(await world.one(`select count(*)::int n, count(*) filter (where leased_until > now())::int leased from outbox`)).toEqual({ n: 30 - done, leased: 0 });
    await world.capture();
    await delay(300);
    expect(handled).toHaveLength(done);
  });
});

describe('waking', () => {
  const listeners = async (): Promise<number[]> => (await world.store.pool.query<{ pid: number }>(
    `select pid from pg_stat_activity where datname = current_database() and application_name = 'tributary relay'`)).rows.map((r) => r.pid);

  test('NOTIFY wakes it, long before its poll', async () => {
    await relay({ pollMs: 3_600_000 });
    const order = await world.capture();
    await expect.poll(rows, soon).toBe(0);
    expect((await workflow(order.id).describe()).status.name).toBe('RUNNING');
    // A change of the stock writer notifies too.
    await world.store.writer.change((tx) => tx.wake(uuid(order.id)));
    await expect.poll(rows, soon).toBe(0);
    expect(await signals(order.id)).toBe(1);
  });

  test('without its listener it works by its poll, and listens again', async () => {
    await relay({ pollMs: 300 });
    const [pid] = await listeners();
    await world.store.pool.query('select pg_terminate_backend($1)', [pid]);
    const order = await world.capture();
    await expect.poll(rows, soon).toBe(0);
    expect((await workflow(order.id).describe()).status.name).toBe('RUNNING');
    await expect.poll(async () => (await listeners()).length, soon).toBe(1);
    expect((await listeners())[0]).not.toBe(pid);
  });
});

/** A door to Temporal that can be shut. */
async function door(): Promise<{ address: string; shut(): Promise<void>; unlock(): Promise<void> }> {
  const [host, port] = dev.address.split(':') as [string, string];
  const sockets = new Set<Socket>();
  let server: Server;
  const open = (at: number): Promise<void> => new Promise((resolve) => {
    server = createServer((socket) => {
      const through = connect(Number(port), host);
      for (const [one, other] of [[socket, through], [through, socket]] as const) {
        sockets.add(one);
        one.on('error', () => one.destroy()).on('close', () => { other.destroy(); sockets.delete(one); });
        one.pipe(other);
      }
    }).listen(at, '127.0.0.1', resolve);
  });
  await open(0);
  const at = (server!.address() as { port: number }).port;
  return {
    address: `127.0.0.1:${at}`,
    shut: () => new Promise((resolve) => {
      server.close(() => { resolve(); });
      for (const socket of sockets) socket.destroy();
    }),
    unlock: () => open(at),
  };
}

test('while Temporal is away rows are put off, with the reason; when it is back they are done', async () => {
  const gate = await door();
  const away = await NativeConnection.connect({ address: gate.address });
  const { relay: one, handled } = await relay({ client: new Client({ connection: away, namespace: dev.namespace }) });
  await gate.shut();
  const order = await world.capture();
  await expect.poll(() => handled, { timeout: 55_000, interval: 50 }).toContainEqual(['start', 'postponed']);
  await expect.poll(async () => (await world.one<{ e: string | null }>('select last_error e from outbox')).e, soon).toMatch(/./);
  const postponed = await world.one<{ attempts: number; error: string }>('select attempts, last_error error from outbox');
  expect(postponed.attempts).toBeGreaterThan(0);
  expect(await world.status(order.id)).toBe('captured');
  await gate.unlock();
  await expect.poll(rows, { timeout: 55_000, interval: 50 }).toBe(0);
  expect((await workflow(order.id).describe()).status.name).toBe('RUNNING');
  await expect.poll(() => handled.at(-1), soon).toEqual(['start', 'done']);
  await stop(one);
  await away.close();
  await gate.shut();
}, 120_000);

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Stream } from '../../channels/channel.ts';
import { leaseStreams } from '../../db/channels/streams.ts';
import { createLogger } from '../../runtime/logger.ts';
import { NO_FAULTS } from '../../simulators/platform/protocol.ts';
import { message } from '../../simulators/pinduoduo/messages.ts';
import { StreamConnection, type StreamConnectionOptions } from '../../workers/streams/connection.ts';
import { ShopScene } from '../channels/support/shop-scene.ts';
import { startNode, type TestProcess } from '../support/processes.ts';
import { STREAM_WORKER } from '../support/stream-worker.ts';
import { VAULT_KEY } from '../support/world.ts';

/** Waits as long as a busy machine may need. */
const soon = <T>(what: () => T | Promise<T>) => expect.poll(what, { timeout: 30_000 });

/** One shop with one connection; each test leaves it open, but for the last two, which follow each other. */
describe('a connection among several workers', () => {
  const KEY = 'pinduoduo:sim-pdd-client';
  let scene: ShopScene;
  const stream = () => scene.platform.pusher.stream as NonNullable<typeof scene.platform.pusher.stream>;
  const place = () => scene.platform.shop.place({ lines: [{ sku: 'P-1', quantity: 1 }] })?.id ?? '';
  const hints = () => scene.world.one<{ n: number; again: number }>(`select count(*)::int n, coalesce(sum(repeated), 0)::int again from channel_hints where source = 'push'`);
  const put = (settings: Record<string, unknown> = {}, code = scene.code) => {
    scene.world.now = new Date(scene.world.now.getTime() + 1000); // an account is known by when it was changed
    return scene.api('PUT', `/v1/channels/${code}/shop`, { settings: { ...scene.account, baseUrl: scene.platform.url, ...settings } });
  };
  const holder = async () => (await scene.world.one<{ holder: string | null }>('select holder from channel_streams')).holder;

  beforeAll(async () => { scene = await ShopScene.open('pinduoduo'); });
  beforeEach(async () => {
    Object.assign(scene.platform.faults, NO_FAULTS);
    scene.platform.shop.item('P-1').stock = 100;
    await scene.world.store.pool.query('delete from channel_hints');
  });
  afterAll(async () => { await scene.close(); });

  it('is leased to one of many who ask at once, by the clock of the database', async () => {
    const { pool } = scene.world.store;
    const lease = (id: string, keys: readonly string[]) => leaseStreams(pool, id, keys.map((key) => ({ key, heardAt: null, kept: 0 })), 30);
    const ids = Array.from({ length: 8 }, (_, n) => `00000000-0000-4000-8000-00000000000${n}`);
    const all = await Promise.all(ids.map((id) => lease(id, ['k1', 'k2'])));
    expect(all.flatMap((keys) => [...keys]).sort()).toEqual(['k1', 'k2']);
    const winner = ids[all.findIndex((keys) => keys.has('k1'))] ?? '';
    expect([[...await lease(winner, ['k1'])], [...await lease('00000000-0000-4000-8000-0000000000ff', ['k1'])]]).toEqual([['k1'], []]);
    await pool.query(`delete from channel_streams where key in ('k1', 'k2')`);
  });

  it('is dropped when its lease has gone to another, and taken again when that one is dead', async () => {
    await soon(() => stream().live).toBe(1);
    await scene.world.store.pool.query(`update channel_streams set holder = gen_random_uuid(), leased_until = now() + interval '1 second'`);
    await soon(() => [scene.keeper.keys, stream().live]).toEqual([[], 0]);
    await soon(() => [scene.keeper.keys, stream().live]).toEqual([[KEY], 1]);
    expect(stream().most).toBe(1);
  });

  it('brings each message again whose acknowledgement was lost, ten copies of each and in any order: all of them are one', async () => {
    Object.assign(scene.platform.faults, { nextCuts: 4, copies: 10, shuffle: true });
    const before = scene.platform.pusher.records.filter((r) => r.acknowledged).length;
    for (let i = 0; i < 5; i++) place();
    await scene.pushed();
    expect([(await hints()).n, scene.platform.faults.nextCuts, stream().most, scene.platform.pusher.records.filter((r) => r.acknowledged).length - before]).toEqual([5, 0, 1, 50]);
  });

  it('shows why the platform refuses it, and opens once the secret is right', async () => {
    type Shown = { pushPath: string | null; state: { stream: { open: boolean; opens: number; fault: string | null } } };
    const shown = async () => { const { pushPath, state } = await scene.api<Shown>('GET', `/v1/channels/${scene.code}/shop`); return { pushPath, open: state.stream.open, fault: state.stream.fault }; };
    await soon(shown).toEqual({ pushPath: null, open: true, fault: null });
    await put({ clientSecret: 'another' });
    await soon(shown).toEqual({ pushPath: null, open: false, fault: 'the platform refused the connection: 401' });
    await put();
    await soon(shown).toEqual({ pushPath: null, open: true, fault: null });
  });

  it('serves all shops of its app, each with its own messages; what is for nobody here stays with the platform', async () => {
    const { pool, network } = scene.world.store;
    await pool.query(`insert into channels (code, name, platform, intake_mode, currency, payment_window_s, backorder_window_s, merge_window_s, return_window_s) values ('second', 'second', 'pinduoduo', 'accept', 'CNY', 1800, 172800, 0, 86400)`);
    await network.reload();
    const opened = stream().opened;
    await put({ mallId: '222' }, 'second');
    await soon(() => [stream().opened > opened, stream().live]).toEqual([true, 1]); // made anew, for both
    place();
    await scene.pushed();
    const event = scene.platform.pusher.sent.at(-1);
    const told = async (mallId: string) => {
      const [own, behind] = [mallId, String(scene.account['mallId'])].map((m) => event && message(event, { ...scene.platform, settings: { ...scene.account, mallId: m } }));
      if (!own || !behind) throw new Error('no message');
      const answer = stream().send(own.id ?? '', own.body, 30_000);
      await stream().send(behind.id ?? '', behind.body, 30_000);
      if (mallId === '333') stream().giveUp(own.id ?? '');
      return (await answer).status;
    };
    expect([await told('222'), await told('333')]).toEqual([200, 0]);
    const { rows } = await pool.query<{ code: string; n: number }>(`select c.code, count(*)::int n from channel_hints h join channels c on c.id = h.channel_id where source = 'push' group by 1 order by 1`);
    expect(rows).toEqual([{ code: 'second', n: 1 }, { code: scene.code, n: 1 }]);
    await soon(async () => (await pool.query('select reason, count from push_rejections')).rows).toEqual([{ reason: 'unknown_app', count: 1 }]);
    // The second one's code is spent, so nobody may ask for its messages: that keeps no other back.
    expect(stream().most).toBe(1);
    await pool.query(`update channels set active = false where code = 'second'`);
    await network.reload();
  });

  it('is with one of them; who stops hands it on at once, and no message is lost or taken twice', async () => {
    await soon(() => stream().live).toBe(1);
    const others = [scene.keep(), scene.keep()];
    for (const keeper of others) await keeper.look();
    expect([scene.keeper.keys, ...others.map((k) => k.keys)]).toEqual([[KEY], [], []]);
    place();
    await scene.pushed();
    await scene.keeper.close();
    expect(stream().live).toBe(0);
    const meanwhile = place();
    scene.platform.pusher.flush();
    await Promise.all(others.map((k) => k.look()));
    await scene.pushed();
    expect([others.flatMap((k) => k.keys), stream().most, await hints()]).toEqual([[KEY], 1, { n: 2, again: 0 }]);
    expect((await scene.world.one<{ id: string }>(`select external_id id from channel_hints order by id desc limit 1`)).id).toBe(meanwhile);
    for (const keeper of others) await keeper.close();
    expect(await scene.world.one('select holder, leased_until, opened_at from channel_streams')).toEqual({ holder: null, leased_until: null, opened_at: null });
  });

  it('follows a worker that was killed without a word, and a worker that is told to stop goes in peace; every message is taken once', async () => {
    const worker = (): TestProcess => startNode(STREAM_WORKER, { env: { DATABASE_URL: scene.world.database.url, VAULT_KEY: VAULT_KEY.toString('hex'), NOW: scene.world.now.toISOString() } });
    const first = worker();
    await soon(() => stream().live).toBe(1);
    const second = worker();
    const orders = [place(), place()];
    scene.platform.faults.nextCuts = 1;
    await scene.pushed();
    const before = await holder();
    await first.kill();
    orders.push(place(), place());
    await scene.pushed(); // they wait with the platform until the lease has ended
    const after = await holder();
    const { code } = await second.stop();
    expect([before !== null && after !== null && before !== after, code, await holder(), stream().live, stream().most]).toEqual([true, 0, null, 0, 1]);
    const { rows } = await scene.world.store.pool.query<{ id: string }>(`select external_id id from channel_hints where source = 'push'`);
    expect(rows.map((r) => r.id).sort()).toEqual([...orders].sort());
  });
});

/** A platform of one socket, to look at what is said when. */
describe('a connection by itself', () => {
  let http: Server;
  let sockets: WebSocketServer;
  let heard: string[];
  let connections: WebSocket[];
  const made: StreamConnection[] = [];
  beforeEach(async () => {
    [heard, connections] = [[], []];
    http = createServer();
    sockets = new WebSocketServer({ server: http });
    sockets.on('connection', (socket) => {
      connections.push(socket);
      socket.on('message', (data: Buffer) => { heard.push(data.toString()); });
      socket.on('close', (code) => { heard.push(`closed ${code}`); });
    });
    await new Promise<void>((resolve) => { http.listen(0, '127.0.0.1', resolve); });
  });
  afterEach(async () => {
    for (const connection of made.splice(0)) connection.drop();
    sockets.close();
    http.closeAllConnections();
    await new Promise<void>((resolve) => { http.close(() => { resolve(); }); });
  });
  const connect = (stream: Partial<Stream>, options: Partial<StreamConnectionOptions>): StreamConnection => {
    const connection = new StreamConnection({
      stream: {
        key: 'k', owner: 'me', address: () => `ws://127.0.0.1:${(http.address() as AddressInfo).port}`, heartbeatMs: 60_000, silenceMs: 60_000, heartbeat: () => 'alive', permit: () => Promise.resolve(),
        read: (frame) => ({ kind: 'hints', owner: frame, hints: [], ack: `ack ${frame}` }), ...stream,
      },
      logger: createLogger('test', 'silent'), now: () => 0, owns: () => true, keep: () => Promise.resolve(), reject: () => undefined, told: () => undefined, backOff: { firstMs: 5, mostMs: 20 }, ...options,
    });
    made.push(connection);
    connection.start();
    return connection;
  };

  it('keeps and acknowledges what is under way when it is stopped; what comes later stays with the platform', async () => {
    const keeping: { frame: string; done: () => void }[] = [];
    const connection = connect({}, { keep: (frame) => new Promise((done) => { keeping.push({ frame, done }); }) });
    await soon(() => connections.length).toBe(1);
    for (const frame of ['one', 'two']) connections[0]!.send(frame);
    await soon(() => keeping.length).toBe(2);
    const stopped = connection.stop();
    connections[0]!.send('three');
    for (const { done } of keeping) done();
    await stopped;
    await soon(() => heard).toEqual(['alive', 'ack one', 'ack two', 'closed 1000']);
    expect([keeping.map((k) => k.frame), connection.takeKept()]).toEqual([['one', 'two'], 2]);
  });

  it('is given up when the platform falls silent, and opened anew', async () => {
    const told: (string | null)[] = [];
    const connection = connect({ silenceMs: 200 }, { told: (fault) => { told.push(fault); } });
    await soon(() => told.slice(0, 3)).toEqual([null, 'the platform was silent for 200 ms', null]);
    await connection.stop();
  });

  it('ends a connection over which a message could not be kept, and takes the message when it comes again', async () => {
    let fails = 1;
    const connection = connect({}, { keep: () => (fails-- > 0 ? Promise.reject(new Error('no space left')) : Promise.resolve()) });
    await soon(() => connections.length).toBe(1);
    connections[0]!.send('one');
    await soon(() => connections.length).toBe(2);
    connections[1]!.send('one');
    await soon(() => heard).toEqual(['alive', 'closed 1006', 'alive', 'ack one']);
    await connection.stop();
  });

  it('says nothing more once it is dropped, and comes not back', async () => {
    const keeping: (() => void)[] = [];
    const connection = connect({}, { keep: () => new Promise((done) => { keeping.push(done); }) });
    await soon(() => connections.length).toBe(1);
    connections[0]!.send('one');
    await soon(() => keeping.length).toBe(1);
    connection.drop();
    keeping[0]!();
    await soon(() => heard).toEqual(['alive', 'closed 1006']);
    await connection.stop();
    expect(connections).toHaveLength(1);
  });
});

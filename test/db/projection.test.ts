import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { prepareOrder } from '../../db/capture/prepare.ts';
import { ensureLevels, postMovements } from '../../db/ledger.ts';
import { openStore, type Store } from '../../db/store.ts';
import { typeParsers } from '../../db/types.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { VAULT_KEY, World } from '../support/world.ts';

let world: World;
let skus = 0;
const others: Store[] = [];
beforeAll(async () => { world = await World.create({ skus: 30, stock: 0 }); });
afterEach(async () => { for (const store of others.splice(0)) await store.close(); });
afterAll(async () => { await world.close(); });

/** Another process; with the default it refreshes only when the test says so. */
async function otherProcess(refreshMs = 3_600_000): Promise<Store> {
  const store = await openStore({ url: world.database.url, vaultKey: VAULT_KEY, clock: () => world.now, refreshMs });
  others.push(store);
  return store;
}

async function sku(stock: Record<string, number>): Promise<{ code: string; id: number }> {
  const code = `SKU-${++skus}`;
  await world.setStock(code, stock);
  return { code, id: world.store.network.knownSku(code)!.id };
}

const at = (code: string): number => world.locationId(code);
const levelOf = async (skuId: number, location: string): Promise<number> => (await world.one<{ id: number }>('select id from stock_levels where sku_id = $1 and location_id = $2 and lot_id = 0', skuId, at(location))).id;
const receive = (level: number, onHand: number) => world.store.writer.change((tx) => tx.post('receipt', null, [{ levelId: level, onHand, reserved: 0 }]));
/** A connection with a transaction that the test ends when it likes. */
async function transaction(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: world.database.url, types: typeParsers });
  await client.connect();
  await client.query('begin');
  return client;
}

/** Refreshes until it shows: a transaction anywhere on the server, another test file's too, may hold the newest rows back for a moment. */
const shows = <T>(store: Store, what: () => T) => expect.poll(async () => { await store.projection.refresh(); return what(); }, { timeout: 20_000, interval: 10 });

test('own commits show at once', async () => {
  const { id } = await sku({ 'L-1': 5, 'L-2': 1 });
  expect(world.store.projection.available(id, at('L-1'))).toBe(5);
  expect(world.store.projection.locationsOf(id)).toEqual(new Map([[at('L-1'), 5], [at('L-2'), 1], [at('L-3'), 0]]));
  await receive(await levelOf(id, 'L-1'), -2);
  expect(world.store.projection.available(id, at('L-1'))).toBe(3);
});

test('another process sees a change with its next refresh: receipts, reservations, new levels, new lots in their order', async () => {
  const { code, id } = await sku({ 'L-1': 5 });
  const other = await otherProcess();
  const seen = () => other.projection.available(id, at('L-1'));
  expect(seen()).toBe(5);
  await world.capture({ lines: [{ sku: code, quantity: 2, unitPrice: 100 }] });
  expect(seen()).toBe(5);
  await shows(other, seen).toBe(3);
  const lots = await world.store.writer.change(async (tx) => {
    const rows = await tx.query<{ id: number }>(`insert into lots (sku_id, code, expires_on) values ($1, 'late', '2028-01-01'), ($1, 'soon', '2027-01-01') returning id`, [id]);
    const made = await ensureLevels(tx.client, rows.map((r) => ({ locationId: at('L-1'), skuId: id, condition: 'sellable', lotId: r.id })));
    await tx.post('receipt', null, made.map((levelId, i) => ({ levelId, onHand: 10 + i, reserved: 0 })));
    return made;
  });
  await shows(other, seen).toBe(24);
  expect(other.projection.levelsOf(id, at('L-1')).map((l) => [l.id, l.free])).toEqual([[lots[1], 11], [lots[0], 10], [await levelOf(id, 'L-1'), 3]]);
});

test('by itself within its interval', async () => {
  const { id } = await sku({ 'L-1': 5 });
  const other = await otherProcess(20);
  await receive(await levelOf(id, 'L-1'), 4);
  await expect.poll(() => other.projection.available(id, at('L-1')), { timeout: 10_000, interval: 10 }).toBe(9);
  expect(Date.now() - other.projection.refreshedAt).toBeLessThan(10_000);
});

test('a transaction that is still open while later ones commit is not passed over', async () => {
  const { id } = await sku({ 'L-1': 5, 'L-2': 5 });
  const [first, second] = [await levelOf(id, 'L-1'), await levelOf(id, 'L-2')];
  const other = await otherProcess();
  const seen = () => [other.projection.available(id, at('L-1')), other.projection.available(id, at('L-2'))];
  const open = await transaction();
  await postMovements(open, uuidv7(), 'receipt', null, [{ levelId: first, onHand: 10, reserved: 0 }]);
  await receive(second, 20);
  await other.projection.refresh();
  // Whether the later one shows already is not promised; that the earlier one comes is.
  expect(seen()[0]).toBe(5);
  await other.projection.refresh();
  await open.query('commit');
  await open.end();
  await shows(other, seen).toEqual([15, 25]);
});

test('changes of many transactions that end in another order than they began all arrive', async () => {
  const { id } = await sku({ 'L-1': 0, 'L-2': 0, 'L-3': 0 });
  const levels = await Promise.all(['L-1', 'L-2', 'L-3'].map((l) => levelOf(id, l)));
  const other = await otherProcess();
  const open: pg.Client[] = [];
  for (let i = 0; i < 9; i++) {
    const client = await transaction();
    // Every third on a level of its own, so that none waits for another.
    if (i < 3) await postMovements(client, uuidv7(), 'receipt', null, [{ levelId: levels[i]!, onHand: 1 + i, reserved: 0 }]);
    else await client.query('select pg_current_xact_id()');
    open.push(client);
  }
  for (const i of [8, 1, 5, 0, 7, 3, 2, 6, 4]) {
    await open[i]!.query(i === 1 ? 'rollback' : 'commit');
    await open[i]!.end();
    await other.projection.refresh();
  }
  await shows(other, () => [...other.projection.locationsOf(id).values()]).toEqual([1, 0, 3]);
});

test('what a transaction showed that was rolled back is read again', async () => {
  const { id } = await sku({ 'L-1': 5 });
  const level = await levelOf(id, 'L-1');
  const { projection, writer } = world.store;
  await expect(writer.change(async (tx) => {
    await tx.post('receipt', null, [{ levelId: level, onHand: 100, reserved: 0 }]);
    throw new Error('no');
  })).rejects.toThrow('no');
  expect(projection.available(id, at('L-1'))).toBe(5);
  // Even a wrong figure that got there somehow is put right.
  projection.committed({ id: level, skuId: id, locationId: at('L-1'), allotmentId: 0, supplyId: 0, onHand: 999, reserved: 0, buffer: 0, sellable: true });
  expect(projection.available(id, at('L-1'))).toBe(999);
  await projection.reread([level]);
  expect(projection.available(id, at('L-1'))).toBe(5);
  await projection.reread([]);
});

test('a capture that is rolled back leaves the projection as it was', async () => {
  const { code, id } = await sku({ 'L-1': 5 });
  await world.store.network.loadSkus([code]);
  const intake = world.intake({ lines: [{ sku: code, quantity: 3, unitPrice: 100 }], priority: 99_999 });
  const order = prepareOrder(intake, world.store.network, world.store.vault, world.now, { apiKeyId: 1, idempotencyKey: null, actor: 'key:test', locationId: null });
  await expect(world.store.capture.submit(order)).rejects.toMatchObject({ code: '22003' });
  expect(world.store.projection.available(id, at('L-1'))).toBe(5);
});

test('a recall is seen by reading the SKU again; a buffer is not free, and free is never below nothing', async () => {
  const { id } = await sku({ 'L-1': 5 });
  const level = await levelOf(id, 'L-1');
  await world.store.pool.query('update stock_levels set buffer = 8 where id = $1', [level]);
  await world.store.projection.reread([level]);
  expect(world.store.projection.available(id, at('L-1'))).toBe(0);
  await world.store.pool.query('update stock_levels set buffer = 1 where id = $1', [level]);
  const client = await world.store.pool.connect();
  await world.store.projection.rereadSkus(client, [id, id]);
  client.release();
  expect(world.store.projection.available(id, at('L-1'))).toBe(4);
});

test('a refresh that fails is tried again at the next interval', async () => {
  const { id } = await sku({ 'L-1': 5 });
  const level = await levelOf(id, 'L-1');
  const warnings: string[] = [];
  const listen = (warning: Error): void => { warnings.push(warning.message); };
  process.on('warning', listen);
  const other = await otherProcess(20);
  const query = other.pool.query.bind(other.pool);
  let failing = true;
  Object.assign(other.pool, { query: (...args: unknown[]) => (failing ? Promise.reject(new Error('out of order')) : (query as (...a: unknown[]) => unknown)(...args)) });
  await receive(level, 2);
  await expect.poll(() => warnings.filter((w) => w === 'stock projection not refreshed: out of order').length, { timeout: 10_000, interval: 10 }).toBeGreaterThan(1);
  expect(other.projection.available(id, at('L-1'))).toBe(5);
  failing = false;
  await expect.poll(() => other.projection.available(id, at('L-1')), { timeout: 10_000, interval: 10 }).toBe(7);
  process.off('warning', listen);
});

test('a closed projection asks nothing more', async () => {
  const other = await otherProcess(5);
  await other.projection.close();
  const { refreshedAt } = other.projection;
  await delay(50);
  expect(other.projection.refreshedAt).toBe(refreshedAt);
});

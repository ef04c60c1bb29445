import { createServer, connect, type Socket } from 'node:net';
import pg from 'pg';
import { policyHash } from '../../db/routing/policies.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { createApiKey, hashApiKey } from '../../db/api-keys.ts';
import { Network } from '../../db/network.ts';
import { World } from '../support/world.ts';

let world: World;
const opened: Network[] = [];
beforeAll(async () => { world = await World.create({ locations: 6, skus: 5 }); });
afterEach(async () => { for (const network of opened.splice(0)) await network.close(); });
afterAll(async () => { await world.close(); });

const sql = (text: string, ...values: unknown[]) => world.store.pool.query(text, values);
const soon = { timeout: 20_000, interval: 10 };

async function open(url = world.database.url): Promise<Network> {
  const network = await Network.open(url);
  opened.push(network);
  return network;
}

async function shut(network: Network): Promise<void> {
  opened.splice(opened.indexOf(network), 1);
  await network.close();
}

/** A door to PostgreSQL that can be shut: connections are cut and refused while it is. */
async function door(): Promise<{ url: string; attempts: () => number; shut(): void; unlock(): void; close(): Promise<void> }> {
  const target = new URL(world.database.url);
  const sockets = new Set<Socket>();
  let attempts = 0;
  let isShut = false;
  const server = createServer((socket) => {
    attempts++;
    if (isShut) return void socket.destroy();
    const through = connect(Number(target.port), target.hostname);
    for (const [one, other] of [[socket, through], [through, socket]] as const) {
      sockets.add(one);
      one.on('error', () => one.destroy()).on('close', () => { other.destroy(); sockets.delete(one); });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as { port: number }).port);
  const cut = (): void => { for (const socket of sockets) socket.destroy(); };
  return {
    url: url.href, attempts: () => attempts, unlock: () => { isShut = false; },
    shut() { isShut = true; cut(); },
    close: () => new Promise((resolve) => { server.close(() => { resolve(); }); cut(); }),
  };
}

test('reads the whole network', async () => {
  const network = await open();
  expect([...network.channels.keys()].toSorted()).toEqual(['douyin', 'merging', 'own']);
  expect(network.channelById.get(network.channels.get('merging')!.id)).toEqual({
    id: network.channels.get('merging')!.id, code: 'merging', name: 'own site with a merge window', platform: 'own', intakeMode: 'strict', currency: 'CNY',
    paymentWindowS: 1800, backorderWindowS: 604_800, mergeWindowS: 900, returnWindowS: 86_400, supplyHorizonS: 0, minLifeDays: 0, depositRefundable: false, active: true,
    acceptTimeoutS: null, rerouteAfterS: null, pickupReadyS: 7200,
  });
  expect(network.locations.get('L-4')).toMatchObject({ code: 'L-4', kind: 'store', timeZone: 'Asia/Shanghai', cutoffMinutes: 960, handlingMinutes: 60, workDays: [1, 2, 3, 4, 5, 6, 7], place: { country: 'CN', province: 'Shenzhen', city: 'Shenzhen', lon: 114.06 } });
  expect(network.carriers.get('sim')).toEqual({ code: 'sim', name: 'simulated carrier', baseUrl: 'http://carrier.test', secret: null, active: true, dailyCapacity: null });
  expect(network.rates.map((r) => [r.carrier, r.zone, r.transitDays])).toEqual([['sim', 'national', 2], ['sim', 'same_city', 1], ['sim', 'same_province', 1]]);
  expect(network.policyAt(new Date())).toMatchObject({ policy: { code: 'default', version: 1, maxShipments: 4, dealers: 'equal', weights: { splitPenalty: 500 } } });
  expect(network.policyAt(new Date()).hash).toEqual(policyHash(network.policyAt(new Date()).policy));
});

test('a change by anybody is known shortly after: channels, rules, keys and their revocation, SKUs', async () => {
  const network = await open();
  await sql(`update channels set payment_window_s = 77 where code = 'own'`);
  await expect.poll(() => network.channels.get('own')?.paymentWindowS, soon).toBe(77);
  await sql(`insert into audit_rules (name, kind, action, channel_id, params) select 'dear', 'amount', 'hold', id, '{"above": 1}' from channels where code = 'own'`);
  await expect.poll(() => network.auditRules.map((r) => [r.name, r.kind, r.action, r.channelCode, r.params]), soon).toEqual([['unknown address', 'address', 'hold', null, { unknown: true }], ['dear', 'amount', 'hold', 'own', { above: 1 }]]);
  await sql(`update audit_rules set active = false`);
  await expect.poll(() => network.auditRules, soon).toEqual([]);

  const { id, key } = await createApiKey(world.store.pool, { name: 'shop', scopes: ['orders:read', 'orders:write'], locationCode: 'L-2' });
  await expect.poll(() => network.apiKeys.get(hashApiKey(key)), soon).toEqual({ id, name: 'shop', scopes: new Set(['orders:read', 'orders:write']), locationId: network.locations.get('L-2')!.id, carrier: null });
  await sql('update api_keys set revoked_at = now() where id = $1', id);
  await expect.poll(() => network.apiKeys.has(hashApiKey(key)), soon).toBe(false);
  await expect(createApiKey(world.store.pool, { name: 'nowhere', scopes: ['orders:read'], locationCode: 'L-99' })).rejects.toThrow('unknown location L-99');

  await network.loadSkus(['SKU-1', 'SKU-NEW']);
  expect([network.knownSku('SKU-1')?.active, network.knownSku('SKU-NEW')]).toEqual([true, undefined]);
  await sql(`update skus set active = false where code = 'SKU-1'`);
  await expect.poll(async () => { await network.loadSkus(['SKU-1']); return network.knownSku('SKU-1')?.active; }, soon).toBe(false);
  await sql(`insert into skus (code, name, weight_g) values ('SKU-NEW', 'New', 5)`);
  await network.loadSkus(['SKU-NEW']);
  expect(network.knownSku('SKU-NEW')).toMatchObject({ code: 'SKU-NEW', weightG: 5, active: true });
});

test('SKUs are asked for once, by code or by id', async () => {
  const network = await open();
  const { id } = (await sql(`select id from skus where code = 'SKU-2'`)).rows[0] as { id: number };
  expect(await network.skusById([id, id, 999_999])).toEqual(new Map([[id, expect.objectContaining({ code: 'SKU-2' }) as unknown]]));
  const query = vi.spyOn(pg.Client.prototype, 'query');
  await network.loadSkus(['SKU-2']);
  expect(network.knownSku('SKU-2')?.id).toBe(id);
  expect([...(await network.skusById([id])).keys()]).toEqual([id]);
  expect(query).not.toHaveBeenCalled();
});

test('locations are ranked once a city, nearest first, active ones only, and again when the network changes', async () => {
  const network = await open();
  const codes = (ranked: number[]) => ranked.map((id) => network.locationById.get(id)!.code);
  const guangzhou = network.place('CN', 'Guangzhou', 'Guangzhou');
  expect(guangzhou).toEqual({ country: 'CN', province: 'Guangzhou', city: 'Guangzhou', lat: 23.13, lon: 113.26 });
  expect(network.place('CN', 'Nowhere', 'Nowhere')).toEqual({ country: 'CN', province: 'Nowhere', city: 'Nowhere', lat: null, lon: null });
  const ranked = network.ranked(guangzhou);
  expect(codes(ranked).slice(0, 3)).toEqual(['L-3', 'L-4', 'L-6']); // Guangzhou, Shenzhen, Wuhan
  expect(ranked).toHaveLength(6);
  expect(network.ranked({ ...guangzhou })).toBe(ranked);
  await sql(`update locations set active = false where code = 'L-3'`);
  await expect.poll(() => codes(network.ranked(guangzhou)).slice(0, 2), soon).toEqual(['L-4', 'L-6']);
  expect(network.ranked(guangzhou)).toHaveLength(5);
  await sql(`update locations set active = true where code = 'L-3'`);
  await expect.poll(() => codes(network.ranked(guangzhou))[0], soon).toBe('L-3');
});

test('calls for a reload that arrive together share readings, and the last one sees what was written before it', async () => {
  const network = await open();
  const query = vi.spyOn(pg.Client.prototype, 'query');
  const first = network.reload();
  await sql(`update channels set name = 'renamed' where code = 'own'`);
  await Promise.all([first, ...Array.from({ length: 50 }, () => network.reload())]);
  expect(network.channels.get('own')?.name).toBe('renamed');
  // A few readings of 8 queries each (the world's own network reads too), not 51.
  expect(query.mock.calls.length).toBeLessThan(80);
});

test('without an active routing policy there is nothing to run on', async () => {
  await sql('alter table routing_policies disable trigger routing_policies_keep');
  await sql(`update routing_policies set status = 'draft'`);
  await expect(open()).rejects.toThrow('no routing policy is active');
  await sql(`update routing_policies set status = 'active'`);
  await sql('alter table routing_policies enable trigger routing_policies_keep');
});

async function listeners(): Promise<number[]> {
  const { rows } = await world.store.pool.query<{ pid: number }>(`select pid from pg_stat_activity where datname = current_database() and application_name = 'tributary network' order by 1`);
  return rows.map((r) => r.pid);
}

test('a listener that the server ends is opened again, and what happened meanwhile is read', async () => {
  const network = await open();
  const before = await listeners();
  expect(before).toHaveLength(2); // the world's own and this one
  await sql(`select pg_terminate_backend(pid) from unnest($1::int[]) pid`, before);
  await sql(`update channels set payment_window_s = 99 where code = 'own'`);
  await expect.poll(() => network.channels.get('own')?.paymentWindowS, soon).toBe(99);
  await expect.poll(listeners, soon).toHaveLength(2);
  await sql(`update channels set payment_window_s = 1800 where code = 'own'`);
  await expect.poll(() => network.channels.get('own')?.paymentWindowS, soon).toBe(1800);
});

test('a database away for seconds is asked twice a second, not ever more often, and one listener is left', async () => {
  const gate = await door();
  const network = await open(gate.url);
  const before = gate.attempts();
  gate.shut();
  await delay(4000);
  expect(gate.attempts() - before).toBeGreaterThan(1);
  expect(gate.attempts() - before).toBeLessThan(12);
  gate.unlock();
  await sql(`update channels set name = 'after' where code = 'own'`);
  await expect.poll(() => network.channels.get('own')?.name, soon).toBe('after');
  await delay(1500);
  expect(await listeners()).toHaveLength(2);
  await sql(`update channels set name = 'own site' where code = 'own'`);
  await expect.poll(() => network.channels.get('own')?.name, soon).toBe('own site');
  await shut(network);
  await gate.close();
});

test('closing while the database is away leaves no connection behind', async () => {
  const gate = await door();
  const network = await open(gate.url);
  gate.shut();
  await delay(700);
  await shut(network);
  gate.unlock();
  await delay(1200);
  expect(await listeners()).toHaveLength(1);
  await gate.close();
});

test('opening without a database fails, and tries no more', async () => {
  const gate = await door();
  gate.shut();
  const connects = vi.spyOn(pg.Client.prototype, 'connect');
  await expect(open(gate.url)).rejects.toThrow();
  await delay(1500);
  expect(connects).toHaveBeenCalledTimes(1);
  expect(gate.attempts()).toBe(1);
  await gate.close();
});

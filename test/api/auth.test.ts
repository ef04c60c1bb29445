import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { actorOf, auth } from '../../api/plugins/auth.ts';
import { problems } from '../../api/plugins/problems.ts';
import { createApiKey, SCOPES, type Scope } from '../../db/api-keys.ts';
import { createKnex } from '../../db/pool.ts';
import { createLogger } from '../../runtime/logger.ts';
import { World } from '../support/world.ts';

type Operation = {
  summary?: string; description?: string; tags?: string[]; security?: unknown[]; parameters?: { in: string; name: string; schema?: unknown }[]; responses?: Record<string, unknown>;
};
type Document = { openapi: string; paths: Record<string, Record<string, Operation>>; components: { securitySchemes: object } };

let world: World;
let app: FastifyInstance;
let close: () => Promise<void>;
let document: Document;
beforeAll(async () => {
  world = await World.create();
  const knex = createKnex(world.database.url);
  app = await buildApp({ store: world.store, knex, logger: createLogger('test', 'silent') });
  close = async () => { await app.close(); await knex.destroy(); await world.close(); };
  await app.ready();
  document = (await app.inject('/docs/json')).json<Document>();
});
afterAll(async () => { await close(); });

/** Every operation of the document, with an address that fits its pattern. */
const operations = () => Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase() as 'GET', operation, url: path.replaceAll(/\{[^}]+\}/g, 'x') })));
/** All but those that platforms call, which sign what they send. */
const keyed = () => operations().filter(({ operation }) => operation.security === undefined);
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
async function keyOf(...scopes: Scope[]): Promise<string> {
  const { key } = await createApiKey(world.store.pool, { name: `key of ${scopes.join(' ')}`, scopes });
  await world.store.network.reload();
  return key;
}
/** The content of every table. */
async function fingerprint(): Promise<Record<string, string>> {
  const { rows } = await world.store.pool.query<{ t: string }>(`select table_name t from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`);
  const all = await Promise.all(rows.map(async ({ t }) => [t, (await world.one<{ h: string }>(`select coalesce(md5(string_agg(x::text, '|' order by x::text)), '') h from "${t}" x`)).h] as const));
  return Object.fromEntries(all);
}

/** The routes as Fastify has them, from its own print-out: `METHOD path`. */
function registered(): string[] {
  const stack: string[] = [];
  return app.printRoutes({ commonPrefix: false }).split('\n').flatMap((line) => {
    const match = /^([│├└─ ]*)(\S+) \(([A-Z, ]+)\)$/.exec(line);
    if (!match) return [];
    const depth = match[1]!.length / 4;
    stack.length = depth - 1;
    stack.push(match[2]!);
    return match[3]!.split(', ').map((method) => `${method} ${stack.join('')}`);
  });
}

describe('every route', () => {
  test('is in the document, but for the operators\' own and the docs', () => {
    const routes = registered();
    expect(routes).toContain('POST /v1/orders/import');
    const open = /^(GET|HEAD) \/(docs|metrics|healthz|readyz)(\/|$)/;
    const documented = new Set(operations().map(({ method, path }) => `${method} ${path.replaceAll(/\{([^}]+)\}/g, ':$1')}`));
    expect(routes.filter((r) => !open.test(r) && !r.startsWith('HEAD ') && !documented.has(r))).toEqual([]);
    expect(documented.size).toBeGreaterThanOrEqual(4);
  });

  test('asks for a key, and one that is known: 401, and nothing is changed', async () => {
    const before = await fingerprint();
    for (const { method, url } of keyed()) {
      for (const headers of [{}, { authorization: 'Bearer' }, { authorization: 'Basic dTpw' }, bearer('tk_nobodyhasthiskey'), bearer('short'), { authorization: `Bearer ${'x'.repeat(5000)}` }]) {
        const response = await app.inject({ method, url, headers: { ...headers, 'content-type': 'application/json' }, ...(method === 'GET' ? {} : { payload: '{}' }) });
        expect([method, url, response.statusCode, response.headers['content-type']]).toEqual([method, url, 401, 'application/problem+json']);
        expect(response.json()).toMatchObject({ code: 'unauthenticated', field: '/headers/Authorization' });
      }
    }
    expect(await fingerprint()).toEqual(before);
  });

  test('names a scope, and refuses a key that lacks it: 403, and nothing is changed', async () => {
    const { rows } = await world.store.pool.query<{ hash: Buffer }>(`select sha256('tk_has_no_scope_at_all') hash`);
    await world.store.pool.query(`insert into api_keys (name, key_hash, scopes) values ('none', $1, '{nothing}')`, [rows[0]!.hash]);
    await world.store.network.reload();
    const before = await fingerprint();
    for (const { method, url } of keyed()) {
      const response = await app.inject({ method, url, headers: { ...bearer('tk_has_no_scope_at_all'), 'content-type': 'application/json' }, ...(method === 'GET' ? {} : { payload: '{}' }) });
      expect([method, url, response.statusCode]).toEqual([method, url, 403]);
      const { code, detail } = response.json<{ code: string; detail: string }>();
      expect(code).toBe('forbidden');
      expect(SCOPES).toContain(/^this key lacks the scope (\S+)$/.exec(detail)?.[1]);
    }
    expect(await fingerprint()).toEqual(before);
  });

  test('the scope is checked before anything of the request is read', async () => {
    const key = await keyOf('orders:read');
    const response = await app.inject({ method: 'POST', url: '/v1/orders', headers: { ...bearer(key), 'content-type': 'application/json' }, payload: '{broken' });
    expect(response.json()).toMatchObject({ status: 403, detail: 'this key lacks the scope orders:write' });
  });
});

describe('keys', () => {
  const post = (headers: Record<string, string>) => app.inject({ method: 'POST', url: '/v1/orders', headers, payload: world.intake() as object });

  test('one with the scope works, until the moment it is revoked', async () => {
    const key = await keyOf('orders:write');
    expect((await post(bearer(key))).statusCode).toBe(201);
    expect((await post({ authorization: `bearer  ${key}` })).statusCode).toBe(201);
    await world.store.pool.query(`update api_keys set revoked_at = now() where name = 'key of orders:write'`);
    await expect.poll(async () => (await post(bearer(key))).statusCode, { timeout: 20_000, interval: 20 }).toBe(401);
  });

  test('a key is nowhere to be read: not in the table, not in an answer', async () => {
    const key = await keyOf('orders:write');
    const { rows } = await world.store.pool.query<{ row: string }>('select k::text as row from api_keys k');
    for (const { row } of rows) expect(row).not.toContain(key.slice(3));
    expect((await post(bearer(`${key}x`))).body).not.toContain(key);
  });

  test('the timeline names the key, never a person', async () => {
    const key = await keyOf('orders:write');
    const { id } = (await post(bearer(key))).json<{ id: string }>();
    expect(id).toMatch(/^ord_/);
    expect(await world.one('select actor from order_events order by id desc limit 1')).toEqual({ actor: 'key:key of orders:write' });
    expect(actorOf({ id: 1, name: 'shop 7', scopes: new Set(), locationId: null, carrier: null })).toBe('key:shop 7');
  });

  test('a key bound to a location takes orders for it alone', async () => {
    const { key } = await createApiKey(world.store.pool, { name: 'till', scopes: ['orders:write'], locationCode: 'L-2' });
    await world.store.network.reload();
    const response = await app.inject({ method: 'POST', url: '/v1/orders', headers: bearer(key), payload: world.intake({ location: 'L-1' }) as object });
    expect(response.statusCode).toBe(201);
    expect(await world.one('select c.code from orders o join locations c on c.id = o.location_id order by o.id desc limit 1')).toEqual({ code: 'L-2' });
  });

  test('a key bound to a location or a carrier speaks for no other', async () => {
    const location = await createApiKey(world.store.pool, { name: 'wms', scopes: ['fulfillment:write'], locationCode: 'L-2' });
    const carrier = await createApiKey(world.store.pool, { name: 'carrier', scopes: ['tracking:write'], carrierCode: 'sim' });
    await world.store.pool.query(`insert into carriers (code, name) values ('other', 'Other')`);
    await world.store.network.reload();
    const event = { type: 'accepted', eventId: 'e', fulfillmentOrderId: 'ful_00000000000000000000000000', occurredAt: '2026-11-23T02:00:00Z' };
    const tracking = { events: [{ eventId: 'e', waybillNo: 'unknown', status: 'in_transit', occurredAt: '2026-11-23T02:00:00Z' }] };
    const tell = async (url: string, key: string, payload: object) => (await app.inject({ method: 'POST', url, headers: bearer(key), payload })).json<{ detail?: string }>();
    for (const code of ['L-1', 'L-99']) expect(await tell(`/v1/partners/locations/${code}/events`, location.key, event)).toMatchObject({ status: 404, detail: `location "${code}" does not exist` });
    for (const code of ['other', 'none']) expect(await tell(`/v1/partners/carriers/${code}/tracking`, carrier.key, tracking)).toMatchObject({ status: 404, detail: `carrier "${code}" does not exist` });
    expect(await tell('/v1/partners/carriers/sim/tracking', carrier.key, tracking)).toEqual({ accepted: 0, duplicates: 0, unknown: 1 });
  });
});

test('a route that names no scope keeps the API from starting', async () => {
  const bare = fastify();
  await bare.register(problems);
  await bare.register(auth, { network: world.store.network });
  expect(() => bare.get('/open', () => 'x')).toThrow('route GET /open names no scope');
  expect(() => bare.get('/open', { config: { scope: 'public' } }, () => 'x')).not.toThrow();
  await bare.close();
});

describe('the OpenAPI document', () => {
  const walk = (value: unknown, see: (key: string, value: unknown, path: string) => void, path = ''): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, part] of Object.entries(value)) {
      see(key, part, `${path}/${key}`);
      walk(part, see, `${path}/${key}`);
    }
  };

  test('is version 3.1, secured by a key throughout', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(document).toMatchObject({ info: { title: 'Tributary' }, security: [{ key: [] }], components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } } });
    // Platforms sign what they push and have no key of ours.
    expect(operations().filter(({ operation }) => operation.security !== undefined).map(({ method, path, operation }) => [method, path, operation.security]))
      .toEqual(['/hooks/{channel}/{key}', '/carrier-hooks/{account}/{key}'].flatMap((path) => ['POST', 'GET'].map((method) => [method, path, []])));
  });

  test('every $ref leads somewhere', () => {
    const dangling: string[] = [];
    walk(document, (key, value, path) => {
      if (key !== '$ref' || typeof value !== 'string') return;
      const found = value.startsWith('#/') && value.slice(2).split('/').reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')], document) !== undefined;
      if (!found) dangling.push(`${path} → ${value}`);
    });
    expect(dangling).toEqual([]);
  });

  test('every operation has a summary of its own, one tag, its path parameters, and its answers', () => {
    const summaries = operations().map(({ operation }) => operation.summary);
    expect(new Set(summaries).size).toBe(summaries.length);
    for (const { method, path, operation } of operations()) {
      const where = `${method} ${path}`;
      expect(operation.summary, where).toMatch(/^\S.{4,80}$/);
      expect(operation.tags, where).toHaveLength(1);
      expect((operation.parameters ?? []).filter((p) => p.in === 'path').map((p) => p.name).toSorted(), where).toEqual([...path.matchAll(/\{([^}]+)\}/g)].map((m) => m[1]).toSorted());
      expect(Object.keys(operation.responses ?? {}).length, where).toBeGreaterThan(0);
    }
  });

  test('bodies that are objects are closed: an unknown field is an error, not lost', () => {
    const openObjects: string[] = [];
    for (const { method, path, operation } of operations()) {
      walk((operation as { requestBody?: unknown }).requestBody, (_key, value, at) => {
        const schema = value as { type?: string; properties?: object; additionalProperties?: unknown } | null;
        if (schema?.type === 'object' && schema.properties && schema.additionalProperties === undefined) openObjects.push(`${method} ${path}${at}`);
      });
    }
    expect(openObjects).toEqual([]);
  });

  test('shows no person: no telephone number, no mail address, in examples or elsewhere', () => {
    // Limits are JSON numbers; a telephone number is a string.
    const text = JSON.stringify(document, (_key, value: unknown) => (typeof value === 'number' ? null : value));
    expect(text.match(/(?<![\d-])\+?\d[\d -]{8,}\d(?![\d-])/g) ?? []).toEqual([]);
    expect(text.match(/[\w.+-]+@[\w-]+\.[\w.]+/g) ?? []).toEqual([]);
    const examples: string[] = [];
    walk(document, (key, value, path) => { if (/^examples?$/.test(key) && /name|phone|mobile|email|street|postcode|buyer|shipTo/i.test(path)) examples.push(`${path}: ${JSON.stringify(value)}`); });
    expect(examples).toEqual([]);
  });
});

import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { createApiKey, SCOPES } from '../../db/api-keys.ts';
import { createKnex } from '../../db/pool.ts';
import { createLogger } from '../../runtime/logger.ts';
import { World } from '../support/world.ts';

let world: World;
let app: FastifyInstance;
let authorization: string;
const LIMIT = 20_000;
const logged: string[] = [];

async function open(w: World): Promise<{ app: FastifyInstance; close(): Promise<void> }> {
  const knex = createKnex(w.database.url);
  const made = await buildApp({ store: w.store, knex, logger: createLogger('test', 'info', { write: (text) => { logged.push(text); } }), bodyLimit: LIMIT });
  return { app: made, close: async () => { await made.close(); await knex.destroy(); } };
}
let close: () => Promise<void>;
beforeAll(async () => {
  world = await World.create({ stock: 1000 });
  authorization = `Bearer ${(await createApiKey(world.store.pool, { name: 'all', scopes: SCOPES })).key}`;
  await world.store.network.reload();
  ({ app, close } = await open(world));
  await app.ready();
});
afterAll(async () => {
  await close();
  await world.close();
});

const call = (options: InjectOptions) => app.inject({ ...options, headers: { authorization, ...options.headers } });
const order = (changes: object = {}): string => JSON.stringify({ ...world.intake({ externalId: randomUUID() }), ...changes });
const post = (payload: string, type: string | undefined = 'application/json') => call({ method: 'POST', url: '/v1/orders', payload, headers: { 'content-type': type } });
const orders = async (): Promise<number> => (await world.one<{ n: number }>('select count(*)::int n from orders')).n;

/** Expects problem details and gives the parts that differ. */
function problem(response: Awaited<ReturnType<typeof call>>): { status: number; code: string; field: string | undefined; detail: string } {
  expect(response.headers['content-type']).toBe('application/problem+json');
  const body = response.json<Record<string, unknown>>();
  expect(body).toMatchObject({
    type: `/problems/${String(body['code'])}`, title: expect.any(String) as string, status: response.statusCode, detail: expect.any(String) as string,
    instance: expect.stringMatching(/^\/requests\/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/) as string,
  });
  return { status: response.statusCode, code: body['code'] as string, field: body['field'] as string | undefined, detail: body['detail'] as string };
}

describe('errors are problem details', () => {
  test.each<[string, string, string | undefined]>([
    ['broken JSON', '{"channel": ', undefined], ['no body', '', undefined], ['a prototype in disguise', '{"__proto__": {"admin": true}}', undefined],
    ['a constructor in disguise', '{"constructor": {"prototype": {"admin": true}}}', undefined],
  ])('%s: malformed', async (_what, payload, field) => {
    expect(problem(await post(payload))).toMatchObject({ status: 400, code: 'malformed', field });
  });

  test.each(['[]', 'null', '"text"', '7'])('%s in place of an object: invalid', async (payload) => {
    expect(problem(await post(payload))).toEqual({ status: 400, code: 'invalid', field: '/', detail: '/ must be object' });
  });

  test.each<[string, object, string, RegExp]>([
    ['an unknown field, named', { surprise: 1 }, '/surprise', /not known here/],
    ['an unknown field deep inside, named', { shipTo: { ...JSON.parse(JSON.stringify({ name: 'N', phone: '1', country: 'CN', province: 'P', city: 'C', street: 'S' })) as object, planet: 'x' } }, '/shipTo/planet', /not known here/],
    ['a missing field, named', { currency: undefined }, '/currency', /is missing/],
    ['a number as text', { lines: [{ sku: 'SKU-1', quantity: '1', unitPrice: 5 }] }, '/lines/0/quantity', /must be integer/],
    ['a fraction', { lines: [{ sku: 'SKU-1', quantity: 1.5, unitPrice: 5 }] }, '/lines/0/quantity', /must be integer/],
    ['text as a number', { externalId: 5 }, '/externalId', /must be string/],
    ['text as a truth', { lines: [{ sku: 'SKU-1', quantity: 1, unitPrice: 5, gift: 'true' }] }, '/lines/0/gift', /must be boolean/],
    ['null for a value', { freight: null }, '/freight', /must be integer/],
    ['one thing for a list', { lines: { sku: 'SKU-1', quantity: 1, unitPrice: 5 } }, '/lines', /must be array/],
    ['no line', { lines: [] }, '/lines', /fewer than 1/],
    ['a negative price', { lines: [{ sku: 'SKU-1', quantity: 1, unitPrice: -1 }] }, '/lines/0/unitPrice', />= 0/],
    ['a word that is not in the list', { payment: { status: 'maybe' } }, '/payment/status', /must be one of \["unpaid","deposit","paid",/],
    ['a date that is none', { orderedAt: 'yesterday' }, '/orderedAt', /date-time/],
    ['NUL in text', { externalId: 'a\u0000b' }, '/externalId', /pattern/],
    ['NUL deep inside', { buyerRemark: '\u0000' }, '/buyerRemark', /pattern/],
    ['half of a surrogate pair, which no database can hold', { externalId: 'a\ud800b' }, '/externalId', /pattern/],
    ['the other half', { discounts: [{ bearer: 'shop', code: '\udc00', amount: 1 }] }, '/discounts/0/code', /pattern/],
  ])('%s', async (_what, changes, field, detail) => {
    const before = await orders();
    expect(problem(await post(order(changes)))).toEqual({ status: 400, code: 'invalid', field, detail: expect.stringMatching(detail) as string });
    expect(await orders()).toBe(before);
  });

  test('whole pairs and all scripts are text', async () => {
    const response = await post(order({ externalId: `订单-😀-${randomUUID()}`, buyerRemark: '𠮷野家 \u0001 ' }));
    expect(response.statusCode).toBe(201);
    expect(response.json<{ externalId: string }>().externalId).toMatch(/^订单-😀-/);
  });

  test('a body over the limit', async () => {
    expect(problem(await post(`{"a":"${'x'.repeat(LIMIT)}"}`))).toMatchObject({ status: 413, code: 'body_too_large', detail: expect.stringContaining('/v1/orders/import') as string });
  });

  test.each([['GET', '/nope'], ['GET', '/v1/nothing/'], ['PUT', '/v1/orders'], ['POST', '/healthz'], ['DELETE', '/']] as const)('%s %s: nothing there', async (method, url) => {
    expect(problem(await call({ method, url }))).toMatchObject({ status: 404, code: 'not_found', detail: `${method} ${url} is not there; /docs lists what is` });
  });

  test('the address of a thing that is not there shows nothing of what was asked for', async () => {
    expect((await call({ method: 'GET', url: '/nope?phone=13800000000' })).body).not.toContain('13800000000');
  });

  test('a URL that cannot be read', async () => {
    expect(problem(await call({ method: 'GET', url: '/v1/partners/%zz' }))).toMatchObject({ status: 400, code: 'malformed' });
  });

  test('what goes wrong inside shows nothing of the inside, and is logged under the id that the answer gives', async () => {
    const { capture } = world.store;
    Object.assign(world.store, { capture: { submit: () => Promise.reject(new Error('secret table of the inside')) } });
    const response = await post(order());
    Object.assign(world.store, { capture });
    expect(problem(response)).toEqual({ status: 500, code: 'internal', field: undefined, detail: 'the request failed here; the request id finds it in the log' });
    const id = response.json<{ instance: string }>().instance.slice('/requests/'.length);
    expect(logged.filter((l) => l.includes('secret table') && l.includes(id))).toHaveLength(1);
  });

  test('a database that is away: 503, come again', async () => {
    const { capture } = world.store;
    Object.assign(world.store, { capture: { submit: () => Promise.reject(Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' })) } });
    const response = await post(order());
    Object.assign(world.store, { capture });
    expect(problem(response)).toMatchObject({ status: 503, code: 'unavailable' });
    expect([response.headers['retry-after'], response.body.includes('5432')]).toEqual(['2', false]);
  });
});

describe('content types', () => {
  const good = ['application/json', 'APPLICATION/JSON; charset=utf-8', 'application/json;charset=utf-8', 'application/json;', 'application/json\t', ' application/json', 'application/json ; charset=utf-8'];
  test.each(good)('%j is JSON, and is checked like all JSON', async (type) => {
    const before = await orders();
    expect(problem(await post('{"nonsense": 1}', type))).toMatchObject({ status: 400, code: 'invalid' });
    expect(problem(await post(order({ surprise: 1 }), type))).toMatchObject({ status: 400, field: '/surprise' });
    expect(await orders()).toBe(before);
    expect((await post(order(), type)).statusCode).toBe(201);
  });

  test.each(['text/plain', 'TEXT/PLAIN; charset=utf-8', 'text/html', 'application/jsonx', 'application/json, text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/x-ndjson', 'json', '*/*', ''])(
    '%j is not taken', async (type) => {
      const before = await orders();
      expect(problem(await post(order(), type))).toMatchObject({ status: 415, code: 'unsupported_media_type', field: '/headers/Content-Type' });
      expect(await orders()).toBe(before);
    });

  test('over a real socket too, where the parser has its own idea of blanks', async () => {
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    const send = (type: string, body: string) => new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest({ port, host: '127.0.0.1', method: 'POST', path: '/v1/orders', headers: { authorization, 'content-type': type, 'content-length': Buffer.byteLength(body) } }, (response) => {
        response.resume().on('end', () => { resolve(response.statusCode); });
      });
      request.on('error', reject).end(body);
    });
    for (const type of ['application/json\t', ' application/json', 'application/json']) expect([type, await send(type, '{"nonsense": 1}'), await send(type, order())]).toEqual([type, 400, 201]);
    expect(await send('text/plain', order())).toBe(415);
  });
});

describe('for those who run it', () => {
  test('healthz, readyz and metrics need no key', async () => {
    expect((await app.inject('/healthz')).json()).toEqual({ status: 'ok' });
    expect((await app.inject('/readyz')).json()).toEqual({ status: 'ready' });
    const metrics = await app.inject('/metrics');
    expect([metrics.statusCode, metrics.headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    const outbox = (await world.one<{ n: number }>('select count(*)::int n from outbox')).n;
    expect(metrics.body).toContain(`\ntributary_outbox_rows ${outbox}\n`);
    expect(metrics.body).toMatch(/\ntributary_projection_age_seconds \d/);
    expect(metrics.body).toMatch(/tributary_http_request_seconds_count\{method="POST",route="\/v1\/orders",status="201"\} \d/);
    // Routes, not addresses: what somebody typed makes no series of its own.
    expect(metrics.body).not.toContain('nope');
  });

  test('without a database: alive, not ready, and the metrics go on', async () => {
    const lost = await World.create();
    const opened = await open(lost);
    await lost.database.drop();
    expect((await opened.app.inject('/healthz')).statusCode).toBe(200);
    const ready = await opened.app.inject('/readyz');
    expect([ready.statusCode, ready.json<{ status: string }>().status]).toEqual([503, 'not ready']);
    const metrics = await opened.app.inject('/metrics');
    expect([metrics.statusCode, metrics.body.includes('tributary_outbox_rows Nan')]).toEqual([200, true]);
    await opened.close();
    await lost.store.close();
  });
});

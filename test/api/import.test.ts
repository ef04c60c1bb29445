import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { createApiKey } from '../../db/api-keys.ts';
import { createKnex } from '../../db/pool.ts';
import { createLogger } from '../../runtime/logger.ts';
import { World } from '../support/world.ts';

let world: World;
let app: FastifyInstance;
let key: string;
const knexes: { destroy(): Promise<void> }[] = [];
beforeAll(async () => {
  world = await World.create({ stock: 10_000 });
  const knex = createKnex(world.database.url);
  knexes.push(knex);
  key = (await createApiKey(world.store.pool, { name: 'import', scopes: ['orders:write'] })).key;
  await world.store.network.reload();
  app = await buildApp({ store: world.store, knex, logger: createLogger('test', 'silent') });
});
afterAll(async () => {
  await app.close();
  for (const knex of knexes) await knex.destroy();
  await world.close();
});

async function send(type: string, payload: string): Promise<Record<string, unknown>[]> {
  const response = await app.inject({ method: 'POST', url: '/v1/orders/import', headers: { authorization: `Bearer ${key}`, 'content-type': type }, payload });
  expect(response.statusCode).toBe(200);
  return response.body.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('NDJSON: good lines are captured, each bad one is reported with its number and field', async () => {
  const order = (changes: object = {}) => JSON.stringify({ ...world.intake({ externalId: randomUUID() }), ...changes });
  const first = order();
  const lines = [first, '', 'no json', order({ lines: [] }), order({ channel: 'nowhere' }), order({ lines: [{ sku: 'SKU-1', quantity: -1, unitPrice: 1 }] }), first, order()];
  const said = await send('application/x-ndjson', lines.join('\n'));
  const errors = said.filter((m) => m['type'] === 'error').sort((a, b) => Number(a['line']) - Number(b['line']));
  expect(errors.map((e) => [e['line'], e['code'], e['field'] ?? null])).toEqual([
    [3, 'malformed', null], [4, 'invalid', '/lines'], [5, 'unknown_channel', '/channel'], [6, 'invalid', '/lines/0/quantity'],
  ]);
  expect(said.at(-1)).toEqual({ type: 'summary', lines: 7, orders: 7, captured: 2, repeated: 1, failed: 4 });
});

test('CSV: rows of one order are one order; a broken row is reported, the others go on', async () => {
  const head = 'channel,externalId,currency,name,phone,country,province,city,street,sku,quantity,unitPrice';
  const id = randomUUID();
  const row = (external: string, sku: string, quantity = '1') => `own,${external},CNY,Test Person,10000000001,CN,Shanghai,Shanghai,1 Example Road,${sku},${quantity},1000`;
  const said = await send('text/csv', [head, row(id, 'SKU-1'), row(id, 'SKU-2'), 'own,"broken', row(randomUUID(), 'SKU-1', 'two'), row(randomUUID(), 'SKU-3')].join('\n'));
  const summary = said.at(-1) as Record<string, number>;
  expect(summary['captured'] as number + (summary['failed'] as number)).toBe(summary['orders']);
  const { rows } = await world.store.pool.query<{ n: number }>('select count(*) n from order_lines l join orders o on o.id = l.order_id where o.external_id = $1', [id]);
  expect(rows[0]?.n).toBe(2);
});

test('another content type is refused and nothing is written', async () => {
  const before = (await world.store.pool.query<{ n: number }>('select count(*) n from orders')).rows[0]?.n;
  const response = await app.inject({ method: 'POST', url: '/v1/orders/import', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, payload: '{}' });
  expect(response.statusCode).toBe(415);
  expect((await world.store.pool.query<{ n: number }>('select count(*) n from orders')).rows[0]?.n).toBe(before);
});

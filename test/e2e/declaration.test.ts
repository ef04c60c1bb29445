import { afterAll, beforeAll, expect, test } from 'vitest';
import { runAudit } from '../../db/audit/run-audit.ts';
import type { BurnDown } from '../../db/declarations/burn-down.ts';
import { encodeId } from '../../domain/ids.ts';
import { declarationWorkflowId } from '../../workflows/contract/ids.ts';
import { createKnex } from '../../db/pool.ts';
import { createApiKey } from '../../db/api-keys.ts';
import { buildApp } from '../../api/app.ts';
import { createLogger } from '../../runtime/logger.ts';
import { MINUTE, Scene } from '../support/scene.ts';
import { VAULT_KEY } from '../support/world.ts';
import { openStore, type Store } from '../../db/store.ts';

/** The seed case: 600 refrigerators in each of five shops, 2,000 in the online warehouse. */
const SHOPS = 5;
const FRIDGE = 'SKU-1';
const SOLD = 4_500;
const BUYERS = 50;

type App = Awaited<ReturnType<typeof buildApp>>;
let s: Scene;
let second: Store;
const apps: App[] = [];
let key: string;
const knexes: ReturnType<typeof createKnex>[] = [];

beforeAll(async () => {
  s = await Scene.open({ locations: 6, skus: 1, stock: 0 });
  const { store, database } = s.world;
  // Two API processes sell the same units: each has its own writer, projection and network.
  second = await openStore({ url: database.url, vaultKey: VAULT_KEY, clock: () => s.world.now, refreshMs: 50 });
  key = (await createApiKey(store.pool, { name: 'e2e', scopes: ['stock:read', 'stock:write', 'orders:write', 'orders:read'] })).key;
  for (const of of [store, second]) {
    await of.network.reload();
    const knex = createKnex(database.url);
    knexes.push(knex);
    apps.push(await buildApp({ store: of, knex, logger: createLogger('test', 'silent') }));
  }
});
afterAll(async () => {
  for (const app of apps) await app.close();
  for (const knex of knexes) await knex.destroy();
  await second.close();
  await s.close();
});

async function call<T>(method: 'GET' | 'POST', url: string, body?: object, app: App | undefined = apps[0]): Promise<{ status: number; body: T }> {
  if (!app) throw new Error('no API');
  const answer = await app.inject({ method, url, headers: { authorization: `Bearer ${key}` }, ...(body === undefined ? {} : { payload: body }) });
  return { status: answer.statusCode, body: answer.json<T>() };
}
const shops = Array.from({ length: SHOPS }, (_, i) => `L-${i + 1}`);
const session = async (): Promise<BurnDown['lines'][number] & { status: string; report: unknown }> => {
  const { body } = await call<BurnDown & { report: unknown }>('GET', '/v1/declarations/FRIDGES');
  return { ...body.lines[0]!, status: body.status, report: body.report };
};

test('5,000 declared, 4,500 sold by concurrent buyers within the show, 0 oversold, 500 released, everything audited', async () => {
  const { world } = s;
  await s.sync();
  await world.setStock(FRIDGE, { ...Object.fromEntries(shops.map((shop) => [shop, 600])), 'L-6': 2_000 });
  const at = (minutes: number): string => new Date(world.now.getTime() + minutes * MINUTE).toISOString();
  const declared = await call<{ firm: number; soft: number }>('POST', '/v1/declarations', {
    code: 'FRIDGES', kind: 'live_stream', partner: 'STREAMER-1', channel: 'own', startsAt: at(5), endsAt: at(125),
    lines: [{ sku: FRIDGE, sources: [...shops.map((location) => ({ location, units: 600 })), { location: 'L-6', units: 2_000 }] }],
  });
  expect([declared.status, declared.body]).toMatchObject([201, { firm: 5_000, soft: 0 }]);
  const { id } = await world.one<{ id: string }>(`select id from declarations where code = 'FRIDGES'`);
  const workflowId = declarationWorkflowId(encodeId('dec', id));
  await s.settleWorkflow(workflowId);
  await s.skip(6 * MINUTE);
  await s.settleWorkflow(workflowId);
  expect(await session()).toMatchObject({ status: 'live', declared: 5_000, free: 5_000, firm: 5_000 });
  // Nobody else can buy them.
  expect((await call('POST', '/v1/orders', world.intake({ lines: [{ sku: FRIDGE, quantity: 1, unitPrice: 299_900 }] }))).status).toBe(409);
  await second.network.reload();
  await second.projection.refresh();

  let next = 0;
  const refused: unknown[] = [];
  const buyer = async (n: number): Promise<void> => {
    while (next < SOLD) {
      const i = next++;
      const order = world.intake({ externalId: `show-${i}`, session: 'FRIDGES', freight: 0, lines: [{ sku: FRIDGE, quantity: 1, unitPrice: 299_900 }] });
      const answer = await call('POST', '/v1/orders', order, apps[n % 2]);
      if (answer.status !== 201) refused.push(answer);
    }
  };
  await Promise.all(Array.from({ length: BUYERS }, (_, n) => buyer(n)));
  expect(refused).toEqual([]);
  expect(await session()).toMatchObject({ declared: 5_000, sold: SOLD, reserved: SOLD, free: 500, oversold: 0, beyond: 0, short: 0 });
  // A buyer whose answer got lost asks again: the same order, no second refrigerator.
  expect((await call('POST', '/v1/orders', world.intake({ externalId: 'show-0', session: 'FRIDGES', freight: 0, lines: [{ sku: FRIDGE, quantity: 1, unitPrice: 299_900 }] }))).status).toBe(200);
  expect(await session()).toMatchObject({ sold: SOLD, free: 500 });

  // The orders' own workflows are not this test's subject: 4,500 of them would be waited for.
  await world.store.pool.query('delete from outbox where order_id is not null');
  await s.skip(120 * MINUTE);
  await s.settleWorkflow(workflowId);
  const ended = await session();
  expect(ended).toMatchObject({ status: 'settled', free: 0, released: 500, sold: SOLD, oversold: 0 });
  expect(ended.report).toMatchObject({ code: 'FRIDGES', late: false, totals: { declared: 5_000, toppedUp: 0, givenBack: 0, sold: SOLD, cancelled: 0, returned: 0, released: 500, oversold: 0, free: 0 } });
  expect(await world.one(`select sum(on_hand - reserved) filter (where allotment_id = 0)::int home, sum(reserved)::int reserved, sum(on_hand)::int on_hand,
    (sum(on_hand - reserved) filter (where allotment_id <> 0))::int stranded from stock_levels`)).toEqual({ home: 500, reserved: SOLD, on_hand: 5_000, stranded: 0 });
  expect((await call('POST', '/v1/orders', world.intake({ session: 'FRIDGES', lines: [{ sku: FRIDGE, quantity: 1, unitPrice: 299_900 }] }))).status).toBe(422);
  // Home again, they can be bought by anybody.
  expect((await call('POST', '/v1/orders', world.intake({ lines: [{ sku: FRIDGE, quantity: 1, unitPrice: 299_900 }] }))).status).toBe(201);
  expect((await runAudit(world.store.pool, { now: world.now })).violations).toEqual([]);
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
}, 180_000);

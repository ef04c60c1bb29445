import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { readDecisions } from '../../../db/routing/decisions.ts';
import { decodeId } from '../../../domain/ids.ts';
import { planOrder } from '../../../domain/routing/plan.ts';
import { TestApi } from '../../support/api.ts';
import { startNode } from '../../support/processes.ts';

let api: TestApi;
let admin: string;
let skus = 0;
beforeAll(async () => {
  api = await TestApi.open({ locations: 4, stock: 0, skus: 30 });
  admin = await api.key('admin', SCOPES);
});
afterEach(async () => { expect((await runAudit(api.world.store.pool)).violations).toEqual([]); });
afterAll(async () => { await api.close(); });

async function stocked(at: Record<string, number>): Promise<string> {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, at);
  await api.world.store.projection.refresh();
  return sku;
}
const line = (sku: string, quantity = 1) => ({ sku, quantity, unitPrice: 1000 });
type Routing = { decisions: { outcome: string; policyHash: string; words: string[]; plan: ReturnType<typeof planOrder> }[] };
const routing = async (id: string, key = admin) => (await api.call(key, 'GET', `/v1/orders/${id}/routing`)).body as unknown as Routing;
async function routed(lines: object[]): Promise<string> {
  const { id } = await api.world.capture({ channel: 'douyin', lines: lines as never });
  await api.advance(id, 'ship');
  return id;
}

test('the decision is kept with its policy, costs, and every location that was not chosen, and told in words', async () => {
  const [a, b] = [await stocked({ 'L-1': 1, 'L-2': 5 }), await stocked({ 'L-2': 5, 'L-3': 1 })];
  const id = await routed([line(a), line(b)]);
  const { decisions } = await routing(id);
  expect(decisions).toHaveLength(1);
  const [{ plan, words, policyHash, outcome }] = decisions as [Routing['decisions'][number]];
  expect([outcome, plan.policy, plan.optimal, plan.shipments.map((s) => s.location), plan.rejected.map((r) => r.location).toSorted()]).toEqual(['routed', { code: 'default', version: 1 }, true, ['L-2'], ['L-1', 'L-3']]);
  expect(policyHash).toBe(api.world.store.network.policyAt(api.world.now).hash.toString('hex'));
  expect(words[0]).toMatch(/^Policy default, version 1: L-2 has all lines/);
  expect(words.filter((w) => w.startsWith('Not ')).map((w) => w.split(':')[0]).toSorted()).toEqual(['Not L-1', 'Not L-3']);
  expect((await api.world.fulfillments(id)).map((f) => f.locationId)).toEqual([api.world.locationId('L-2')]);
});

test('decided again from what it was made from, it is the same to the byte, whatever has changed since', async () => {
  const [a, b] = [await stocked({ 'L-1': 2 }), await stocked({ 'L-3': 2 })];
  const id = await routed([line(a, 2), line(b)]);
  await api.world.setStock(a, { 'L-4': 50 });
  await api.world.store.pool.query(`update carrier_rates set first_cost = first_cost * 3`);
  const [decision] = await readDecisions(api.world.store.pool, decodeId('ord', id) as string);
  expect(JSON.stringify(planOrder(decision!.instance))).toBe(decision!.planText);
  const run = startNode('bin/route.ts', { args: ['--order', id], env: { DATABASE_URL: api.world.database.url } });
  expect([(await run.exited).code, run.output()]).toEqual([0, expect.stringMatching(/the same as was decided at .*, to the byte/)]);
  await api.world.store.pool.query('update carrier_rates set first_cost = first_cost / 3');
});

test('what nobody can serve is held with the reason, and that decision is kept, too', async () => {
  const sku = await stocked({ 'L-1': 2 });
  const { id } = await api.world.capture({ channel: 'douyin', lines: [line(sku, 2)] as never });
  await api.advance(id, 'route');
  await api.world.store.pool.query('update locations set active = false where code = $1', ['L-1']);
  await api.world.store.network.reload();
  await api.advance(id);
  await api.world.store.pool.query('update locations set active = true where code = $1', ['L-1']);
  await api.world.store.network.reload();
  const [{ outcome, plan, words }] = (await routing(id)).decisions as [Routing['decisions'][number]];
  expect([outcome, plan.shipments, plan.rejected]).toEqual(['unroutable', [], [{ location: 'L-1', reason: 'takes nothing now' }]]);
  expect(words.at(-1)).toBe('Not L-1: takes nothing now.');
  expect((await api.call(admin, 'GET', `/v1/orders/${id}`)).body).toMatchObject({ status: 'on_hold', holdReason: 'unroutable' });
});

test('a capacity is kept (two units were given to it above); a new policy rules the next order', async () => {
  const sku = await stocked({ 'L-1': 9, 'L-2': 9 });
  await api.world.store.pool.query(`update locations set daily_capacity = 5 where code = 'L-1'`);
  await api.world.store.network.reload();
  const near = await routed([line(sku, 3)]);
  const far = await routed([line(sku, 3)]);
  expect(await Promise.all([near, far].map(async (id) => (await routing(id)).decisions[0]?.plan.shipments.map((s) => s.location)))).toEqual([['L-1'], ['L-2']]);
  await api.world.store.pool.query(`update locations set daily_capacity = null where code = 'L-1'`);
  const { policy } = api.world.store.network.policyAt(api.world.now);
  await api.call(admin, 'POST', '/v1/routing/policies', { policy: { ...policy, code: 'late', version: 1, maxShipments: 1 } });
  await api.call(admin, 'POST', '/v1/routing/policies/late/1/activate');
  const next = await routed([line(sku)]);
  expect((await routing(next)).decisions[0]?.plan.policy).toEqual({ code: 'late', version: 1 });
});

test('another location\'s order is as if it did not exist', async () => {
  const sku = await stocked({ 'L-1': 1 });
  const id = await routed([line(sku)]);
  expect((await api.call(await api.key('mine', ['orders:read'], 'L-1'), 'GET', `/v1/orders/${id}/routing`)).status).toBe(200);
  expect((await api.call(await api.key('theirs', ['orders:read'], 'L-3'), 'GET', `/v1/orders/${id}/routing`)).status).toBe(404);
});

test('slow stock is cleared first, from where it would not sell by itself; without the alert the nearest has it', async () => {
  const sku = await stocked({ 'L-1': 9, 'L-2': 9 });
  const plain = await routed([line(sku)]);
  const { pool } = api.world.store;
  const [here] = (await routing(plain)).decisions[0]!.plan.shipments;
  const other = here?.location === 'L-1' ? 'L-2' : 'L-1';
  await pool.query(`insert into slow_mover_alerts (id, subject, kind, sku_id, status, severity, money_at_risk, triggers, figures, opened_at, seen_at)
    select gen_random_uuid(), 'sku:' || code, 'sku', id, 'open', 'high', 1800000, '[]', '{"onHand": 17, "coming": 1, "daysLeft": 30}', now(), now() from skus where code = $1`, [sku]);
  // The nearest sells its own: only the other one's are left over.
  await pool.query('insert into sales_rates (location_id, sku_id, units) select $1, id, 28 from skus where code = $2', [api.world.locationId(here?.location ?? ''), sku]);
  const id = await routed([line(sku)]);
  const [{ plan }] = (await routing(id)).decisions as [Routing['decisions'][number]];
  expect(plan.shipments).toMatchObject([{ location: other, terms: { slowCredit: -100_000 } }]);
  await pool.query(`update slow_mover_alerts set status = 'closed', closed_at = now()`);
  expect((await routing(await routed([line(sku)]))).decisions[0]!.plan.shipments).toMatchObject([{ location: here?.location, terms: { slowCredit: 0 } }]);
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { carryOut } from '../../../db/replenishment/carry-out.ts';
import { scopeStep } from '../../../db/replenishment/due.ts';
import { keepForecasts, markForecast, nextForecastSet } from '../../../db/replenishment/forecasts.ts';
import { runPlan } from '../../../db/replenishment/run-plan.ts';
import { readScope, tendReplenishment } from '../../../db/replenishment/scopes.ts';
import { planScope } from '../../../domain/replenishment/scope-plan.ts';
import type { ScopeInput, ScopePlan } from '../../../domain/replenishment/scope-model.ts';
import { forecastWeeks } from '../../../domain/replenishment/weekly-forecast.ts';
import { TestApi } from '../../support/api.ts';
import { followDemand } from '../../support/demand.ts';
import { refused, send } from '../network/requests.ts';

const DAY = 86_400_000;
const POLICY = {
  service: { kind: 'cycle', share: 0.95 }, reviewDays: 7, leadDays: 3, nearDays: 2, mostOverLevel: 4, budget: null as { amount: number; days: number } | null, approve: { transferUnits: 1000, purchaseCost: 0, sendPurchases: false },
};
let api: TestApi;
let key: string;
let bound: string;
let n = 0;
beforeAll(async () => {
  api = await TestApi.open({ skus: 40, stock: 0 });
  key = await api.key('planner', ['stock:read', 'stock:write', 'network:read', 'network:write']);
  bound = await api.key('shop', ['stock:read', 'network:write'], 'L-1');
  expect((await put('/v1/replenishment/lanes', { lanes: [{ from: 'L-2', to: 'L-1', perUnit: 10, days: 1 }, { from: 'L-2', to: 'L-3', perUnit: 10, days: 1 }] })).status).toBe(200);
  expect((await put('/v1/replenishment/scopes/all', { locations: ['L-1', 'L-2', 'L-3'], policy: POLICY })).status).toBe(200);
});
afterAll(async () => {
  expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  await api.close();
});

const sku = (): string => `SKU-${++n}`;
const put = (url: string, body: object, by = key) => send(api, by, 'PUT', url, body);
const get = (url: string, by = key) => send(api, by, 'GET', url);
const stock = (code: string, at: Record<string, number>) => api.world.setStock(code, { 'L-1': 0, 'L-2': 0, 'L-3': 0, ...at });
const rules = (code: string, reorderPoint: number, level: number, at = 'L-1') => put(`/v1/locations/${at}/reorder-rules`, { rules: [{ sku: code, reorderPoint, level }] });
const plan = (cause: 'cadence' | 'wake' | 'manual' = 'wake', planned: (input: ScopeInput) => Promise<ScopePlan> = (input) => Promise.resolve(planScope(input))) => runPlan(api.world.store.writer, 'all', cause, planned);
const carry = () => carryOut(api.world.store.writer, api.world.store.network, 'all');
type Proposal = { id: string; kind: string; status: string; from: string | null; to: string; vendor: string | null; transfer: string | null; purchase: string | null; problem: string | null; lines: { sku: string; units: number; why: { to: Record<string, unknown> } }[] };
const proposals = async (code: string) => (await get(`/v1/replenishment/proposals?sku=${code}`)).body['items'] as Proposal[];
const short = async (code: string) => (await proposals(code)).map((p) => `${p.kind} ${p.from ?? p.vendor ?? ''}>${p.to} ${p.lines[0]?.units ?? 0} ${p.status}`);

test('a level that falls to its reorder point is dirty in the transaction of the sale, with one wake; above it, or with no point, nothing', async () => {
  const code = sku();
  await stock(code, { 'L-1': 7 });
  await rules(code, 5, 20);
  await api.world.store.pool.query('delete from replenishment_dirty');
  await api.world.store.pool.query('delete from outbox');
  const state = () => api.world.one<{ dirty: number; wakes: number }>(`select (select count(*)::int from replenishment_dirty) dirty, (select count(*)::int from outbox where workflow_id = 'replenishment/all') wakes`);
  const sell = (quantity: number) => api.world.capture({ lines: [{ sku: code, quantity, unitPrice: 1000 }] });
  await sell(1);
  expect(await state()).toEqual({ dirty: 0, wakes: 0 });
  await sell(1);
  expect(await state()).toEqual({ dirty: 1, wakes: 1 });
  await sell(1);
  expect(await state()).toEqual({ dirty: 1, wakes: 1 });
  // A wake that was taken before its transaction was over: asked again.
  await api.world.store.pool.query('delete from outbox');
  await api.world.store.pool.query(`update replenishment_dirty set at = now() - interval '1 minute'`);
  expect([await tendReplenishment(api.world.store.writer), await tendReplenishment(api.world.store.writer)]).toEqual([1, 0]);
  expect(await state()).toEqual({ dirty: 1, wakes: 1 });
});

test('planned twice at once and killed before it was carried out: moved once, with the reason', async () => {
  const code = sku();
  await stock(code, { 'L-1': 5, 'L-2': 40 });
  await rules(code, 5, 20);
  await Promise.all([plan(), plan(), plan('manual')]);
  expect(await short(code)).toEqual(['transfer L-2>L-1 15 planned']);
  // Killed here; others plan meanwhile.
  await plan('manual');
  expect((await short(code)).length).toBe(1);
  await Promise.all([carry(), carry()]);
  await carry();
  await plan('manual');
  await carry();
  expect(await short(code)).toEqual(['transfer L-2>L-1 15 done']);
  const [p] = await proposals(code);
  expect(p?.lines[0]?.why.to).toMatchObject({ basis: 'rule', position: 5, free: 5, level: 20, reorderPoint: 5 });
  expect((await get(`/v1/replenishment/proposals/${p?.id ?? ''}`)).body['transfer']).toBe(p?.transfer);
  const { n: made } = await api.world.one<{ n: number }>('select count(*)::int n from transfers t join transfer_lines l on l.transfer_id = t.id join skus k on k.id = l.sku_id where k.code = $1', code);
  expect(made).toBe(1);
});

test('a plan made from a state that is gone is not written: it is made again', async () => {
  const code = sku();
  await stock(code, { 'L-1': 0, 'L-2': 40 });
  await rules(code, 5, 20);
  let first = true;
  await plan('wake', async (input) => {
    if (first) {
      first = false;
      await plan('manual');
    }
    return planScope(input);
  });
  expect(await short(code)).toEqual(['transfer L-2>L-1 20 planned']);
  await carry();
});

test('sold before it could be moved: said, and planned again on what there is', async () => {
  const code = sku();
  await stock(code, { 'L-1': 0, 'L-2': 20 });
  await rules(code, 5, 20);
  await plan();
  await stock(code, { 'L-2': 8 });
  expect(await carry()).toMatchObject({ failed: 1 });
  expect((await proposals(code))[0]?.problem).toContain('insufficient_stock');
  await plan();
  await carry();
  expect(await short(code)).toEqual(['transfer L-2>L-1 8 done', 'transfer L-2>L-1 20 failed']);
});

test('a short source is shared; who cannot buy is bought for by who feeds it', async () => {
  const code = sku();
  await stock(code, { 'L-2': 10 });
  await rules(code, 2, 10, 'L-1');
  await rules(code, 2, 10, 'L-3');
  await put('/v1/vendors/V-1', { name: 'Mill', leadDays: 6, terms: [{ sku: code, location: 'L-2', unitCost: 200, pack: 4, minimum: 8 }] });
  await plan('manual');
  expect((await short(code)).sort()).toEqual(['purchase V-1>L-2 12 planned', 'transfer L-2>L-1 5 planned', 'transfer L-2>L-3 5 planned']);
  await carry();
  const sites = (await get(`/v1/replenishment/sites?sku=${code}&unmet=true`)).body['items'] as { location: string; unmet: number; unmetReason: string }[];
  expect(sites.map((s) => [s.location, s.unmet, s.unmetReason])).toEqual([['L-1', 5, 'source_short'], ['L-3', 5, 'source_short']]);
  const purchase = (await proposals(code)).find((p) => p.kind === 'purchase')?.purchase ?? '';
  expect((await get(`/v1/purchase-orders/${purchase}`)).body).toMatchObject({ status: 'proposed', vendor: 'V-1', location: 'L-2', units: 12, cost: 2400 });
  await plan('manual');
  await carry();
  expect((await short(code)).length).toBe(3);
});

test('the budget is for its days: what was ordered in them is not ordered again', async () => {
  const code = sku();
  await put('/v1/replenishment/scopes/all', { locations: ['L-1', 'L-2', 'L-3'], policy: { ...POLICY, budget: { amount: 5000, days: 30 } } });
  await stock(code, {});
  await put('/v1/vendors/V-2', { name: 'Loom', leadDays: 6, terms: [{ sku: code, unitCost: 100, pack: 10, minimum: 0 }] });
  await rules(code, 5, 100);
  await plan('manual');
  await carry();
  const { body } = await get(`/v1/replenishment/sites?sku=${code}&location=L-1`);
  expect((body['items'] as { unmet: number; unmetReason: string }[]).map((s) => [s.unmet, s.unmetReason])).toEqual([[80, 'budget']]);
  await plan('manual');
  await carry();
  // 2,400 were proposed by the test above, in these days too.
  expect(await short(code)).toEqual(['purchase V-2>L-1 20 done']);
  await put('/v1/replenishment/scopes/all', { locations: ['L-1', 'L-2', 'L-3'], policy: POLICY });
});

test('weekly forecasts from demand: chosen by back-test, kept with quantiles, not made twice; levels follow', async () => {
  const code = sku();
  await stock(code, { 'L-1': 900 });
  const now = api.world.now.getTime();
  for (let week = 12; week >= 1; week--) {
    await api.world.capture({ channel: 'own', orderedAt: new Date(now - week * 7 * DAY).toISOString(), lines: [{ sku: code, quantity: 10 + (week % 3), unitPrice: 1000 }] });
  }
  await followDemand(api.world.store.pool, api.world.now);
  const { writer, pool } = api.world.store;
  const step = await scopeStep(writer, 'all');
  expect(step).toEqual({ do: 'forecast', week: '2026-11-23' });
  for (let i = 0; ; i++) {
    const scope = (await readScope(pool, 'all'))!;
    const set = await nextForecastSet(pool, scope, '2026-11-23', api.world.now);
    if (!set) { await markForecast(writer, scope, '2026-11-23'); break; }
    await keepForecasts(writer, set, forecastWeeks(set.series), '2026-11-23');
    expect(i).toBeLessThan(3);
  }
  const [forecast] = (await get(`/v1/forecasts?sku=${code}&location=L-1`)).body['items'] as { method: string; mean: number; weeks: { quantiles: number[] }[]; backtest: { origins: number } }[];
  expect(forecast?.weeks.length).toBe(4);
  expect(forecast?.backtest.origins).toBeGreaterThan(0);
  expect(Math.abs((forecast?.mean ?? 0) - 11)).toBeLessThan(1.5);
  const quantiles = forecast?.weeks[0]?.quantiles ?? [];
  expect(quantiles).toEqual(quantiles.toSorted((a, b) => a - b));
  await plan('manual');
  const [site] = (await get(`/v1/replenishment/sites?sku=${code}&location=L-1`)).body['items'] as { facts: Record<string, number> }[];
  expect(site?.facts).toMatchObject({ basis: 'forecast', leadDays: 1 });
  expect(site?.facts['level']).toBeGreaterThanOrEqual(11);
  const { point } = await api.world.one<{ point: number }>(`select reorder_point point from stock_levels v join skus k on k.id = v.sku_id where k.code = $1 and v.location_id = $2 and v.supply_id = 0`, code, api.world.locationId('L-1'));
  expect(point).toBe(site?.facts['reorderPoint']);
  expect(await scopeStep(writer, 'all')).toMatchObject({ do: 'wait' });
  // Too few series for levels of all together: each by itself, also when it is one SKU that fell.
  await put('/v1/replenishment/scopes/all', { locations: ['L-1', 'L-2', 'L-3'], policy: { ...POLICY, service: { kind: 'fill', share: 0.95, together: true } } });
  expect(await plan('manual')).not.toBeNull();
  await stock(code, { 'L-1': 133 }); // 132 of them are reserved
  expect(await plan('wake')).not.toBeNull();
  const [fallen] = (await get(`/v1/replenishment/sites?sku=${code}&location=L-1`)).body['items'] as { facts: Record<string, unknown> }[];
  expect(fallen?.facts).toMatchObject({ basis: 'forecast', free: 1 });
});

test.each([
  ['scopes/x', { locations: ['L-1'], policy: POLICY }, 409, '/locations'], ['scopes/x', { locations: ['NONE'], policy: POLICY }, 422, '/locations/0'],
  ['scopes/x', { locations: ['L-1'], policy: { ...POLICY, leadDays: -1 } }, 400, '/policy/leadDays'], ['scopes/x', { locations: ['L-1'], policy: { ...POLICY, service: { kind: 'fill', share: 1 } } }, 400, '/policy/service/share'],
  ['scopes/x', { locations: ['L-1'], policy: { ...POLICY, service: { kind: 'cycle', share: 0.9, together: true } } }, 422, '/policy/service/together'],
  ['lanes', { lanes: [{ from: 'L-1', to: 'L-1', perUnit: 1, days: 1 }] }, 422, '/lanes/0/to'], ['lanes', { lanes: [{ from: 'L-1', to: 'L-2', perUnit: 1, days: -1 }] }, 400, '/lanes/0/days'],
])('PUT %s: refused, nothing changed', async (url, body, status, field) => {
  await refused(api, () => put(`/v1/replenishment/${url}`, body), status, status === 400 ? 'invalid' : status === 409 ? 'conflict' : field.startsWith('/locations') ? 'unknown_location' : 'unprocessable', field);
});

test('terms and rules that make no sense change nothing; keys of a location see their own and change nothing', async () => {
  const terms = { sku: 'SKU-1', unitCost: 1, pack: 1, minimum: 0 };
  for (const [bad, code, field] of [[{ pack: 0 }, 'invalid', '/terms/0/pack'], [{ sku: 'NONE' }, 'unknown_sku', '/terms/0/sku'], [{ location: 'NONE' }, 'unknown_location', '/terms/0/location']] as const) {
    await refused(api, () => put('/v1/vendors/V-9', { name: 'V', leadDays: 1, terms: [{ ...terms, ...bad }] }), code === 'invalid' ? 400 : 422, code, field);
  }
  await refused(api, () => put('/v1/vendors/V-9', { name: 'V', leadDays: -1, terms: [] }), 400, 'invalid', '/leadDays');
  await refused(api, () => put('/v1/locations/L-1/reorder-rules', { rules: [{ sku: 'SKU-1', reorderPoint: 5, level: 5 }] }), 422, 'unprocessable', '/rules/0/level');
  await refused(api, () => put('/v1/replenishment/scopes/all', { locations: ['L-1'], policy: POLICY }, bound), 403, 'forbidden');
  await refused(api, () => send(api, key, 'POST', '/v1/replenishment/scopes/none/plan'), 404, 'not_found');
  const own = (await get('/v1/replenishment/sites', bound)).body['items'] as { location: string }[];
  expect(new Set(own.map((s) => s.location))).toEqual(new Set(['L-1']));
  expect((await get('/v1/locations/L-2/reorder-rules', bound)).status).toBe(404);
});

test('a purchase order: packs and minimum, approved, sent as a supply, received in parts with a variance, closed', async () => {
  const code = sku();
  await stock(code, {});
  await put('/v1/vendors/V-3', { name: 'Dye', leadDays: 4, terms: [{ sku: code, unitCost: 50, pack: 5, minimum: 10 }] });
  const body = { reference: 'PO-1', vendor: 'V-3', location: 'L-1', lines: [{ sku: code, quantity: 20 }] };
  const order = (changes: object) => send(api, key, 'POST', '/v1/purchase-orders', { ...body, ...changes });
  for (const [quantity, field] of [[12, '/lines/0/quantity'], [5, '/lines/0/quantity']] as const) await refused(api, () => order({ lines: [{ sku: code, quantity }] }), 422, 'unprocessable', field);
  await refused(api, () => order({ vendor: 'NONE' }), 422, 'unprocessable', '/vendor');
  const made = await Promise.all(Array.from({ length: 5 }, () => order({})));
  expect(new Set(made.map((m) => m.body['id'])).size).toBe(1);
  const id = made[0]?.body['id'] as string;
  const act = (what: string, data: object = {}) => send(api, key, 'POST', `/v1/purchase-orders/${id}/${what}`, data);
  expect((await act('send')).status).toBe(409);
  await Promise.all([act('approve'), act('approve')]);
  const sent = await Promise.all([act('send'), act('send')]);
  expect(sent.map((r) => [r.status, r.body['status']])).toEqual([[200, 'sent'], [200, 'sent']]);
  const units = () => api.world.one<{ n: number }>('select coalesce(sum(on_hand), 0)::int n from stock_levels v join skus k on k.id = v.sku_id where k.code = $1 and v.supply_id <> 0', code);
  expect((await units()).n).toBe(20);
  expect((await act('receipts', { reference: 'R-1', lines: [{ sku: code, quantity: 12 }] })).body['status']).toBe('open');
  expect((await get(`/v1/purchase-orders/${id}`)).body['status']).toBe('partly_received');
  await act('receipts', { reference: 'R-2', final: true, lines: [{ sku: code, quantity: 7 }] });
  const { body: done } = await get(`/v1/purchase-orders/${id}`);
  expect([done['status'], done['variances']]).toEqual(['received', [{ sku: code, kind: 'short', units: 1, receipt: 'R-2' }]]);
  expect((await act('cancel', { reason: 'late' })).status).toBe(409);
  expect((await act('close')).body['status']).toBe('closed');
  expect((await api.world.stock(code))['L-1']).toEqual([19, 0]);
  const next = await order({ reference: 'PO-2', send: true });
  const other = `/v1/purchase-orders/${next.body['id'] as string}`;
  await send(api, key, 'POST', `${other}/cancel`, { reason: 'wrong colour' });
  expect([(await get(other)).body['status'], (await units()).n]).toEqual(['cancelled', 0]);
});

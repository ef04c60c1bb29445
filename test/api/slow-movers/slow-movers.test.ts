import { afterAll, beforeAll, expect, test } from 'vitest';
import { evaluateSlowMovers } from '../../../db/slow-movers/evaluate.ts';
import { planRedistribution } from '../../../db/redistribution/plan.ts';
import { planMoves } from '../../../domain/redistribution/plan.ts';
import { demandDays } from '../../support/demand-days.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let [head, reader, shop, stranger] = ['', '', '', ''];
beforeAll(async () => {
  api = await TestApi.open({ skus: 3, stock: 40 });
  head = await api.key('head', ['stock:read', 'stock:write']);
  reader = await api.key('reader', ['stock:read']);
  shop = await api.key('shop', ['stock:read', 'stock:write'], 'L-1');
  stranger = await api.key('stranger', ['orders:read']);
  await demandDays(api.world, 'SKU-1', 'L-1', 'Shanghai', [['2026-09-24', '2026-10-23', 9], ['2026-10-24', '2026-11-22', 2]]);
  await demandDays(api.world, 'SKU-2', 'L-2', 'Beijing', [['2026-05-25', '2026-11-22', 4]]);
  await evaluateSlowMovers(api.world.store.writer);
  await planRedistribution(api.world.store.writer, api.world.store.network, ({ sites, lanes, rules, effort }) => Promise.resolve(planMoves(sites, lanes, rules, null, effort)));
});
afterAll(async () => { await api.close(); });

const send = async (key: string, method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: object) => {
  const r = await api.app.inject({ method, url, headers: { authorization: `Bearer ${key}` }, ...(body === undefined ? {} : { payload: body }) });
  return { status: r.statusCode, body: (r.body === '' ? {} : r.json()) as Record<string, unknown> };
};
const items = async (url: string) => (await send(head, 'GET', url)).body['items'] as { id: string; sku: string; triggers: { rule: string }[]; status: string }[];
const state = async (): Promise<string> => (await api.world.one<{ t: string }>(
  `select concat((select string_agg(a::text, ';' order by id) from slow_mover_alerts a), (select string_agg(p::text, ';' order by id) from move_proposals p), (select string_agg(r::text, ';') from slow_mover_rules r),
    (select p::text from slow_mover_policy p), (select p::text from redistribution_policy p), (select count(*) from transfers)) t`)).t;

const EVERY: readonly ['GET' | 'POST' | 'PUT' | 'DELETE', string, object?][] = [
  ['GET', '/v1/slow-movers/alerts'], ['GET', '/v1/slow-movers/top'], ['GET', '/v1/slow-movers/alerts/alr_x'], ['GET', '/v1/slow-movers/policy'], ['GET', '/v1/slow-movers/rules'],
  ['POST', '/v1/slow-movers/alerts/alr_x/acknowledge', {}], ['POST', '/v1/slow-movers/alerts/alr_x/snooze', { until: '2026-12-01T00:00:00Z', reason: 'r' }], ['POST', '/v1/slow-movers/evaluations'],
  ['PUT', '/v1/slow-movers/policy', { everyS: 86400, mediumFrom: 1, highFrom: 2, seasonDays: 90 }], ['PUT', '/v1/slow-movers/rules/age', { enabled: false }], ['DELETE', '/v1/slow-movers/rules/age?category=x'],
  ['GET', '/v1/redistribution/proposals'], ['GET', '/v1/redistribution/proposals/mov_x'], ['GET', '/v1/redistribution/policy'], ['POST', '/v1/redistribution/plans'], ['POST', '/v1/redistribution/proposals/mov_x/accept'],
  ['POST', '/v1/redistribution/proposals/mov_x/reject', { reason: 'r' }],
];

test('who may not is refused, and nothing changes', async () => {
  const before = await state();
  for (const [method, url, body] of EVERY) {
    expect([url, (await send(stranger, method, url, body)).status, (await send(shop, method, url, body)).status]).toEqual([url, 403, 403]);
    if (method !== 'GET') expect([url, (await send(reader, method, url, body)).status]).toEqual([url, 403]);
  }
  expect(await state()).toBe(before);
});

test('an alert is listed, acknowledged, snoozed; what makes no sense is told where', async () => {
  const [alert] = await items('/v1/slow-movers/alerts?sku=SKU-1');
  expect([alert?.status, alert?.triggers.map((t) => t.rule).includes('trend')]).toEqual(['open', true]);
  expect((await items('/v1/slow-movers/top?limit=1')).length).toBe(1);
  const url = `/v1/slow-movers/alerts/${alert!.id}`;
  expect((await send(head, 'POST', `${url}/acknowledge`, { note: 'seen' })).body['status']).toBe('acknowledged');
  expect((await send(head, 'POST', `${url}/snooze`, { until: '2026-11-01T00:00:00Z', reason: 'r' })).body).toMatchObject({ status: 422, field: '/until' });
  expect((await send(head, 'POST', `${url}/snooze`, { until: '2026-12-01T00:00:00Z', reason: 'sale planned' })).body).toMatchObject({ status: 'snoozed', snoozedUntil: '2026-12-01T00:00:00.000Z' });
  expect((await send(head, 'GET', url)).body['events']).toMatchObject([{ type: 'alert.opened' }, { type: 'alert.acknowledged', actor: 'key:head', data: { note: 'seen' } }, { type: 'alert.snoozed' }]);
  expect((await send(head, 'GET', '/v1/slow-movers/alerts/alr_nonsense')).status).toBe(404);
  expect((await send(head, 'GET', '/v1/slow-movers/alerts?after=zzz')).status).toBe(400);
});

test('rules are data', async () => {
  expect((await send(head, 'PUT', '/v1/slow-movers/rules/trend', { enabled: true, params: { fallPercent: 101 } })).body).toMatchObject({ status: 422, field: '/params/fallPercent' });
  expect((await send(head, 'PUT', '/v1/slow-movers/rules/nothing', { enabled: true })).status).toBe(400);
  expect((await send(head, 'PUT', '/v1/slow-movers/rules/trend', { enabled: true, category: 'none such' })).body).toMatchObject({ status: 422, field: '/category' });
  expect((await send(head, 'PUT', '/v1/slow-movers/rules/trend', { enabled: true, params: { fallPercent: 50 } })).body).toMatchObject({ kind: 'trend', params: { fallPercent: 50, leastUnits: 10 } });
  expect((await send(head, 'GET', '/v1/slow-movers/rules')).body['items']).toContainEqual({ kind: 'trend', category: null, enabled: true, params: { fallPercent: 50, leastUnits: 10 } });
  expect((await send(head, 'DELETE', '/v1/slow-movers/rules/trend?category=x')).status).toBe(404);
  expect((await send(head, 'PUT', '/v1/slow-movers/policy', { everyS: 86400, mediumFrom: 5, highFrom: 2, seasonDays: 90 })).body).toMatchObject({ status: 422, field: '/highFrom' });
  expect((await send(head, 'POST', '/v1/slow-movers/evaluations')).status).toBe(201);
});

test('a proposal is read with its reasons and accepted once', async () => {
  const list = (await send(head, 'GET', '/v1/redistribution/proposals?status=proposed')).body['items'] as { id: string; to: string }[];
  expect(list.map((p) => p.to)).toEqual(list.map(() => 'L-2'));
  const url = `/v1/redistribution/proposals/${list[0]!.id}`;
  const [one, two] = await Promise.all([send(head, 'POST', `${url}/accept`), send(head, 'POST', `${url}/accept`)]);
  expect([one.status, two.body['transfer']]).toEqual([200, one.body['transfer']]);
  expect((await api.world.one<{ n: number }>('select count(*)::int n from transfers')).n).toBe(1);
  expect((await send(head, 'POST', `${url}/reject`, { reason: 'r' })).status).toBe(409);
  expect((await send(head, 'GET', '/v1/redistribution/proposals?from=NOWHERE')).body).toMatchObject({ field: '/querystring/from' });
  expect((await send(head, 'PUT', '/v1/redistribution/policy', { everyS: 1 })).status).toBe(400);
  expect((await send(head, 'POST', '/v1/redistribution/plans')).status).toBe(201);
});

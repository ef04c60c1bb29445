import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forecast } from '../../../domain/replenishment/forecast.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let key: string;
beforeAll(async () => {
  api = await TestApi.open();
  key = await api.key('planner', ['stock:read']);
});
afterAll(async () => { await api.close(); });

const HISTORY = [3, 0, 4, 2, 0, 0, 5, 1, 2, 3, 0, 4].map((units) => ({ units }));
const counts = () => api.world.one('select (select count(*) from stock_movements) m, (select count(*) from orders) o, (select count(*) from stock_levels) l');

describe('POST /v1/forecasts', () => {
  test('answers what the function answers, two at once to the byte, and touches nothing', async () => {
    const before = await counts();
    const body = { history: [...HISTORY, { units: 0, stockedOut: true }, { units: 9, promoted: true }], horizon: 3, quantiles: [0.25, 0.5, 0.9], season: 2, promoted: [true] };
    const answers = await Promise.all([1, 2].map(async () => (await api.app.inject({ method: 'POST', url: '/v1/forecasts', headers: { authorization: `Bearer ${key}` }, payload: body })).body));
    expect(answers[0]).toBe(answers[1]);
    expect(JSON.parse(answers[0]!)).toEqual(JSON.parse(JSON.stringify(forecast(body.history, { horizon: 3, quantiles: [0.25, 0.5, 0.9], season: 2, promoted: [true] }))));
    expect(await counts()).toEqual(before);
  });

  test('a bare history is enough: one period ahead, six quantiles', async () => {
    const { status, body } = await api.call(key, 'POST', '/v1/forecasts', { history: HISTORY });
    expect(status).toBe(200);
    expect((body['periods'] as { quantiles: number[] }[]).map((p) => p.quantiles.length)).toEqual([6]);
    expect(body['backtest']).toMatchObject({ origins: 4 });
  });

  const BAD: [string, object, number, string][] = [
    ['negative units', { history: [...HISTORY, { units: -1 }] }, 422, '/history/12/units'],
    ['too short', { history: HISTORY.slice(0, 3) }, 422, '/history'],
    ['empty', { history: [] }, 422, '/history'],
    ['a quantile of 1', { history: HISTORY, quantiles: [0.5, 1] }, 422, '/quantiles/1'],
    ['a quantile of 0', { history: HISTORY, quantiles: [0] }, 422, '/quantiles/0'],
    ['quantiles that fall', { history: HISTORY, quantiles: [0.9, 0.5] }, 422, '/quantiles/1'],
    ['stock always out', { history: HISTORY.map((p) => ({ ...p, stockedOut: true })) }, 422, '/history'],
    ['more marks than periods ahead', { history: HISTORY, horizon: 1, promoted: [true, true] }, 422, '/promoted'],
    ['too long', { history: Array.from({ length: 1_001 }, () => ({ units: 1 })) }, 400, '/history'],
    ['a horizon of 0', { history: HISTORY, horizon: 0 }, 400, '/horizon'],
    ['a horizon of years', { history: HISTORY, horizon: 105 }, 400, '/horizon'],
    ['units as text', { history: [...HISTORY, { units: '3' }] }, 400, '/history/12/units'],
    ['a word too many', { history: HISTORY, sku: 'A' }, 400, '/sku'],
  ];
  test.each(BAD)('%s is told with a pointer', async (_what, body, status, field) => {
    const answer = await api.call(key, 'POST', '/v1/forecasts', body);
    expect([answer.status, answer.body['field']]).toEqual([status, field]);
  });

  test('asks for a key with the scope', async () => {
    expect((await api.call(await api.key('none', ['orders:read']), 'POST', '/v1/forecasts', { history: HISTORY })).status).toBe(403);
  });

  test('the longest history takes no more than a breath of the process', async () => {
    const history = Array.from({ length: 1_000 }, (_, i) => ({ units: (i * 7) % 13, stockedOut: i % 50 === 3 }));
    const { status, body } = await api.call(key, 'POST', '/v1/forecasts', { history, season: 52, horizon: 104 });
    expect([status, (body['periods'] as unknown[]).length]).toEqual([200, 104]);
  });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { TestApi } from '../../support/api.ts';
import { refused, send } from './requests.ts';

let api: TestApi;
let admin: string;
let shop: string;
beforeAll(async () => {
  // Monday 2026-11-23, 10:00 in Shanghai.
  api = await TestApi.open({ locations: 2 });
  admin = await api.key('admin', SCOPES);
  shop = await api.key('shop', ['network:read', 'network:write'], 'L-1');
});
afterAll(async () => { await api.close(); });
const put = (code: string, days: object[], key = admin) => send(api, key, 'PUT', `/v1/locations/${code}/closed-days`, { days });

test('nothing is promised or handed over on a holiday; a later word replaces it', async () => {
  expect(await put('L-1', [{ day: '2026-11-24', reason: 'stocktaking' }, { day: '2026-11-23', reason: 'moving' }])).toMatchObject({ status: 200, body: { location: 'L-1', days: [{ day: '2026-11-23', reason: 'moving' }, { day: '2026-11-24', reason: 'stocktaking' }] } });
  await api.world.store.pool.query('update stock_levels set on_hand = on_hand'); // nothing else has changed
  const first = await api.world.capture({ lines: [{ sku: 'SKU-1', quantity: 1, unitPrice: 100 }] });
  expect(first.promise).toEqual({ shipBy: '2026-11-25T09:00:00.000Z', deliverBy: '2026-11-26T10:00:00.000Z' });
  expect((await put('L-1', [], shop)).body).toEqual({ location: 'L-1', days: [] });
  const second = await api.world.capture({ lines: [{ sku: 'SKU-1', quantity: 1, unitPrice: 100 }] });
  expect(second.promise).toEqual({ shipBy: '2026-11-23T09:00:00.000Z', deliverBy: '2026-11-24T10:00:00.000Z' });
});

test('a day that is over, is none, or is there twice; and another location\'s', async () => {
  const day = (text: string) => ({ day: text, reason: 'x' });
  await refused(api, () => put('L-1', [day('2026-11-20')]), 422, 'unprocessable', '/days/0/day');
  await refused(api, () => put('L-1', [day('2026-02-30')]), 422, 'unprocessable', '/days/0/day');
  await refused(api, () => put('L-1', [day('2026-12-01'), day('2026-12-01')]), 422, 'unprocessable', '/days/1/day');
  await refused(api, () => put('L-2', [day('2026-12-01')], shop), 404, 'not_found');
});

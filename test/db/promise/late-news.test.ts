import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { decodeId } from '../../../domain/ids.ts';
import type { Ladder } from '../../../domain/promising/ladder.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let admin: string;
let skus = 0;
// Monday 10:00 in Shanghai; what L-1 sends today is promised for 18:00 of the 24th (10:00 UTC).
const START = new Date('2026-11-23T02:00:00Z');
const ladder: Ladder = { atRiskMinutes: 60, ask: { options: ['wait'], answerMinutes: 120, otherwise: 'wait' }, compensate: { kind: 'voucher', percent: 10, atMost: 2000, lateMinutes: 60 } };
beforeAll(async () => {
  api = await TestApi.open({ locations: 1, stock: 0, skus: 20 });
  admin = await api.key('admin', SCOPES);
  expect((await api.app.inject({ method: 'PUT', url: '/v1/channels/own/promise-ladder', headers: { authorization: `Bearer ${admin}` }, payload: { ladder } })).statusCode).toBe(200);
});
afterAll(async () => { await api.close(); });
beforeEach(() => { api.world.now = START; });

const uuid = (id: string): string => decodeId('ord', id) as string;
const at = async (id: string, time: string): Promise<void> => { api.world.now = new Date(time); await api.advance(id); };
const events = async (id: string) => (await api.world.events(id)).filter((e) => e.startsWith('promise.'));
const promised = async (id: string) => (await api.call(admin, 'GET', `/v1/orders/${id}/promise`)).body as { expectedBy: string; brokenAt: string | null; compensation: { status: string; lateMinutes: number } | null };
const order = () => api.world.one<{ delivered: Date | null; until: Date | null; over: boolean; look: Date | null }>('select delivered_at delivered, return_until until, promise_over "over", promise_check_at look from orders where id = $1', uuid(id));
const waybill = async () => (await api.world.fulfillments(id))[0]?.waybillNo as string;
const hear = async (status: 'in_transit' | 'delivered', occurred: string, told: string) => {
  api.world.now = new Date(told);
  await api.world.carrier(await waybill(), status, new Date(occurred));
  await api.advance(id);
};
let id: string;
/** It leaves on the 23rd at 15:00. */
beforeEach(async () => {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, { 'L-1': 1 });
  id = await api.order({ lines: [{ sku, quantity: 1, unitPrice: 1000 }] });
  api.world.now = new Date('2026-11-23T07:00:00Z');
  await api.world.issue((await api.world.fulfillments(id))[0] as never);
  await api.advance(id);
});

describe('delivered in time', () => {
  test('and told hours later: nothing was broken, nothing is owed, nobody was asked', async () => {
    await at(id, '2026-11-24T10:01:00Z');
    await at(id, '2026-11-24T11:30:00Z');
    // Looked at again when the news has had its day, not every minute.
    expect([await events(id), (await promised(id)).expectedBy, (await order()).look?.toISOString()]).toEqual([[], '2026-11-24T10:00:00.000Z', '2026-11-25T10:00:00.000Z']);
    await hear('delivered', '2026-11-24T08:30:00Z', '2026-11-24T11:40:00Z');
    // The return window counts from the news: nobody could tell the customer before.
    expect(await order()).toMatchObject({ delivered: new Date('2026-11-24T08:30:00Z'), until: new Date('2026-11-25T11:40:00Z'), over: true });
    expect([await events(id), (await promised(id)).compensation]).toEqual([[], null]);
  });

  test('and told after more than a day: what was booked is void, and cannot be settled', async () => {
    await at(id, '2026-11-25T11:30:00Z');
    expect([(await promised(id)).compensation?.status, await events(id)]).toEqual(['due', ['promise.broken', 'promise.compensated', 'promise.at_risk', 'promise.asked']]);
    await hear('delivered', '2026-11-24T09:59:00Z', '2026-11-25T12:00:00Z');
    expect([(await promised(id)).compensation?.status, (await promised(id)).brokenAt, (await events(id)).slice(-2)]).toEqual(['void', null, ['promise.kept', 'promise.compensation_voided']]);
    await api.advance(id);
    expect((await events(id)).length).toBe(6);
    const settled = await api.app.inject({ method: 'POST', url: `/v1/orders/${id}/promise/compensation/settle`, headers: { authorization: `Bearer ${admin}` }, payload: { reference: 'V-1' } });
    expect([settled.statusCode, (await promised(id)).compensation?.status]).toEqual([409, 'void']);
  });

  test('what was paid out by then stays paid', async () => {
    await at(id, '2026-11-25T11:30:00Z');
    expect((await api.app.inject({ method: 'POST', url: `/v1/orders/${id}/promise/compensation/settle`, headers: { authorization: `Bearer ${admin}` }, payload: { reference: 'V-1' } })).statusCode).toBe(204);
    await hear('delivered', '2026-11-24T09:59:00Z', '2026-11-25T12:00:00Z');
    expect([(await promised(id)).compensation?.status, (await events(id)).at(-1)]).toEqual(['settled', 'promise.kept']);
  });
});

describe('late for certain', () => {
  test('news of it after the promised date that is no delivery: broken as soon as that is owed for', async () => {
    await at(id, '2026-11-24T10:01:00Z');
    await hear('in_transit', '2026-11-24T10:30:00Z', '2026-11-24T10:40:00Z');
    expect(await events(id)).toEqual(['promise.at_risk', 'promise.asked']);
    await at(id, '2026-11-24T11:01:00Z');
    expect([(await events(id)).slice(2), (await promised(id)).compensation]).toMatchObject([['promise.broken', 'promise.compensated'], { status: 'due', lateMinutes: 61 }]);
    await hear('delivered', '2026-11-24T12:30:00Z', '2026-11-24T15:00:00Z');
    expect([(await promised(id)).compensation?.status, (await order()).delivered?.toISOString(), (await events(id)).length]).toEqual(['due', '2026-11-24T12:30:00.000Z', 4]);
  });

  test('delivered late and told at once: owed for what it was late', async () => {
    await hear('delivered', '2026-11-24T12:00:00Z', '2026-11-24T12:10:00Z');
    expect([await events(id), (await promised(id)).compensation]).toMatchObject([['promise.broken', 'promise.compensated'], { status: 'due', lateMinutes: 120 }]);
  });
});

test.each([['in the future', '2026-11-30T00:00:00Z', '2026-11-24T08:00:00.000Z'], ['before it left', '2026-11-23T03:00:00Z', '2026-11-23T07:00:00.000Z']])('a delivery is never %s', async (_, occurred, delivered) => {
  await hear('delivered', occurred, '2026-11-24T08:00:00Z');
  expect((await order()).delivered?.toISOString()).toBe(delivered);
});

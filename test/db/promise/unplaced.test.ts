import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { keepPromise } from '../../../db/promise/keep.ts';
import { draftPolicy } from '../../../db/routing/policies.ts';
import { decodeId } from '../../../domain/ids.ts';
import type { Ladder } from '../../../domain/promising/ladder.ts';
import { inCanary } from '../../../domain/routing/canary.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let admin: string;
let skus = 0;
// Monday 10:00 in Shanghai. L-1 hands over until 16:00 and has it out by 17:00; L-2, a shop of the same city, until 20:00; L-3 in Guangzhou, two days away.
const START = new Date('2026-11-23T02:00:00Z');
const full: Ladder = {
  atRiskMinutes: 60, reSource: { latenessPerDay: 100_000, waitMinutes: 30 }, upgrade: { maxExtraCost: 2000, waitMinutes: 30 },
  ask: { options: ['wait', 'cancel'], answerMinutes: 120, otherwise: 'wait' }, compensate: { kind: 'voucher', percent: 10, atMost: 2000, lateMinutes: 60 },
};
beforeAll(async () => {
  api = await TestApi.open({ locations: 3, stock: 0, skus: 40 });
  admin = await api.key('admin', SCOPES);
  const { pool, network } = api.world.store;
  await pool.query(`update locations set province = 'Shanghai', city = 'Shanghai', cutoff_minutes = 1200, kind = 'store' where code = 'L-2'`);
  await network.reload();
  const answer = await api.app.inject({ method: 'PUT', url: '/v1/channels/own/promise-ladder', headers: { authorization: `Bearer ${admin}` }, payload: { ladder: full } });
  expect(answer.statusCode).toBe(200);
});
afterAll(async () => { await api.close(); });
beforeEach(() => { api.world.now = START; });
afterEach(async () => {
  await api.world.store.pool.query('delete from location_pauses');
  expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});

async function stocked(at: Record<string, number>): Promise<string> {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, at);
  return sku;
}
const uuid = (id: string): string => decodeId('ord', id) as string;
const at = async (id: string, time: string): Promise<void> => { api.world.now = new Date(time); await api.advance(id); };
const line = (sku: string, quantity = 1) => ({ sku, quantity, unitPrice: 1000 });
const events = async (id: string) => (await api.world.events(id)).filter((e) => e.startsWith('promise.'));
const promised = async (id: string) => (await api.call(admin, 'GET', `/v1/orders/${id}/promise`)).body as { promisedBy: string; expectedBy: string | null; rung: string; questions: { options: object[] }[]; compensation: object | null };
const places = async (id: string) => (await api.world.fulfillments(id)).map((f) => `${f.location} ${f.status}`);
const pause = (code: string, until: string) => api.world.store.pool.query(`insert into location_pauses values ($1, 'closed', $2, $3)`, [api.world.locationId(code), START, until]);

describe('units that routing has not placed', () => {
  test('a pause beyond the promise: at risk in time, and the customer is asked with the date after it', async () => {
    const { id } = await api.world.capture({ lines: [line(await stocked({ 'L-1': 1 }))] });
    await pause('L-1', '2026-11-26T02:00:00Z');
    await api.advance(id);
    expect([await places(id), await events(id)]).toEqual([[], []]);
    await at(id, '2026-11-23T07:59:00Z');
    expect(await events(id)).toEqual([]);
    await at(id, '2026-11-23T08:01:00Z');
    expect(await events(id)).toEqual(['promise.at_risk', 'promise.re_source', 'promise.upgrade', 'promise.asked']);
    expect(await promised(id)).toMatchObject({ promisedBy: '2026-11-24T10:00:00.000Z', expectedBy: '2026-11-27T10:00:00.000Z', rung: 'ask', questions: [{ options: [{ answer: 'wait', by: '2026-11-27T10:00:00.000Z' }, { answer: 'cancel' }] }] });
    expect(await places(id)).toEqual([]);
  });

  test('a place that has got it since is taken at once: nothing is waited for any more', async () => {
    const sku = await stocked({ 'L-1': 1 });
    const { id } = await api.world.capture({ lines: [line(sku)] });
    await pause('L-1', '2026-11-26T02:00:00Z');
    await api.advance(id);
    await api.world.setStock(sku, { 'L-2': 1 });
    await at(id, '2026-11-23T08:01:00Z');
    expect([await places(id), await events(id)]).toEqual([['L-2 released'], ['promise.at_risk', 'promise.re_source']]);
    await at(id, '2026-11-23T08:32:00Z');
    expect([(await events(id)).at(-1), await promised(id)]).toMatchObject(['promise.recovered', { rung: 'none', expectedBy: '2026-11-24T10:00:00.000Z' }]);
  });

  test('a pause that ends in time is waited for', async () => {
    const { id } = await api.world.capture({ lines: [line(await stocked({ 'L-1': 1 }))] });
    await pause('L-1', '2026-11-23T07:00:00Z');
    await api.advance(id);
    await at(id, '2026-11-23T06:59:00Z');
    expect([await places(id), await events(id)]).toEqual([[], []]);
    await at(id, '2026-11-23T07:01:00Z');
    expect([await places(id), await events(id)]).toEqual([['L-1 released'], []]);
  });

  test('a plan that is given up in a look is not on time again in the same look', async () => {
    const id = await api.order({ lines: [line(await stocked({ 'L-1': 1, 'L-2': 1 }))] }, 'ship');
    expect(await places(id)).toEqual(['L-1 routed']);
    const { writer, network } = api.world.store;
    api.world.now = new Date('2026-11-23T08:01:00Z');
    await keepPromise(writer, network, uuid(id));
    await keepPromise(writer, network, uuid(id));
    expect([await places(id), await events(id), (await promised(id)).rung]).toEqual([['L-1 cancelled'], ['promise.at_risk', 'promise.re_source'], 're_source']);
    await at(id, '2026-11-23T08:01:30Z');
    expect([(await places(id)).at(-1), await events(id)]).toEqual(['L-2 released', ['promise.at_risk', 'promise.re_source']]);
  });
});

test('a carrier\'s cut-off that is missed makes it late, for the ladder as for routing', async () => {
  const { pool, network } = api.world.store;
  const { id } = await api.world.capture({ lines: [line(await stocked({ 'L-1': 1 }))] });
  try {
    // Since the order was captured the carrier fetches earlier: until 15:00.
    await pool.query(`update carrier_rates set cutoff_minutes = 900 where zone = 'same_city'`);
    await network.reload();
    await api.advance(id);
    const { arrives } = await api.world.one<{ arrives: string }>(`select data->'shipments'->0->>'carrier' arrives from order_events where order_id = $1 and type = 'order.routed_to'`, uuid(id));
    expect([arrives, await events(id)]).toEqual(['sim', ['promise.at_risk', 'promise.re_source', 'promise.upgrade', 'promise.asked']]);
    expect(await promised(id)).toMatchObject({ promisedBy: '2026-11-24T10:00:00.000Z', expectedBy: '2026-11-25T10:00:00.000Z' });
    // It leaves at 14:00 after all, before the carrier comes: a day from the day on which it left.
    api.world.now = new Date('2026-11-23T06:00:00Z');
    const [f] = await api.world.fulfillments(id);
    await api.world.issue(f as never);
    await at(id, '2026-11-23T08:01:00Z');
    expect([(await events(id)).at(-1), await promised(id)]).toMatchObject(['promise.recovered', { expectedBy: '2026-11-24T10:00:00.000Z', rung: 'none' }]);
  } finally {
    await pool.query(`update carrier_rates set cutoff_minutes = null where zone = 'same_city'`);
    await network.reload();
  }
});

test('cash on delivery that comes two days late: owed when it has come and is paid, once', async () => {
  const id = await api.order({ payment: { status: 'cash_on_delivery' }, lines: [line(await stocked({ 'L-1': 2 }), 2)] });
  await api.world.issue((await api.world.fulfillments(id))[0] as never);
  api.world.now = new Date('2026-11-24T10:30:00Z');
  await api.world.carrier((await api.world.fulfillments(id))[0]?.waybillNo as string, 'in_transit');
  await at(id, '2026-11-24T11:30:00Z');
  expect([(await events(id)).at(-1), (await promised(id)).compensation]).toEqual(['promise.asked', null]);
  expect(await events(id)).toContain('promise.broken');
  // The customer waits until the 28th: it is the first date that was broken.
  expect((await api.call(admin, 'POST', `/v1/orders/${id}/promise/answer`, { answer: 'wait' })).status).toBe(200);
  api.world.now = new Date('2026-11-26T10:00:00Z');
  await api.world.carrier((await api.world.fulfillments(id))[0]?.waybillNo as string, 'delivered');
  await api.advance(id);
  await api.advance(id);
  expect((await promised(id)).compensation).toEqual({ kind: 'voucher', amount: 280, currency: 'CNY', lateMinutes: 2880, status: 'due', settlementReference: null });
  expect((await events(id)).filter((e) => e === 'promise.broken' || e === 'promise.compensated')).toEqual(['promise.broken', 'promise.compensated']);
});

test('cash on delivery that nobody paid is owed nothing', async () => {
  const id = await api.order({ payment: { status: 'cash_on_delivery' }, lines: [line(await stocked({ 'L-1': 1 }))] });
  await at(id, '2026-11-24T11:30:00Z');
  expect(await events(id)).toContain('promise.broken');
  expect(await api.world.one('select count(*)::int n from compensations where order_id = $1', uuid(id))).toEqual({ n: 0 });
});

test('an order of a canary is sought for by the canary\'s policy', async () => {
  const { pool, writer, network } = api.world.store;
  const { policy } = network.policyAt(START);
  await draftPolicy(writer, { policy: { ...policy, code: 'no-shops', version: 1, kinds: ['warehouse'] } }, 'key:test');
  const orders = [await api.order({ lines: [line(await stocked({ 'L-1': 1, 'L-2': 1 }))] }, 'ship'), await api.order({ lines: [line(await stocked({ 'L-1': 1, 'L-2': 1 }))] }, 'ship')] as const;
  const canary = (): string => { for (;;) { const id = randomUUID(); if (inCanary(id, uuid(orders[0]), 500) && !inCanary(id, uuid(orders[1]), 500)) return id; } };
  await pool.query(
    `insert into policy_canaries (id, policy_id, control_policy_id, share, starts_at, ends_at, guard, started_by, next_look_at)
     select $1, (select id from routing_policies where code = 'no-shops'), $2, 500, $3, $4, '{}', 'key:test', $4`, [canary(), network.policyAt(START).id, START, new Date(START.getTime() + 86_400_000)]);
  api.world.now = new Date('2026-11-23T08:01:00Z');
  for (const id of orders) await keepPromise(writer, network, uuid(id));
  expect([await places(orders[0]), await places(orders[1])]).toEqual([['L-1 routed'], ['L-1 cancelled']]);
});

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { gatherWave } from '../../../db/routing/wave/gather.ts';
import { prepareWave } from '../../../db/routing/wave/prepare.ts';
import { readInput } from '../../../db/simulation/read-input.ts';
import { decodeId } from '../../../domain/ids.ts';
import { planOrder } from '../../../domain/routing/plan.ts';
import { daysLate } from '../../../domain/simulation/money.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let admin: string;
let skus = 0;
// Monday 10:00 in New York, 7:00 in Los Angeles: both hand over until 16:00 of their own day, two days from Philadelphia.
const START = new Date('2026-11-23T15:00:00Z');
const WEDNESDAY = '2026-11-25T23:00:00.000Z'; // 18:00 in Philadelphia
const PHILADELPHIA = { country: 'US', province: 'PA', city: 'Philadelphia' };
beforeAll(async () => {
  api = await TestApi.open({ locations: 2, stock: 0, skus: 10 });
  admin = await api.key('admin', SCOPES);
  const { pool, network } = api.world.store;
  await pool.query(`update locations set country = 'US', province = 'NY', city = 'New York', time_zone = 'America/New_York', lat = 40.7, lon = -74 where code = 'L-1'`);
  await pool.query(`update locations set country = 'US', province = 'CA', city = 'Los Angeles', time_zone = 'America/Los_Angeles', lat = 34.1, lon = -118.2 where code = 'L-2'`);
  await pool.query(`insert into places values ('US', 'PA', 'Philadelphia', 39.95, -75.17)`);
  await network.reload();
  const ladder = { atRiskMinutes: 60, ask: { options: ['wait'], answerMinutes: 120, otherwise: 'wait' }, compensate: { kind: 'voucher', percent: 10, atMost: 2000, lateMinutes: 60 } };
  expect((await api.app.inject({ method: 'PUT', url: '/v1/channels/own/promise-ladder', headers: { authorization: `Bearer ${admin}` }, payload: { ladder } })).statusCode).toBe(200);
});
afterAll(async () => { await api.close(); });
beforeEach(() => { api.world.now = START; });

async function stocked(at: Record<string, number>): Promise<string> {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, at);
  await api.world.store.projection.refresh();
  return sku;
}
const line = (sku: string) => ({ sku, quantity: 1, unitPrice: 1000 });
const shipTo = { name: 'Test Person', phone: '10000000001', ...PHILADELPHIA, street: '1 Example Road' };
const uuid = (id: string): string => decodeId('ord', id) as string;

test('whoever sends it, a day is a day of the destination: quote, capture and routing agree', async () => {
  for (const code of ['L-1', 'L-2']) {
    const sku = await stocked({ [code]: 2 });
    const options = (await api.call(admin, 'POST', '/v1/promise', { channel: 'own', destination: PHILADELPHIA, lines: [line(sku)] })).body['options'] as { by: string }[];
    const { promise } = await api.world.capture({ lines: [line(sku)], shipTo });
    expect([options[0]?.by, promise?.deliverBy]).toEqual([WEDNESDAY, WEDNESDAY]);
  }
});

test('promised from New York, sent from Los Angeles to come the same day: not late, and nobody is asked', async () => {
  const sku = await stocked({ 'L-1': 1 });
  const { id } = await api.world.capture({ lines: [line(sku)], shipTo });
  await api.world.setStock(sku, { 'L-2': 1 });
  await api.world.store.pool.query(`insert into location_pauses values ($1, 'closed', $2, '2026-11-26T00:00:00Z')`, [api.world.locationId('L-1'), START]);
  await api.advance(id);
  expect((await api.world.fulfillments(id)).map((f) => f.location)).toEqual(['L-2']);
  expect(await api.world.one('select late from routing_decisions where order_id = $1', uuid(id))).toEqual({ late: false });
  api.world.now = new Date('2026-11-23T18:00:00Z');
  await api.advance(id);
  expect((await api.world.events(id)).filter((e) => e.startsWith('promise.'))).toEqual([]);
  // A simulation of the day counts as routing did.
  const { input } = await readInput(api.world.store.pool, api.world.store.network, { from: START, to: new Date(START.getTime() + 1) });
  expect(input.orders.map((o) => [o.arrivesIn, o.order.promisedBy])).toContainEqual(['America/New_York', WEDNESDAY]);
});

test('a wave weighs each order by the clock of its own destination', async () => {
  const { writer, network, pool } = api.world.store;
  await pool.query('delete from location_pauses');
  await network.reload();
  const ids: string[] = [];
  for (const [code, province, city] of [['L-2', 'CA', 'Los Angeles'], ['L-1', 'NY', 'New York'], ['L-2', 'CA', 'Los Angeles']] as const) {
    const { id } = await api.world.capture({ channel: 'merging', lines: [line(await stocked({ [code]: 1 }))], shipTo: { ...shipTo, country: 'US', province, city } });
    await api.advance(id);
    ids.push(id);
  }
  api.world.now = new Date(START.getTime() + 14.6 * 60_000);
  await gatherWave(writer);
  const { id: wave } = await api.world.one<{ id: string }>(`select id from waves where status = 'queued'`);
  const instance = await prepareWave(writer, network, wave);
  const { locations, rates, policy } = instance!;
  const promised = async (id: string): Promise<string> => (await api.world.one<{ by: Date }>('select deliver_by "by" from orders where id = $1', uuid(id))).by.toISOString();
  expect(await Promise.all(ids.map(promised))).toEqual(['2026-11-25T02:00:00.000Z', '2026-11-24T23:00:00.000Z', '2026-11-25T02:00:00.000Z']); // 18:00 there
  // By the clock of Los Angeles; all of them arrive on the day.
  expect(instance!.orders.map((o) => [o.id, o.order.promisedBy, planOrder({ order: o.order, locations, rates, policy }).shipments.map((s) => [s.location, daysLate(o.order, s)])]))
    .toEqual([[ids[0], '2026-11-25T02:00:00.000Z', [['L-2', 0]]], [ids[1], '2026-11-25T02:00:00.000Z', [['L-1', 0]]], [ids[2], '2026-11-25T02:00:00.000Z', [['L-2', 0]]]]);
  await pool.query(`update waves set status = 'failed', done_at = created_at where status = 'queued'`);
});

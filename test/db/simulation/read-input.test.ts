import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { putTerms } from '../../../db/settlement/terms.ts';
import { readInput } from '../../../db/simulation/read-input.ts';
import type { SimulationResult } from '../../../domain/simulation/model.ts';
import { Simulation } from '../../../domain/simulation/simulate.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let skus = 0;
// Movements have the database's clock: each test begins an hour later than the one before, so that its stock was there. L-1 (a warehouse), L-2 (a dealer) and L-3 (a shop) are in Shanghai and
// work day and night; parcels are ready at 23:59.
const START = new Date();
beforeAll(async () => {
  api = await TestApi.open({ locations: 3, stock: 0, skus: 40 });
  const { pool, network, writer } = api.world.store;
  await pool.query(`update locations set province = 'Shanghai', city = 'Shanghai', lat = null, lon = null, cutoff_minutes = 1439, handling_minutes = 0`);
  await pool.query(`update locations set kind = 'dealer' where code = 'L-2'`);
  await pool.query(`update locations set kind = 'store' where code = 'L-3'`);
  // The shop gives the live-stream channel nothing.
  await pool.query(`insert into sharing_rules (location_id, channel_id, mode) select l.id, c.id, 'none' from locations l, channels c where l.code = 'L-3' and c.code = 'douyin'`);
  // The only carrier of the city fetches until 15:00: what is ready then goes a day later.
  await pool.query(`update carrier_rates set cutoff_minutes = 900 where zone = 'same_city'`);
  await network.reload();
  await putTerms(writer, api.world.locationId('L-2'), { currency: 'CNY', handlingFee: 0, terms: [{ sku: null, percentOfNet: 30, validFrom: '2026-01-01T00:00:00Z' }] }, 'key:test');
});
afterAll(async () => { await api.close(); });
afterEach(async () => { expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });

async function stocked(at: Record<string, number>): Promise<string> {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, at);
  return sku;
}
const line = (sku: string, quantity = 1) => ({ sku, quantity, unitPrice: 1000 });
/** What was decided from a moment on, and what the simulation makes of it under the same policy. */
async function replay(from: Date) {
  const { pool, network } = api.world.store;
  const { input, actual } = await readInput(pool, network, { from, to: new Date(api.world.now.getTime() + 1) });
  const simulation = new Simulation(input, network.policyAt(api.world.now).policy);
  expect(simulation.run(Number.POSITIVE_INFINITY)).toBe(false);
  return { input, actual, simulated: JSON.parse(JSON.stringify(simulation.result())) as SimulationResult };
}
async function at(minute: number): Promise<Date> {
  api.world.now = new Date(START.getTime() + minute * 60_000);
  return api.world.now;
}

test('a dealer\'s term, by what was paid without freight, is owed in the simulation too', async () => {
  const from = await at(60);
  await api.order({ lines: [line(await stocked({ 'L-2': 1 }))], freight: 800 }, 'ship');
  const { input, actual, simulated } = await replay(from);
  expect(input.orders[0]?.nets).toEqual({ [input.orders[0]?.order.lines[0]?.sku ?? '']: 1000 });
  expect(actual.total.cost.settlement).toBe(300);
  expect(simulated).toEqual(JSON.parse(JSON.stringify(actual)));
});

test('a term of a SKU goes before the general one from its day on; each shipment has its fee', async () => {
  const sku = await stocked({ 'L-2': 2 });
  const fee = (handlingFee: number, terms: Parameters<typeof putTerms>[2]['terms'] = []) => putTerms(api.world.store.writer, api.world.locationId('L-2'), { currency: 'CNY', handlingFee, terms }, 'key:test');
  await fee(25, [{ sku, price: 450, validFrom: new Date(START.getTime() + 125 * 60_000).toISOString() }]);
  const from = await at(120);
  await api.order({ lines: [line(sku)] }, 'ship');
  await at(130);
  await api.order({ lines: [line(sku)] }, 'ship');
  const { actual, simulated } = await replay(from);
  expect([actual.total.cost.settlement, simulated.total.cost.settlement]).toEqual([300 + 450 + 2 * 25, 300 + 450 + 2 * 25]);
  await fee(0);
});

test('what misses the cut-off is a day later', async () => {
  const from = await at(180);
  await api.order({ lines: [line(await stocked({ 'L-1': 1 }))] }, 'ship');
  const { input, actual, simulated } = await replay(from);
  expect(input.locations.map((l) => l.readyMinute)).toEqual([1439, 1439, 1439]);
  // The promise knew of it: what was promised a day earlier would be late.
  const promised = (days: number) => ({ ...input, orders: input.orders.map((o) => ({ ...o, order: { ...o.order, promisedBy: new Date(Date.parse(o.order.promisedBy ?? '') - days * 86_400_000).toISOString() } })) });
  const onTime = (days: number): number => {
    const simulation = new Simulation(promised(days), api.world.store.network.policyAt(api.world.now).policy);
    simulation.run(Number.POSITIVE_INFINITY);
    return simulation.result().total.onTime;
  };
  expect([actual.total.onTime, simulated.total.onTime, onTime(0), onTime(1)]).toEqual([1, 1, 1, 0]);
});

test('an order of a channel that a shop gives nothing comes from elsewhere', async () => {
  const from = await at(240);
  const sku = await stocked({ 'L-1': 1, 'L-3': 5 });
  await api.order({ channel: 'douyin', lines: [line(sku)] }, 'ship');
  await api.order({ lines: [line(sku)] }, 'ship');
  const { actual, simulated } = await replay(from);
  expect(simulated.total).toMatchObject({ orders: 2, complete: 2, shipments: 2 });
  expect(simulated).toEqual(JSON.parse(JSON.stringify(actual)));
  // A second live order finds nothing that it may have.
  await at(250);
  const { input } = await replay(from);
  const more = new Simulation({ ...input, orders: [...input.orders, { ...input.orders[0]!, id: 'again', at: input.orders[1]!.at + 1 }] }, api.world.store.network.policyAt(api.world.now).policy);
  more.run(Number.POSITIVE_INFINITY);
  expect(more.result().total.stockOuts).toEqual({ orders: 1, lines: 1, units: 1 });
});

test('what is fetched costs no freight', async () => {
  const from = await at(300);
  const id = await api.order({ pickup: { location: 'L-3', way: 'pickup' }, lines: [line(await stocked({ 'L-3': 1 }))] }, 'ship');
  expect((await api.world.fulfillments(id)).map((f) => f.location)).toEqual(['L-3']);
  const { actual, simulated } = await replay(from);
  expect(actual.total.cost.freight).toBe(0);
  expect(simulated).toEqual(JSON.parse(JSON.stringify(actual)));
});

test('blocks that stand, alerts and reliability are read', async () => {
  const from = await at(360);
  const sku = await stocked({ 'L-1': 1, 'L-3': 1 });
  const { pool } = api.world.store;
  await api.order({ lines: [line(sku)] }, 'ship');
  await pool.query(`insert into location_sku_blocks (location_id, sku_id, reason, blocked_at, blocked_by) select $1, id, 'test', $3, 'key:test' from skus where code = $2`, [api.world.locationId('L-3'), sku, from]);
  await pool.query(
    `insert into slow_mover_alerts (id, subject, kind, sku_id, status, severity, money_at_risk, triggers, figures, opened_at, seen_at, closed_at)
     select gen_random_uuid(), 's', 'sku', id, 'closed', 'low', 900, '[]', '{"onHand": 20, "coming": 10, "daysLeft": 7}', $2, $2, $3 from skus where code = $1`, [sku, from, new Date(from.getTime() + 1000)]);
  await pool.query(`insert into location_reliability (location_id, accepted, rejected, acceptance, measured_at) values ($1, 8, 2, 850, $2)`, [api.world.locationId('L-3'), from]);
  const { input } = await replay(from);
  const slow = [{ from: from.getTime(), until: from.getTime() + 1000, moneyAtRisk: 900, stock: 30, daysLeft: 7 }];
  expect(input.stock.filter((s) => s.sku === sku).map((s) => [s.location, s.blocked, s.slow])).toEqual([['L-1', undefined, slow], ['L-2', undefined, slow], ['L-3', { from: from.getTime(), until: null }, slow]]);
  expect(input.locations.map((l) => l.reliability)).toEqual([undefined, undefined, 850]);
});

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { sendToStore } from '../../../db/pickup/send-to-store.ts';
import { cancelTransfer } from '../../../db/transfers/cancel.ts';
import { receiveTransfer } from '../../../db/transfers/receive.ts';
import { shipTransfer } from '../../../db/transfers/ship.ts';
import { decodeId } from '../../../domain/ids.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let admin: string;
let shop: string;
let skus = 0;
// Monday 10:00 in Shanghai. L-1 to L-3 are warehouses, L-4 a shop in Shenzhen, open until 16:00.
const START = new Date('2026-11-23T02:00:00Z');
beforeAll(async () => {
  api = await TestApi.open({ locations: 5, stock: 0, skus: 40 });
  admin = await api.key('admin', SCOPES);
  shop = await api.key('shop', ['orders:read', 'fulfillment:write', 'orders:write'], 'L-4');
});
afterAll(async () => { await api.close(); });
beforeEach(() => { api.world.now = START; });
afterEach(async () => { expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });

async function stocked(at: Record<string, number>): Promise<string> {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, at);
  return sku;
}
/** Where there is any of it: on hand and reserved. */
const there = async (sku: string) => Object.fromEntries(Object.entries(await api.world.stock(sku)).filter(([, [onHand, reserved]]) => onHand + reserved > 0));
const line = (sku: string, quantity = 1) => ({ sku, quantity, unitPrice: 1000 });
const order = (sku: string, way: 'pickup' | 'curbside' | 'ship_to_store' = 'pickup', quantity = 1) => api.order({ pickup: { location: 'L-4', way }, freight: 0, lines: [line(sku, quantity)] });
const f = async (id: string) => (await api.world.fulfillments(id)).at(-1) as NonNullable<Awaited<ReturnType<typeof api.world.fulfillments>>[number]>;
const pack = async (id: string) => { const x = await f(id); await api.world.tell(x, { type: 'packed', parcels: [] }); await api.advance(id); return x; };
const events = async (id: string) => (await api.world.events(id)).filter((e) => e.startsWith('pickup.'));
const post = async (key: string, id: string, what: string, payload: object) => { const r = await api.app.inject({ method: 'POST', url: `/v1/fulfillment-orders/${id}/${what}`, headers: { authorization: `Bearer ${key}` }, payload }); return { status: r.statusCode, body: r.body === '' ? {} : r.json<Record<string, unknown>>() }; };
const codeOf = async (id: string): Promise<string> => (await api.call(admin, 'GET', `/v1/fulfillment-orders/${id}/pickup-code`)).body['code'] as string;

describe('at the counter', () => {
  test('taken from that shop alone, promised within two hours, without a carrier; ready, shown the code, handed out and delivered', async () => {
    const sku = await stocked({ 'L-1': 9, 'L-4': 1 });
    const { id, promise, reserved } = await api.world.capture({ pickup: { location: 'L-4', way: 'pickup' }, lines: [line(sku)] });
    expect([promise, reserved]).toEqual([{ shipBy: '2026-11-23T04:00:00.000Z', deliverBy: '2026-11-23T04:00:00.000Z' }, [{ line: 1, location: 'L-4', quantity: 1 }]]);
    await api.advance(id);
    const { id: ful } = await f(id);
    const release = api.world.partners.to('/v1/fulfillment-orders').find((r) => (r.body as { fulfillmentOrderId?: string }).fulfillmentOrderId === ful);
    expect([release?.body, await api.world.status(id)]).toMatchObject([{ locationCode: 'L-4', pickup: { way: 'pickup', readyBy: '2026-11-23T04:00:00.000Z' } }, 'in_fulfillment']);
    expect((release?.body as { waybillNo?: string }).waybillNo).toBeUndefined();
    expect((await api.call(admin, 'GET', `/v1/fulfillment-orders/${ful}/pickup-code`)).status).toBe(409);
    await pack(id);
    const code = await codeOf(ful);
    expect([code, (await api.call(shop, 'GET', `/v1/fulfillment-orders/${ful}/pickup-code`)).status]).toEqual([expect.stringMatching(/^\d{8}$/), 403]);
    const answers = await Promise.all([1, 2, 3].map(() => post(shop, ful, 'hand-out', { code })));
    expect([answers.map((a) => a.status), await api.world.status(id), await there(sku), await events(id)]).toEqual([[204, 204, 204], 'delivered', { 'L-1': [9, 0] }, ['pickup.ready', 'pickup.handed_out']]);
  });

  test('a shop that has none of it sells none: refused, and nothing is taken elsewhere', async () => {
    const sku = await stocked({ 'L-1': 9 });
    await expect(api.world.capture({ pickup: { location: 'L-4', way: 'pickup' }, lines: [line(sku)] })).rejects.toMatchObject({ code: 'insufficient_stock' });
    await expect(api.world.capture({ pickup: { location: 'NONE', way: 'pickup' }, lines: [line(sku)] })).rejects.toMatchObject({ code: 'unknown_location', field: '/pickup/location' });
    await expect(api.world.capture({ pickup: { location: 'L-4', way: 'pickup' }, payment: { status: 'cash_on_delivery' }, lines: [line(sku)] })).rejects.toMatchObject({ field: '/payment/status' });
    expect(await there(sku)).toEqual({ 'L-1': [9, 0] });
  });

  test('wrong codes are counted; after five only somebody who says why hands it out; another shop knows nothing of it', async () => {
    const id = await order(await stocked({ 'L-4': 1 }));
    const { id: ful } = await pack(id);
    const right = await codeOf(ful);
    const wrong = right === '00000000' ? '00000001' : '00000000';
    const tries = [];
    for (let i = 0; i < 6; i++) tries.push((await post(shop, ful, 'hand-out', { code: wrong })).status);
    expect([tries, (await post(shop, ful, 'hand-out', { code: right })).status, (await post(shop, ful, 'hand-out', { code: '12' })).status]).toEqual([[403, 403, 403, 403, 403, 409], 409, 400]);
    const other = await api.key('other shop', ['fulfillment:write'], 'L-5');
    expect((await post(other, ful, 'hand-out', { override: 'known here' })).status).toBe(404);
    expect(await api.world.status(id)).toBe('in_fulfillment');
    expect([(await post(shop, ful, 'hand-out', { override: 'showed her passport' })).status, await api.world.status(id)]).toEqual([204, 'delivered']);
  });

  test('a goods issue does not go round the code, and an order to be shipped has no counter', async () => {
    const id = await order(await stocked({ 'L-4': 1 }));
    const x = await pack(id);
    await expect(api.world.issue(x)).rejects.toMatchObject({ code: 'conflict' });
    const shipped = await api.order({ lines: [line(await stocked({ 'L-4': 1 }))] });
    expect((await post(admin, (await f(shipped)).id, 'hand-out', { override: 'no' })).status).toBe(404);
  });

  test('not ready in two hours: noticed once, on the list, and not taken elsewhere', async () => {
    const id = await order(await stocked({ 'L-4': 1, 'L-5': 1 }));
    for (const time of ['2026-11-23T02:30:00Z', '2026-11-23T04:00:01Z', '2026-11-23T05:00:00Z', '2026-11-23T09:00:00Z']) { api.world.now = new Date(time); await api.advance(id); }
    expect([await events(id), (await api.world.fulfillments(id)).map((x) => `${x.location} ${x.status}`)]).toEqual([['pickup.late'], ['L-4 released']]);
    const { body } = await api.call(shop, 'GET', '/v1/pickups');
    expect((body['pickups'] as { order: string; late: boolean }[]).filter((p) => p.order === id)).toMatchObject([{ late: true, readyBy: '2026-11-23T04:00:00.000Z' }]);
  });

  test('nobody comes: reminded a day before, then the units are sold again and the money goes back', async () => {
    const sku = await stocked({ 'L-4': 1 });
    const id = await order(sku);
    const { id: ful } = await pack(id);
    api.world.now = new Date('2026-11-25T02:00:01Z');
    await api.advance(id);
    expect(await events(id)).toEqual(['pickup.ready', 'pickup.reminded']);
    api.world.now = new Date('2026-11-26T02:00:01Z');
    const code = await codeOf(ful);
    await Promise.all([api.advance(id), post(shop, ful, 'hand-out', { code })]);
    await api.advance(id);
    // Whoever was first: handed out and kept, or given back and refunded; never both.
    const out = await api.world.status(id) === 'delivered';
    expect([await there(sku), await api.world.refunds(id)]).toEqual(out ? [{}, []] : [{ 'L-4': [1, 0] }, [['cancellation', 1000]]]);
    const next = await order(await stocked({ 'L-4': 1 }));
    const { id: late } = await pack(next);
    api.world.now = new Date('2026-11-30T02:00:00Z');
    await api.advance(next);
    expect([await api.world.status(next), (await post(shop, late, 'hand-out', { override: 'came late' })).status, (await events(next)).at(-1)]).toEqual(['cancelled', 409, 'pickup.no_show']);
  });
});

test('at the kerb: the customer says that she is there, and is first on the list', async () => {
  const first = await order(await stocked({ 'L-4': 1 }), 'curbside');
  const second = await order(await stocked({ 'L-4': 1 }), 'curbside');
  const { id: ful } = await f(second);
  expect((await post(admin, ful, 'arrived', { note: 'bay 3' })).status).toBe(409);
  await pack(first);
  await pack(second);
  expect([(await post(admin, ful, 'arrived', { note: 'bay 3' })).status, (await post(admin, ful, 'arrived', { note: 'bay 3' })).status]).toEqual([204, 204]);
  const { body } = await api.call(shop, 'GET', '/v1/pickups');
  expect((body['pickups'] as object[])[0]).toMatchObject({ order: second, way: 'curbside', arrivedNote: 'bay 3' });
  expect((await events(second)).filter((e) => e === 'pickup.arrived')).toEqual(['pickup.arrived']);
});

test('ship to store: what the shop lacks is sent to it by transfer, once, and is fetched there', async () => {
  const sku = await stocked({ 'L-1': 3, 'L-4': 1 });
  const { id, missing } = await api.world.capture({ pickup: { location: 'L-4', way: 'ship_to_store' }, lines: [line(sku, 3)] });
  expect(missing).toMatchObject([{ quantity: 2 }]);
  await Promise.all([1, 2].map(() => api.world.activities(null).validate({ orderId: id })));
  await api.advance(id, 'reserve');
  const { rows } = await api.world.store.pool.query<{ id: string; units: number; from: string; status: string }>(
    `select t.id, l.quantity units, (select code from locations where id = from_location_id) "from", status from transfers t join transfer_lines l on l.transfer_id = t.id where t.order_id = $1`, [decodeId('ord', id)]);
  expect(rows).toMatchObject([{ units: 2, from: 'L-1', status: 'approved' }]);
  const { writer, network } = api.world.store;
  const who = { actor: 'key:test', onlyLocation: null };
  await shipTransfer(writer, rows[0]!.id, {}, who);
  api.world.now = new Date('2026-11-25T02:00:00Z');
  await receiveTransfer(writer, network, rows[0]!.id, { reference: 'R', lines: [{ sku, quantity: 2 }] }, who);
  await api.advance(id);
  const { id: ful, location, lines } = await f(id);
  expect([location, lines]).toEqual(['L-4', [{ lineNo: 1, quantity: 3 }]]);
  await pack(id);
  expect([(await post(shop, ful, 'hand-out', { code: await codeOf(ful) })).status, await api.world.status(id)]).toEqual([204, 'delivered']);
});

type Sent = { id: string; units: number; from: string; status: string };
const transfers = async (id: string): Promise<Sent[]> => (await api.world.store.pool.query<Sent>(
  `select t.id, l.quantity units, (select code from locations where id = from_location_id) "from", status from transfers t join transfer_lines l on l.transfer_id = t.id where t.order_id = $1 order by t.id`, [decodeId('ord', id)])).rows;
const sent = async (id: string): Promise<string[]> => (await transfers(id)).map((t) => `${t.units} from ${t.from} ${t.status}`);
const who = { actor: 'key:test', onlyLocation: null };
const quoted = async (sku: string, quantity: number) => (await api.call(admin, 'POST', '/v1/promise', { channel: 'own', pickup: 'L-4', lines: [line(sku, quantity)] })).body['options'] as { way: string; by: string | null; missing: object[] }[];

test('ship to store: several places bring together what none has alone, as it was quoted; at once and again, it is sent once', async () => {
  const sku = await stocked({ 'L-1': 1, 'L-3': 1, 'L-5': 5 });
  await api.world.store.pool.query(`update locations set kind = 'dealer' where code = 'L-5'`);
  await api.world.store.network.reload();
  expect((await quoted(sku, 3))[1]).toMatchObject({ way: 'ship_to_store', by: null, missing: [{ sku, quantity: 1 }] });
  const [, quote] = await quoted(sku, 2);
  const id = await order(sku, 'ship_to_store', 2);
  await Promise.all([1, 2, 3].map(() => sendToStore(api.world.store.writer, api.world.store.network, decodeId('ord', id) as string)));
  expect(await sent(id)).toEqual(['1 from L-3 approved', '1 from L-1 approved']);
  expect(await api.world.one('select deliver_by by from orders where id = $1', decodeId('ord', id))).toEqual({ by: new Date(quote?.by ?? '') });
  await api.world.store.pool.query(`update locations set kind = 'store' where code = 'L-5'`);
  await api.world.store.network.reload();
});

test('ship to store: a transfer that is given up is made again from elsewhere; too little received is sent again', async () => {
  const sku = await stocked({ 'L-1': 4, 'L-3': 2 });
  const { writer, network } = api.world.store;
  const id = await order(sku, 'ship_to_store', 2);
  expect(await sent(id)).toEqual(['2 from L-3 approved']);
  await cancelTransfer(writer, (await transfers(id))[0]!.id, 'it was not sent in time', who);
  await api.advance(id);
  expect(await sent(id)).toEqual(['2 from L-3 cancelled', '2 from L-1 approved']);
  const [, second] = await transfers(id);
  await shipTransfer(writer, second!.id, {}, who);
  await receiveTransfer(writer, network, second!.id, { reference: 'R', final: true, lines: [{ sku, quantity: 1 }] }, who);
  await api.advance(id);
  expect(await sent(id)).toEqual(['2 from L-3 cancelled', '2 from L-1 received', '1 from L-1 approved']);
  expect(await there(sku)).toMatchObject({ 'L-3': [2, 0], 'L-4': [1, 1] });
});

test('ship to store: what has not come by its date is noticed, once', async () => {
  const sku = await stocked({ 'L-1': 1 });
  const id = await order(sku, 'ship_to_store');
  const { by } = await api.world.one<{ by: Date }>('select deliver_by by from orders where id = $1', decodeId('ord', id));
  const late = async (at: Date): Promise<number> => {
    api.world.now = at;
    await api.advance(id);
    return (await events(id)).filter((e) => e === 'pickup.late').length;
  };
  expect([await late(new Date(by.getTime() - 1)), await late(by), await late(new Date(by.getTime() + 86_400_000)), await api.world.status(id)]).toEqual([0, 1, 1, 'backordered']);
});

test('ship to store: what is on its way is the order\'s, whatever the shop keeps from sale or others wait for', async () => {
  const sku = await stocked({ 'L-1': 3, 'L-4': 1 });
  const { writer, network, pool } = api.world.store;
  await pool.query(`update stock_levels set buffer = 5 where location_id = $1 and sku_id = (select id from skus where code = $2)`, [api.world.locationId('L-4'), sku]);
  await api.world.store.projection.refresh();
  const id = await order(sku, 'ship_to_store', 2);
  const [transfer] = await transfers(id);
  await Promise.all([1, 2].map(() => shipTransfer(writer, transfer!.id, {}, who)));
  expect([await api.world.status(id), (await api.world.one(`select count(*)::int n from shortages where order_id = $1 and status = 'open'`, decodeId('ord', id)))]).toEqual(['backordered', { n: 0 }]);
  await receiveTransfer(writer, network, transfer!.id, { reference: 'R', lines: [{ sku, quantity: 2 }] }, who);
  await api.advance(id);
  expect([(await f(id)).location, (await f(id)).status, await there(sku)]).toEqual(['L-4', 'released', { 'L-1': [1, 0], 'L-4': [3, 2] }]);
  expect(await sent(id)).toEqual(['2 from L-1 received']);
});

test('ship to store: a shop that gave the order back for good is asked again for what is sent to it', async () => {
  const { writer, network, pool } = api.world.store;
  const states = async (id: string) => (await api.world.fulfillments(id)).map((x) => `${x.location} ${x.status}`);
  for (const reason of ['not_found', 'mismatch', 'damaged'] as const) {
    const sku = await stocked({ 'L-1': 3, 'L-4': 1 });
    const id = await order(sku, 'ship_to_store');
    await api.world.tell(await f(id), { type: 'rejected', reason });
    await api.advance(id);
    const [transfer] = await transfers(id);
    expect([await sent(id), await api.world.status(id)]).toEqual([['1 from L-1 approved'], 'backordered']);
    await shipTransfer(writer, transfer!.id, {}, who);
    await receiveTransfer(writer, network, transfer!.id, { reference: 'R', lines: [{ sku, quantity: 1 }] }, who);
    await api.advance(id);
    expect([await states(id), await api.world.status(id), await there(sku)]).toEqual([['L-4 rejected', 'L-4 released'], 'in_fulfillment', { 'L-1': [2, 0], 'L-4': [1, 1] }]);
    await pack(id);
    expect([(await post(shop, (await f(id)).id, 'hand-out', { code: await codeOf((await f(id)).id) })).status, await api.world.status(id)]).toEqual([204, 'delivered']);
  }
  expect((await pool.query('select 1 from order_holds where released_at is null')).rowCount).toBe(0);
});

test('ship to store: held for what the shop did not find, and lifted when what was asked for leaves', async () => {
  const { writer, network, pool } = api.world.store;
  const sku = await stocked({ 'L-1': 3, 'L-4': 1 });
  const id = await order(sku, 'ship_to_store');
  await api.world.tell(await f(id), { type: 'rejected', reason: 'not_found' });
  await api.advance(id);
  // Found after all, before the other one has left.
  await api.world.setStock(sku, { 'L-4': 1 });
  await api.advance(id);
  const holds = async () => (await pool.query('select reason, released_by by from order_holds where order_id = $1', [decodeId('ord', id)])).rows;
  expect([await holds(), await sent(id)]).toEqual([[{ reason: 'given_back', by: null }], ['1 from L-1 approved']]);
  const [transfer] = await transfers(id);
  await shipTransfer(writer, transfer!.id, {}, who);
  await receiveTransfer(writer, network, transfer!.id, { reference: 'R', lines: [{ sku, quantity: 1 }] }, who);
  await api.advance(id);
  expect([await holds(), (await api.world.fulfillments(id)).map((x) => x.status), await there(sku)]).toEqual([[{ reason: 'given_back', by: 'system' }], ['rejected', 'released'], { 'L-1': [2, 0], 'L-4': [2, 1] }]);
});

test('ship to store: to a closed shop, or of a SKU that is not active any more, nothing is sent: it waits, is told once, and goes on when that is over', async () => {
  const { network, pool } = api.world.store;
  const { validate, reserve } = api.world.activities(null);
  for (const [what, told] of [[`update locations set active = $2 where code = 'L-4' and $1::text is not null`, ['pickup.not_sent']], ['update skus set active = $2 where code = $1', []]] as const) {
    const sku = await stocked({ 'L-1': 3 });
    const { id } = await api.world.capture({ pickup: { location: 'L-4', way: 'ship_to_store' }, lines: [line(sku)] });
    const set = async (active: boolean): Promise<void> => { await pool.query(what, [sku, active]); await network.reload(); await network.loadSkus([sku]); };
    await set(false);
    for (let i = 0; i < 3; i++) await validate({ orderId: id });
    for (let i = 0; i < 2; i++) await reserve({ orderId: id });
    await api.advance(id);
    expect([await events(id), await sent(id), await api.world.status(id), await there(sku)]).toEqual([told, [], 'backordered', { 'L-1': [3, 0] }]);
    await set(true);
    await api.advance(id);
    expect([await events(id), await sent(id)]).toEqual([told, ['1 from L-1 approved']]);
  }
});

test('endless aisle: the shop takes the order, the warehouse ships it, and the sale is the shop\'s', async () => {
  const sku = await stocked({ 'L-1': 2 });
  const id = await api.order({ location: 'L-4', lines: [line(sku)] });
  expect([(await f(id)).location, (await api.call(admin, 'GET', `/v1/orders/${id}`)).body['location']]).toEqual(['L-1', 'L-4']);
});

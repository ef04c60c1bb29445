import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { changeAddress } from '../../../db/orders/change-address.ts';
import { releaseOrder } from '../../../db/orders/hold-order.ts';
import { payOrder } from '../../../db/orders/pay-order.ts';
import { keepPromise } from '../../../db/promise/keep.ts';
import { lookAtPromise } from '../../../db/promise/look.ts';
import { decodeId } from '../../../domain/ids.ts';
import type { Ladder } from '../../../domain/promising/ladder.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let admin: string;
let skus = 0;
// Monday 10:00 in Shanghai. L-1 hands over until 16:00 and has it out by 17:00; L-2 in Beijing and L-3 in Guangzhou, two days away.
const START = new Date('2026-11-23T02:00:00Z');
const ladder: Ladder = {
  atRiskMinutes: 60, reSource: { latenessPerDay: 100_000, waitMinutes: 30 }, ask: { options: ['wait', 'cancel'], answerMinutes: 120, otherwise: 'wait' },
  compensate: { kind: 'voucher', percent: 10, atMost: 2000, lateMinutes: 60 },
};
beforeAll(async () => {
  api = await TestApi.open({ locations: 3, stock: 0, skus: 40 });
  admin = await api.key('admin', SCOPES);
  for (const channel of ['own', 'douyin', 'merging']) {
    const answer = await api.app.inject({ method: 'PUT', url: `/v1/channels/${channel}/promise-ladder`, headers: { authorization: `Bearer ${admin}` }, payload: { ladder } });
    expect(answer.statusCode).toBe(200);
  }
});
afterAll(async () => { await api.close(); });
beforeEach(() => { api.world.now = START; });
afterEach(async () => { expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });

async function stocked(at: Record<string, number>): Promise<string> {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, at);
  await api.world.store.projection.refresh();
  return sku;
}
const uuid = (id: string): string => decodeId('ord', id) as string;
const at = async (id: string, time: string): Promise<void> => { api.world.now = new Date(time); await api.advance(id); };
const line = (sku: string, quantity = 1) => ({ sku, quantity, unitPrice: 1000 });
const events = async (id: string) => (await api.world.events(id)).filter((e) => e.startsWith('promise.'));
const promised = async (id: string) => (await api.call(admin, 'GET', `/v1/orders/${id}/promise`)).body as { promisedBy: string | null; rung: string; brokenAt: string | null; history: { promisedBy: string; reason: string }[]; questions: { moot: boolean }[]; compensation: object | null };
const history = async (id: string) => (await promised(id)).history.map((h) => [h.promisedBy, h.reason]);
const shipBy = async (id: string) => (await api.world.one<{ at: Date | null }>('select ship_by at from orders where id = $1', uuid(id))).at?.toISOString() ?? null;
const pay = (id: string) => payOrder(api.world.store.writer, api.world.store.network, uuid(id), 'PAY', 'key:test');
const SHIP_TO = { name: 'Test Person', phone: '10000000001', country: 'CN', province: 'Shanghai', city: 'Shanghai', street: '1 Example Road' };
const move = (id: string, to: object) => changeAddress(api.world.store.writer, api.world.store.network, api.world.store.vault, uuid(id), { ...SHIP_TO, ...to }, 'key:test');
const GUANGZHOU = { province: 'Guangzhou', city: 'Guangzhou' };

describe('a merge window', () => {
  test('that ends after the cut-off: quote and capture promise the next hand-over, and routing finds it on time', async () => {
    const sku = await stocked({ 'L-1': 2 });
    api.world.now = new Date('2026-11-23T07:50:00Z');
    const quoted = (await api.call(admin, 'POST', '/v1/promise', { channel: 'merging', destination: { country: 'CN', province: 'Shanghai', city: 'Shanghai' }, lines: [line(sku)] })).body['options'] as { handOver: string; by: string }[];
    const { id, promise } = await api.world.capture({ channel: 'merging', lines: [line(sku)] });
    expect(promise).toEqual({ shipBy: '2026-11-24T09:00:00.000Z', deliverBy: '2026-11-25T10:00:00.000Z' });
    expect(quoted).toMatchObject([{ handOver: promise?.shipBy, by: promise?.deliverBy }]);
    await at(id, '2026-11-23T08:06:00Z');
    expect((await api.world.fulfillments(id)).map((f) => f.status)).toEqual(['released']);
    expect([await events(id), (await promised(id)).rung]).toEqual([[], 'none']);
  });

  test('that ends before the cut-off changes nothing', async () => {
    const { promise } = await api.world.capture({ channel: 'merging', lines: [line(await stocked({ 'L-1': 1 }))] });
    expect(promise).toEqual({ shipBy: '2026-11-23T09:00:00.000Z', deliverBy: '2026-11-24T10:00:00.000Z' });
  });
});

describe('paid later', () => {
  const DEPOSIT = { status: 'deposit' as const, deposit: 500, balanceDueAt: '2026-12-10T00:00:00Z' };
  test('a pre-sale whose balance comes ten days later is dated from then, and nothing is owed', async () => {
    const id = await api.order({ payment: DEPOSIT, lines: [line(await stocked({ 'L-1': 1 }))] });
    expect([await history(id), await shipBy(id)]).toEqual([[['2026-11-24T10:00:00.000Z', 'at capture']], '2026-11-23T09:00:00.000Z']);
    api.world.now = new Date('2026-12-03T02:00:00Z');
    await Promise.all([pay(id), pay(id)]);
    await api.advance(id);
    const dated = [['2026-11-24T10:00:00.000Z', 'at capture'], ['2026-12-04T10:00:00.000Z', 'paid']];
    expect([await history(id), await shipBy(id)]).toEqual([dated, '2026-12-03T09:00:00.000Z']);
    await at(id, '2026-12-03T08:01:00Z');
    expect([(await promised(id)).compensation, (await promised(id)).brokenAt, await history(id)]).toEqual([null, null, dated]);
  });

  test('before the cut-off of the same day: the date stays', async () => {
    const id = await api.order({ payment: { status: 'unpaid' }, lines: [line(await stocked({ 'L-1': 1 }))] });
    api.world.now = new Date('2026-11-23T02:20:00Z');
    await pay(id);
    expect([await history(id), await events(id), await shipBy(id)]).toEqual([[['2026-11-24T10:00:00.000Z', 'at capture']], [], '2026-11-23T09:00:00.000Z']);
  });

  test('the day to leave that its platform has set stays; that to arrive is dated anew', async () => {
    const given = '2026-11-24T15:59:59.000Z';
    const id = await api.order({ channel: 'douyin', payment: { status: 'unpaid' }, shipBy: given, lines: [line(await stocked({ 'L-1': 1 }))] });
    api.world.now = new Date('2026-11-25T02:00:00Z');
    await pay(id);
    expect([await shipBy(id), (await history(id)).at(-1)]).toEqual([given, ['2026-11-26T10:00:00.000Z', 'paid']]);
  });

  test('units that were missing: the first look counts from the payment', async () => {
    const id = await api.order({ channel: 'douyin', payment: DEPOSIT, lines: [line(await stocked({ 'L-1': 1 }), 2)] });
    api.world.now = new Date('2026-12-03T02:00:00Z');
    await pay(id);
    await api.advance(id);
    expect([await history(id), (await promised(id)).compensation, await events(id)]).toEqual([[['2026-12-04T10:00:00.000Z', 'as if all of it had been there']], null, ['promise.at_risk', 'promise.asked']]);
  });
});

describe('another address', () => {
  test('in another city is dated from now; the ladder finds nothing late', async () => {
    const id = await api.order({ lines: [line(await stocked({ 'L-1': 1 }))] }, 'ship');
    api.world.now = new Date('2026-11-23T03:00:00Z');
    await Promise.all([move(id, GUANGZHOU), move(id, GUANGZHOU)]);
    await api.advance(id);
    await at(id, '2026-11-23T07:00:00Z');
    expect(await history(id)).toEqual([['2026-11-24T10:00:00.000Z', 'at capture'], ['2026-11-25T10:00:00.000Z', 'address changed']]);
    expect([await events(id), (await promised(id)).rung]).toEqual([['promise.changed'], 'none']);
  });

  test('of the same city, or nearer, keeps the date', async () => {
    const [same, nearer] = [await api.order({ lines: [line(await stocked({ 'L-1': 1 }))] }, 'ship'), await api.order({ lines: [line(await stocked({ 'L-1': 1 }))], shipTo: { ...SHIP_TO, ...GUANGZHOU } }, 'ship')];
    api.world.now = new Date('2026-11-23T09:30:00Z'); // today's hand-over is missed
    await move(same, { street: '2 Example Road' });
    await move(nearer, {});
    expect([await history(same), await history(nearer)]).toEqual([[['2026-11-24T10:00:00.000Z', 'at capture']], [['2026-11-25T10:00:00.000Z', 'at capture']]]);
  });

  test('while its customer is asked: no answer is needed any more', async () => {
    const id = await api.order({ channel: 'douyin', lines: [line(await stocked({ 'L-1': 1 }), 2)] });
    expect((await promised(id)).questions).toMatchObject([{ moot: false }]);
    api.world.now = new Date('2026-11-23T03:00:00Z');
    await move(id, GUANGZHOU);
    const { rung, questions } = await promised(id);
    expect([await history(id), rung, questions]).toMatchObject([[['2026-11-24T10:00:00.000Z', 'as if all of it had been there'], ['2026-11-25T10:00:00.000Z', 'address changed']], 'none', [{ moot: true }]]);
    // What is missing is still missing: the customer is asked anew, once.
    await api.advance(id);
    expect((await promised(id)).questions).toMatchObject([{ moot: true }, { moot: false }]);
  });

  test('where nobody goes has no date until somebody says how', async () => {
    const id = await api.order({ lines: [line(await stocked({ 'L-1': 1 }))] }, 'ship');
    await move(id, { country: 'US', province: 'NY', city: 'New York' });
    await api.advance(id);
    expect([(await promised(id)).promisedBy, await shipBy(id), await api.world.status(id)]).toEqual([null, null, 'on_hold']);
    // Back where somebody goes: dated from then.
    api.world.now = new Date('2026-11-24T02:00:00Z');
    await move(id, GUANGZHOU);
    await api.advance(id);
    expect([await history(id), await shipBy(id), await api.world.status(id)]).toEqual([[['2026-11-24T10:00:00.000Z', 'at capture'], ['2026-11-26T10:00:00.000Z', 'address changed']], '2026-11-24T09:00:00.000Z', 'in_fulfillment']);
  });

  test('refused, as all of it is packed: the promise stays', async () => {
    const id = await api.order({ lines: [line(await stocked({ 'L-1': 1 }))] });
    const [f] = await api.world.fulfillments(id);
    await api.world.tell(f as never, { type: 'accepted' });
    await api.world.issue((await api.world.fulfillments(id))[0] as never);
    const before = await api.fingerprint();
    await expect(move(id, GUANGZHOU)).rejects.toMatchObject({ code: 'conflict' });
    expect(await api.fingerprint()).toBe(before);
    expect(await history(id)).toEqual([['2026-11-24T10:00:00.000Z', 'at capture']]);
  });

  test('where its units cannot go from: the date of before is judged no more, and the next look gives one from then', async () => {
    const { writer, network, pool } = api.world.store;
    await pool.query(`insert into locations (code, name, kind, country, province, city, lat, lon, time_zone, cutoff_minutes, handling_minutes, work_days, handling_cost, accept_timeout_s, partner_url)
      select 'L-US', 'L-US', kind, 'US', 'NY', 'New York', 40.7, -74, time_zone, cutoff_minutes, handling_minutes, work_days, handling_cost, accept_timeout_s, partner_url from locations where code = 'L-1'`);
    await network.reload();
    const sku = await stocked({ 'L-1': 1 });
    const id = await api.order({ lines: [line(sku)] }, 'ship');
    const look = (): Promise<void> => writer.change((tx) => lookAtPromise(tx, uuid(id)));
    await look();
    await keepPromise(writer, network, uuid(id));
    await move(id, { country: 'US', province: 'NY', city: 'New York' });
    await api.advance(id);
    expect([(await promised(id)).promisedBy, await api.world.status(id), await events(id)]).toEqual([null, 'on_hold', ['promise.changed']]);
    // Somebody has it there days later, and the order goes on; then there is news of it.
    api.world.now = new Date('2026-11-26T02:00:00Z');
    await api.world.setStock(sku, { 'L-US': 1 });
    await releaseOrder(writer, uuid(id), null, 'key:test');
    await api.advance(id);
    expect((await api.world.fulfillments(id)).map((f) => `${f.location} ${f.status}`).at(-1)).toBe('L-US released');
    await look();
    await api.advance(id);
    const { promisedBy, brokenAt, compensation } = await promised(id);
    expect([promisedBy, brokenAt, compensation, await events(id)]).toEqual(['2026-11-27T10:00:00.000Z', null, null, ['promise.changed', 'promise.changed']]);
    expect(await history(id)).toEqual([['2026-11-24T10:00:00.000Z', 'at capture'], ['2026-11-27T10:00:00.000Z', 'a date can be said again']]);
  });
});

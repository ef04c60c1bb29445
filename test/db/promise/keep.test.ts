import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { keepPromise } from '../../../db/promise/keep.ts';
import { decodeId } from '../../../domain/ids.ts';
import type { Ladder } from '../../../domain/promising/ladder.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let admin: string;
let skus = 0;
// Monday 10:00 in Shanghai. L-1 hands over until 16:00 and has it out by 17:00; L-2, in the same city here, until 20:00; L-3 in Guangzhou, two days away, one by express.
const START = new Date('2026-11-23T02:00:00Z');
const full: Ladder = {
  atRiskMinutes: 60, reSource: { latenessPerDay: 100_000, waitMinutes: 30 }, upgrade: { maxExtraCost: 2000, waitMinutes: 30 },
  ask: { options: ['wait', 'split', 'substitute', 'cancel'], answerMinutes: 120, otherwise: 'wait' }, compensate: { kind: 'voucher', percent: 10, atMost: 2000, lateMinutes: 60 },
};
beforeAll(async () => {
  api = await TestApi.open({ locations: 3, stock: 0, skus: 40 });
  admin = await api.key('admin', SCOPES);
  await api.world.store.pool.query(`update locations set province = 'Shanghai', city = 'Shanghai', cutoff_minutes = 1200 where code = 'L-2'`);
  await api.world.store.pool.query(`insert into carrier_rates (carrier, zone, first_weight_g, first_cost, step_g, step_cost, transit_days, service) values ('sim', 'national', 1000, 2800, 500, 500, 1, 'express')`);
  await api.world.store.network.reload();
});
afterAll(async () => { await api.close(); });
beforeEach(async () => { api.world.now = START; await ladder(full); });
afterEach(async () => { expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });

async function ladder(body: Ladder | null, channel = 'own'): Promise<void> {
  const answer = await api.app.inject({ method: 'PUT', url: `/v1/channels/${channel}/promise-ladder`, headers: { authorization: `Bearer ${admin}` }, payload: { ladder: body } });
  expect(answer.statusCode).toBe(200);
}
async function stocked(at: Record<string, number>): Promise<string> {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, at);
  return sku;
}
const at = async (id: string, time: string): Promise<void> => { api.world.now = new Date(time); await api.advance(id); };
const line = (sku: string, quantity = 1) => ({ sku, quantity, unitPrice: 1000 });
const events = async (id: string) => (await api.world.events(id)).filter((e) => e.startsWith('promise.'));
const promised = async (id: string) => (await api.call(admin, 'GET', `/v1/orders/${id}/promise`)).body as { promisedBy: string; expectedBy: string | null; rung: string; history: { reason: string }[]; questions: { options: { answer: string }[]; answer: string | null; answeredBy: string | null; moot: boolean }[]; compensation: object | null };
const answer = (id: string, text: string) => api.call(admin, 'POST', `/v1/orders/${id}/promise/answer`, { answer: text });
const places = async (id: string) => (await api.world.fulfillments(id)).map((f) => `${f.location} ${f.status}`);

test('nobody looks at an order that is packed and leaves in time; it closes with its delivery', async () => {
  const id = await api.order({ lines: [line(await stocked({ 'L-1': 1 }))] });
  const [f] = await api.world.fulfillments(id);
  await api.world.tell(f as never, { type: 'accepted' });
  await api.world.issue({ ...f as NonNullable<typeof f>, waybillNo: (await api.world.fulfillments(id))[0]?.waybillNo ?? null });
  await at(id, '2026-11-23T09:30:00Z');
  expect([await events(id), (await promised(id)).history.length]).toEqual([[], 1]);
  api.world.now = new Date('2026-11-24T06:00:00Z');
  await api.world.carrier((await api.world.fulfillments(id))[0]?.waybillNo as string, 'delivered');
  await at(id, '2026-11-24T12:00:00Z');
  expect([await events(id), await api.world.status(id), (await promised(id)).rung]).toEqual([[], 'delivered', 'none']);
});

describe('at risk', () => {
  test('an hour before its hand-over a silent place is asked for it, and a faster one has it: the date is kept', async () => {
    const id = await api.order({ lines: [line(await stocked({ 'L-1': 1, 'L-2': 1 }))] });
    const [f] = await api.world.fulfillments(id);
    await api.world.tell(f as never, { type: 'accepted' });
    await at(id, '2026-11-23T07:59:00Z');
    expect([await places(id), await events(id)]).toEqual([['L-1 accepted'], []]);
    await at(id, '2026-11-23T08:01:00Z');
    expect([await places(id), await events(id)]).toEqual([['L-1 cancelled', 'L-2 released'], ['promise.at_risk', 'promise.re_source']]);
    expect(await promised(id)).toMatchObject({ promisedBy: '2026-11-24T10:00:00.000Z', rung: 're_source' });
    await at(id, '2026-11-23T08:32:00Z');
    expect([await events(id), await promised(id)]).toMatchObject([['promise.at_risk', 'promise.re_source', 'promise.recovered'], { rung: 'none', expectedBy: '2026-11-24T10:00:00.000Z' }]);
  });

  test('where only one place has it, a faster service is taken, if it costs no more than is allowed', async () => {
    const costly = await stocked({ 'L-3': 1 });
    const cheap = await stocked({ 'L-3': 1 });
    await ladder({ ...full, upgrade: { maxExtraCost: 100, waitMinutes: 30 } });
    const first = await api.order({ lines: [line(costly)] });
    await ladder(full);
    const second = await api.order({ lines: [line(cheap)] });
    await at(first, '2026-11-23T08:01:00Z');
    await at(second, '2026-11-23T08:01:00Z');
    // The first began to be looked at under the newest ladder too: it is fixed when it is first looked at.
    expect((await promised(first)).promisedBy).toBe('2026-11-25T10:00:00.000Z');
    const row = await api.world.one<{ service: string; n: number }>(`select max(service) service, count(*)::int n from fulfillment_orders where order_id = $1 and status = 'released'`, decodeId('ord', second));
    expect([row, await events(second)]).toEqual([{ service: 'express', n: 1 }, ['promise.at_risk', 'promise.re_source', 'promise.upgrade']]);
    await at(second, '2026-11-23T08:32:00Z');
    expect((await events(second)).at(-1)).toBe('promise.recovered');
  });

  test('twice at the same time it takes each rung once', async () => {
    const id = await api.order({ lines: [line(await stocked({ 'L-1': 1 }))] });
    api.world.now = new Date('2026-11-23T08:01:00Z');
    const { writer, network } = api.world.store;
    await Promise.all([1, 2, 3].map(() => keepPromise(writer, network, decodeId('ord', id) as string)));
    expect(await events(id)).toEqual(['promise.at_risk', 'promise.re_source', 'promise.upgrade', 'promise.asked']);
    expect((await promised(id)).questions.length).toBe(1);
  });

  test('a channel without a ladder is left alone', async () => {
    await ladder(null);
    const id = await api.order({ lines: [line(await stocked({ 'L-1': 1 }))] });
    await at(id, '2026-11-27T08:01:00Z');
    expect(await events(id)).toEqual([]);
  });
});

/** One line is there, of the other one unit of two is missing; nobody can say until when. */
async function short(): Promise<{ id: string; there: string; missing: string }> {
  await ladder(full, 'douyin');
  const there = await stocked({ 'L-1': 5 });
  const missing = await stocked({ 'L-1': 1 });
  return { id: await api.order({ channel: 'douyin', lines: [line(there), line(missing, 2)] }), there, missing };
}

describe('the customer is asked', () => {
  test('at once where units are missing, and only what can be done is offered', async () => {
    const { id } = await short();
    expect([await events(id), (await promised(id)).questions]).toMatchObject([['promise.at_risk', 'promise.asked'], [{ options: [{ answer: 'wait', by: null }, { answer: 'split', by: null, lines: [{ line: 2, quantity: 1 }] }, { answer: 'cancel' }], answer: null, moot: false }]]);
    const before = await events(id);
    expect(await answer(id, 'substitute')).toMatchObject({ status: 422, body: { code: 'unprocessable', field: '/answer' } });
    expect(await events(id)).toEqual(before);
    const { body } = await api.call(admin, 'GET', '/v1/promises/at-risk?channel=douyin');
    expect((body['promises'] as { order: string; rung: string }[]).filter((p) => p.order === id)).toMatchObject([{ rung: 'ask', expectedBy: null }]);
  });

  test('split: what is there goes now, the rest is an order of its own; answered twice it is one answer', async () => {
    const { id } = await short();
    const [first, second] = await Promise.all([answer(id, 'split'), answer(id, 'split')]);
    expect([first.status, second.status, first.body['split'] === second.body['split']]).toEqual([200, 200, true]);
    expect(await answer(id, 'cancel')).toMatchObject({ status: 409, body: { code: 'conflict' } });
    await api.advance(id);
    expect([await places(id), (await promised(id)).rung]).toEqual([['L-1 released'], 'none']);
    const lines = await api.world.store.pool.query(`select line_no, quantity from order_lines where order_id = $1`, [decodeId('ord', first.body['split'] as string)]);
    expect(lines.rows).toEqual([{ line_no: 2, quantity: 1 }]);
  });

  test('substitute: another SKU at the price of the line', async () => {
    const { id, missing } = await short();
    await answer(id, 'wait'); // has no effect on the next order
    const other = await stocked({ 'L-1': 3 });
    const put = await api.app.inject({ method: 'PUT', url: `/v1/skus/${missing}/substitutes`, headers: { authorization: `Bearer ${admin}` }, payload: { substitutes: [other] } });
    expect([put.statusCode, put.json()]).toEqual([200, { sku: missing, substitutes: [other] }]);
    await api.world.setStock(missing, { 'L-1': 1 });
    const next = await api.order({ channel: 'douyin', lines: [line(missing, 3)] });
    expect((await promised(next)).questions.at(-1)?.options).toContainEqual({ answer: 'substitute', lines: [{ line: 1, sku: missing, substitute: other }] });
    expect((await answer(next, 'substitute')).status).toBe(200);
    await api.advance(next);
    const { sku } = await api.world.one<{ sku: string }>('select sku_code sku from order_lines where order_id = $1', decodeId('ord', next));
    expect([sku, await places(next), (await promised(next)).rung]).toEqual([other, ['L-1 released'], 'none']);
  });

  test('cancel: everything is given back and refunded', async () => {
    const { id, there } = await short();
    expect(await answer(id, 'cancel')).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    expect([await api.world.status(id), (await api.world.stock(there))['L-1']]).toEqual(['cancelled', [5, 0]]);
  });

  test('nobody answers: waiting counts, with the end of the wait as the new date, and nobody asks again before it', async () => {
    const { id } = await short();
    const before = (await promised(id)).promisedBy;
    await at(id, '2026-11-23T04:01:00Z');
    const after = await promised(id);
    expect([after.questions.map((q) => [q.answer, q.answeredBy]), after.history.map((h) => h.reason), after.promisedBy > before, after.rung]).toEqual([[['wait', 'system']], ['as if all of it had been there', 'the customer waits'], true, 'none']);
    await at(id, '2026-11-24T04:01:00Z');
    expect((await promised(id)).questions.length).toBe(1);
  });

  test('the units come before the answer: the question is moot', async () => {
    const { id, missing } = await short();
    await api.world.setStock(missing, { 'L-1': 2 });
    await api.advance(id);
    await at(id, '2026-11-23T04:01:00Z');
    expect([(await promised(id)).questions.map((q) => [q.answer, q.moot]), (await promised(id)).rung, (await answer(id, 'cancel')).status]).toEqual([[[null, true]], 'none', 409]);
  });
});

describe('broken', () => {
  test('late by more than is forgiven: ten percent of what comes late, once; settled once', async () => {
    const id = await api.order({ lines: [line(await stocked({ 'L-1': 2 }), 2)] });
    const [f] = await api.world.fulfillments(id);
    await api.world.tell(f as never, { type: 'accepted' });
    await api.world.issue((await api.world.fulfillments(id))[0] as never);
    await at(id, '2026-11-24T10:30:00Z');
    expect((await events(id)).includes('promise.broken')).toBe(false);
    await api.world.carrier((await api.world.fulfillments(id))[0]?.waybillNo as string, 'in_transit');
    await at(id, '2026-11-24T11:30:00Z');
    await at(id, '2026-11-25T11:30:00Z');
    expect((await promised(id)).compensation).toEqual({ kind: 'voucher', amount: 280, currency: 'CNY', lateMinutes: 90, status: 'due', settlementReference: null });
    expect((await events(id)).filter((e) => e === 'promise.broken' || e === 'promise.compensated')).toEqual(['promise.broken', 'promise.compensated']);
    const settle = (reference: string) => api.app.inject({ method: 'POST', url: `/v1/orders/${id}/promise/compensation/settle`, headers: { authorization: `Bearer ${admin}` }, payload: { reference } });
    expect([(await settle('V-1')).statusCode, (await settle('V-1')).statusCode, (await settle('V-2')).statusCode]).toEqual([204, 204, 409]);
    api.world.now = new Date('2026-11-25T12:00:00Z');
    await api.world.carrier((await api.world.fulfillments(id))[0]?.waybillNo as string, 'delivered');
    await api.advance(id);
    expect(await api.world.one('select promise_over from orders where id = $1', decodeId('ord', id))).toEqual({ promise_over: true });
  });
});

describe('a ladder', () => {
  const put = (payload: object, channel = 'own', key = admin) => api.app.inject({ method: 'PUT', url: `/v1/channels/${channel}/promise-ladder`, headers: { authorization: `Bearer ${key}` }, payload });
  test('has versions; the same again is the same', async () => {
    const { version } = (await put({ ladder: full })).json<{ version: number }>();
    expect((await put({ ladder: { ...full, atRiskMinutes: 5 } })).json()).toMatchObject({ version: version + 1, ladder: { atRiskMinutes: 5 }, author: 'key:admin' });
    expect((await put({ ladder: { ...full, atRiskMinutes: 5 } })).json()).toMatchObject({ version: version + 1 });
  });
  test('that makes no sense is refused, and nothing is changed', async () => {
    const before = await api.world.one('select count(*)::int n from promise_ladders');
    const answers = await Promise.all([
      put({ ladder: { ...full, ask: { options: ['wait'], answerMinutes: 5, otherwise: 'cancel' } } }), put({ ladder: { ...full, ask: { options: ['wait', 'wait'], answerMinutes: 5, otherwise: 'wait' } } }),
      put({ ladder: { atRiskMinutes: -1 } }), put({ ladder: { atRiskMinutes: 1, compensate: { kind: 'cash', percent: 5, atMost: 1, lateMinutes: 0 } } }), put({ ladder: full }, 'nobody'),
    ]);
    expect(answers.map((a) => [a.statusCode, a.json<{ field?: string }>().field])).toEqual([
      [422, '/ladder/ask/otherwise'], [422, '/ladder/ask/options'], [400, '/ladder/atRiskMinutes'], [400, '/ladder/compensate/kind'], [404, undefined],
    ]);
    expect(await api.world.one('select count(*)::int n from promise_ladders')).toEqual(before);
  });
});

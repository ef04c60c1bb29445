import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeId, encodeId } from '../../../domain/ids.ts';
import { TestApi, type Answer } from '../../support/api.ts';

let api: TestApi;
let operator: string;
let reader: string;
let atL1: string;
let atL2: string;
let skus = 0;
beforeAll(async () => {
  api = await TestApi.open({ skus: 50, stock: 0 });
  operator = await api.key('operator', ['orders:read', 'orders:operate', 'orders:write']);
  reader = await api.key('reader', ['orders:read']);
  atL1 = await api.key('shop one', ['orders:read', 'orders:operate'], 'L-1');
  atL2 = await api.key('shop two', ['orders:read', 'orders:operate'], 'L-2');
});
afterAll(async () => { await api.close(); });

async function shipped(): Promise<{ id: string; parcel: string; waybill: string }> {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, { 'L-1': 10 });
  const id = await api.order({ lines: [{ sku, quantity: 2, unitPrice: 1000, discounts: [{ bearer: 'shop', code: 'TEN', amount: 100 }] }], freight: 500 });
  const [f] = await api.world.fulfillments(id);
  await api.world.issue(f!);
  const row = await api.world.one<{ id: string; waybill: string }>('select id, waybill_no waybill from parcels where order_id = $1', decodeId('ord', id));
  return { id, parcel: encodeId('par', row.id), waybill: row.waybill };
}
const lost = (parcel: string, key = operator, body: object = { reason: 'never seen again' }): Promise<Answer> => api.call(key, 'POST', `/v1/parcels/${parcel}/lost`, body);
const resolve = (claim: string, body: object, key = operator): Promise<Answer> => api.call(key, 'POST', `/v1/claims/${claim}/resolution`, body);
const list = (query = '', key = reader): Promise<Answer> => api.call(key, 'GET', `/v1/claims?limit=200${query}`);
const idsOf = async (query: string, key?: string) => ((await list(query, key)).body['claims'] as { id: string }[]).map((c) => c.id);
async function refused(send: () => Promise<Answer>, ...expected: unknown[]): Promise<void> {
  const before = await api.fingerprint();
  const { status, body } = await send();
  expect([status, body['code'] ?? null, body['field'] ?? null, body['detail']].slice(0, expected.length)).toEqual(expected);
  expect(await api.fingerprint()).toBe(before);
}

test('from the loss to what the carrier pays', async () => {
  const { id, parcel, waybill } = await shipped();
  const answer = await lost(parcel);
  const claim = answer.body['id'] as string;
  expect(claim).toMatch(/^clm_[0-9a-hjkmnp-tv-z]{26}$/);
  const at = api.world.now.toISOString();
  const open = { id: claim, order: id, parcel, waybillNo: waybill, carrier: 'sim', kind: 'lost', status: 'open', amount: 1900, settledAmount: null, currency: 'CNY', openedAt: at, closedAt: null, note: null };
  expect([answer.status, answer.body]).toEqual([200, open]);
  await refused(() => lost(parcel, operator, { reason: 'said again' }), 200);
  expect((await lost(parcel)).body).toEqual(open);

  await refused(() => resolve(claim, { outcome: 'lost' }), 400, 'invalid', '/outcome');
  await refused(() => resolve(claim, { outcome: 'rejected', amount: 1 }), 422, 'unprocessable', '/amount', 'a rejected claim pays nothing: leave the amount out');
  await refused(() => resolve(claim, { outcome: 'accepted', amount: -1 }), 400, 'invalid', '/amount');
  const done = { ...open, status: 'accepted', settledAmount: 1500, closedAt: at, note: 'insured up to 15' };
  const body = { outcome: 'accepted', amount: 1500, note: 'insured up to 15' };
  expect(await resolve(claim, body)).toMatchObject({ status: 200, body: done });
  await refused(() => resolve(claim, body), 200);
  expect((await resolve(claim, { outcome: 'accepted', amount: 1500 })).body).toEqual(done);
  await refused(() => resolve(claim, { outcome: 'accepted' }), 409, 'conflict', '/amount', 'the claim is accepted with 1500: that is final');
  await refused(() => resolve(claim, { outcome: 'rejected' }), 409, 'conflict', '/outcome', 'the claim is accepted with 1500: that is final');
  const { body: order } = await api.call(reader, 'GET', `/v1/orders/${id}`);
  expect((order['timeline'] as { type: string; actor: string; data: unknown }[]).filter((e) => /^(parcel|claim)\./.test(e.type)).map(({ type, actor, data }) => ({ type, actor, data }))).toEqual([
    { type: 'parcel.lost', actor: 'key:operator', data: { parcel, carrier: 'sim', waybillNo: waybill, at, reason: 'never seen again' } },
    { type: 'claim.opened', actor: 'key:operator', data: { claim, parcel, kind: 'lost', carrier: 'sim', amount: 1900, currency: 'CNY' } },
    { type: 'parcel.exception_raised', actor: 'key:operator', data: { exception: expect.stringMatching(/^exc_/) as string, parcel, carrier: 'sim', waybillNo: waybill, kind: 'lost', detail: 'never seen again' } },
    { type: 'claim.accepted', actor: 'key:operator', data: { claim, amount: 1500, currency: 'CNY' } },
  ]);
});

test('accepted without an amount is what was claimed; rejected pays nothing', async () => {
  const [one, two] = [(await lost((await shipped()).parcel)).body['id'] as string, (await lost((await shipped()).parcel)).body['id'] as string];
  expect((await resolve(one, { outcome: 'accepted' })).body).toMatchObject({ status: 'accepted', settledAmount: 1900, note: null });
  await refused(() => resolve(one, { outcome: 'accepted', amount: 1900 }), 200);
  expect((await resolve(two, { outcome: 'rejected', note: 'delivered, they say' })).body).toMatchObject({ status: 'rejected', settledAmount: null, note: 'delivered, they say' });
  await refused(() => resolve(two, { outcome: 'rejected' }), 200);
  await refused(() => resolve(two, { outcome: 'accepted' }), 409, 'conflict', '/outcome', 'the claim is rejected: that is final');
});

test('two answers at once: one holds', async () => {
  const claim = (await lost((await shipped()).parcel)).body['id'] as string;
  const answers = await Promise.all([resolve(claim, { outcome: 'accepted' }), resolve(claim, { outcome: 'rejected' })]);
  expect(answers.map((a) => a.status).toSorted()).toEqual([200, 409]);
  expect((await list()).body['claims']).toContainEqual(answers.find((a) => a.status === 200)!.body);
});

test('a refund request through the API: refunded at once for what was lost', async () => {
  const { id, parcel } = await shipped();
  await lost(parcel);
  expect(await api.call(operator, 'POST', `/v1/orders/${id}/refund-requests`, { reason: 'lost' })).toMatchObject({ status: 200, body: { status: 'refunded', cancelledUnits: 0 } });
  expect(await api.call(reader, 'GET', `/v1/orders/${id}`)).toMatchObject({ status: 200, body: {
    status: 'delivered', fulfillmentOrders: [{ status: 'lost', parcels: [{ id: parcel, milestone: 'lost' }] }], refunds: [{ cause: 'loss', amount: 2400, status: 'due' }], lines: [{ issued: 2, refunded: 2 }],
  } });
});

test('who may: an operator, on their own orders', async () => {
  const { parcel } = await shipped();
  await refused(() => lost(parcel, reader), 403, 'forbidden');
  await refused(() => lost(parcel, atL2), 404, 'not_found', null, `parcel "${parcel}" does not exist`);
  const none = 'par_00000000000000000000000000';
  await refused(() => lost(none), 404, 'not_found', null, `parcel "${none}" does not exist`);
  await refused(() => lost('par_x'), 400, 'invalid', '/params/id');
  await refused(() => lost(parcel, operator, {}), 400, 'invalid', '/reason');
  const claim = (await lost(parcel, atL1)).body['id'] as string;
  await refused(() => resolve(claim, { outcome: 'accepted' }, reader), 403, 'forbidden');
  await refused(() => resolve(claim, { outcome: 'accepted' }, atL2), 404, 'not_found', null, `claim "${claim}" does not exist`);
  await refused(() => resolve('clm_00000000000000000000000000', { outcome: 'accepted' }), 404, 'not_found');
  expect([await idsOf('', atL2), (await idsOf('', atL1)).includes(claim)]).toEqual([[], true]);
});

test('the list: oldest first, by status, in pages', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) ids.push((await lost((await shipped()).parcel)).body['id'] as string);
  await resolve(ids[1]!, { outcome: 'rejected' });
  const all = await idsOf('');
  expect(all.slice(-3)).toEqual(ids);
  expect((await idsOf('&status=open')).slice(-2)).toEqual([ids[0], ids[2]]);
  expect((await idsOf('&status=rejected')).at(-1)).toBe(ids[1]);
  const paged: string[] = [];
  for (let after: string | null = ''; after !== null;) {
    const { body } = await api.call(reader, 'GET', `/v1/claims?limit=2${after === '' ? '' : `&after=${after}`}`);
    paged.push(...(body['claims'] as { id: string }[]).map((c) => c.id));
    after = body['next'] as string | null;
  }
  expect(paged).toEqual(all);
  await refused(() => list('&after=nonsense'), 400, 'invalid', '/querystring/after');
  await refused(() => list('&status=lost'), 400, 'invalid', '/querystring/status');
});

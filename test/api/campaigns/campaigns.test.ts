import { afterAll, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { advanceCampaign } from '../../../db/clearance/advance.ts';
import { decodeId } from '../../../domain/ids.ts';
import { TestApi } from '../../support/api.ts';
import { Campaigns, readyForCampaigns } from '../../support/campaigns.ts';

let api: TestApi;
let c: Campaigns;
let head: string;
let buyer: string;
let reader: string;
let shop: string;
let n = 0;
beforeAll(async () => {
  api = await TestApi.open({ skus: 60 });
  await readyForCampaigns(api.world);
  c = new Campaigns(api.world);
  head = await api.key('head', SCOPES);
  buyer = await api.key('buyer', ['network:read', 'network:write']);
  reader = await api.key('reader', ['network:read', 'orders:read']);
  shop = await api.key('shop', ['network:read', 'network:write', 'orders:operate'], 'L-1');
});
afterAll(async () => { await api.close(); });

const sku = (): string => `SKU-${++n}`;
const post = (url: string, body: object = {}, key = buyer) => api.call(key, 'POST', url, body);
const get = (url: string, key = reader) => api.call(key, 'GET', url);
const draft = async (plan: object, key = buyer): Promise<string> => {
  const { status, body } = await post('/v1/campaigns', plan, key);
  expect([status, body['status']]).toEqual([201, 'draft']);
  return body['id'] as string;
};
const look = (id: string) => advanceCampaign(api.world.store, decodeId('cmp', id) as string);
/** What a refused command must not change. */
const print = () => api.world.one(`select ${['campaigns', 'campaign_skus', 'campaign_stages', 'campaign_events', 'campaign_prices', 'campaign_proposals', 'promotions', 'coupons', 'outbox', 'partner_events', 'segments', 'segment_members'].map((t) => `(select count(*) || md5(coalesce(string_agg(x::text, '|' order by x::text), '')) from ${t} x) ${t}`).join(', ')}`);
const refused = async (run: () => ReturnType<typeof post>): Promise<unknown[]> => {
  const before = await print();
  const { status, body } = await run();
  expect(await print()).toEqual(before);
  return [status, body['code'], body['field'] ?? null, body['detail']];
};

test('drafted, approved by another, run, paused, resumed, extended, adjusted, stopped, reported', async () => {
  const code = sku();
  const plan = c.plan([code], { approval: 'other', startsAt: c.day(0), endsAt: c.day(4), stages: [c.markdown(4)] });
  const id = await draft(plan);
  expect(await draft(plan)).toBe(id);
  expect(await refused(() => post('/v1/campaigns', { ...plan, target: 700 }))).toEqual(expect.arrayContaining([409, 'duplicate_with_other_body']));
  expect(await refused(() => post(`/v1/campaigns/${id}/approve`))).toEqual([403, 'forbidden', null, 'whoever drafted a campaign does not approve it: another key does']);
  expect(await refused(() => post(`/v1/campaigns/${id}/pause`))).toEqual([409, 'conflict', null, 'the campaign is not approved yet: it cannot be paused']);
  expect((await Promise.all([1, 2, 3].map(() => post(`/v1/campaigns/${id}/approve`, {}, head)))).map((a) => [a.status, a.body['status'], a.body['approvedBy']])).toEqual(Array.from({ length: 3 }, () => [200, 'approved', 'key:head']));
  await look(id);
  expect((await get(`/v1/campaigns/${id}`)).body).toMatchObject({ status: 'running', stock: 30, sold: 0, skus: [{ sku: code, price: 800, stock: 30 }], stages: [{ no: 1, status: 'open' }] });
  expect(await refused(() => get(`/v1/campaigns/${id}/report`))).toEqual([409, 'conflict', null, 'the campaign is not over: its progress is with the campaign itself']);
  for (const what of ['pause', 'pause', 'resume', 'resume']) expect((await post(`/v1/campaigns/${id}/${what}`)).body['status']).toBe(what === 'pause' ? 'paused' : 'running');
  expect((await post(`/v1/campaigns/${id}/extend`, { endsAt: c.day(6) })).body).toMatchObject({ endsAt: c.day(6), stages: [{ endsAt: c.day(6) }] });
  expect((await post(`/v1/campaigns/${id}/adjust`, { target: 500 })).body).toMatchObject({ target: 500 });
  const stopped = await post(`/v1/campaigns/${id}/stop`, { reason: 'enough' });
  expect(stopped.body).toMatchObject({ status: 'ended', endReason: 'stopped' });
  expect((await post(`/v1/campaigns/${id}/stop`, { reason: 'again' })).body['events']).toEqual(stopped.body['events']);
  expect((await get(`/v1/campaigns/${id}/report`)).body['detail']).toBe('the report is being written: ask again in a moment');
  await look(id);
  expect((await get(`/v1/campaigns/${id}/report`)).body).toMatchObject({ reason: 'stopped', sellThrough: 0, currency: 'CNY', words: expect.arrayContaining(['No sales of neighbours were lost.']) });
  expect((await get(`/v1/campaigns?sku=${code}`)).body).toMatchObject({ items: [{ id, status: 'ended' }], next: null });
  expect((await get('/v1/campaigns?status=escalated')).body).toEqual({ items: [], next: null });
  for (const what of ['pause', 'resume', 'extend', 'adjust']) expect(await refused(() => post(`/v1/campaigns/${id}/${what}`, what === 'extend' ? { endsAt: c.day(9) } : what === 'adjust' ? { target: 900 } : {}))).toEqual(expect.arrayContaining([409, 'conflict']));
});

test('bad plans are refused with what, where and why; nothing is written', async () => {
  const code = sku();
  const other = sku();
  const bad = (changes: object) => refused(() => post('/v1/campaigns', { ...c.plan([code]), ...changes }));
  expect(await bad({ endsAt: c.day(-1) })).toEqual([422, 'unprocessable', '/endsAt', 'the campaign ends before it begins']);
  expect(await bad({ floorMargin: 501 })).toEqual([422, 'unprocessable', '/floorMargin', `the floor of SKU "${code}" (1003) is above its price (1000)`]);
  expect(await bad({ budget: 0 })).toEqual(expect.arrayContaining([422, 'unprocessable', '/budget']));
  expect(await bad({ skus: [{ sku: 'nope' }] })).toEqual([422, 'unknown_sku', '/skus/0/sku', 'SKU "nope" is not known or not active']);
  expect(await bad({ channels: ['nope'] })).toEqual(expect.arrayContaining([422, 'unknown_channel', '/channels/0']));
  expect(await bad({ locations: ['nope'] })).toEqual(expect.arrayContaining([422, 'unknown_location', '/locations/0']));
  expect(await bad({ currency: 'EUR', channels: ['own'] })).toEqual([422, 'unprocessable', '/channels/0', 'channel "own" takes CNY, not EUR']);
  expect(await bad({ stages: [{ ...c.markdown(2), startsAt: c.day(3) }] })).toEqual([422, 'unprocessable', '/stages/0/endsAt', 'the stage ends before it begins']);
  expect(await bad({ stages: [{ kind: 'coupon', endsAt: c.day(2), percentOff: 10, segment: 'NOBODY', ways: ['sms'], template: 't' }] })).toEqual(expect.arrayContaining([422, 'unprocessable', '/stages/0/segment']));
  expect(await bad({ stages: [{ kind: 'staff', endsAt: c.day(2), percentOff: 10, group: 'NOBODY', perPerson: 1 }] })).toEqual(expect.arrayContaining([422, 'unprocessable', '/stages/0/group']));
  expect(await bad({ stages: [{ kind: 'gift', endsAt: c.day(2), partner: 'P', gift: 'nope', giftQuantity: 1, minimum: 1, bearer: 'brand' }] })).toEqual(expect.arrayContaining([422, 'unknown_sku', '/stages/0/gift']));
  expect(await bad({ alert: 'alr_nope' })).toEqual(expect.arrayContaining([404, 'not_found']));
  expect(await bad({ target: 1001 })).toEqual(expect.arrayContaining([400, 'invalid', '/target']));
  expect(await bad({ stages: [{ kind: 'lottery', endsAt: c.day(2) }] })).toEqual(expect.arrayContaining([400, 'invalid']));
  const id = await draft(c.plan([other]));
  expect(await refused(() => post('/v1/campaigns', c.plan([code, other], { startsAt: c.day(13), endsAt: c.day(20), stages: [c.markdown(20)] })))).toEqual(expect.arrayContaining([409, 'conflict', '/skus', expect.stringContaining(`has SKU "${other}" in that time`)]));
  const after = await draft(c.plan([other], { startsAt: c.day(14), endsAt: c.day(20), stages: [c.markdown(20)] }));
  expect(await refused(() => post(`/v1/campaigns/${id}/extend`, { endsAt: c.day(15) }))).toEqual(expect.arrayContaining([409, 'conflict', '/skus']));
  await post(`/v1/campaigns/${after}/stop`, { reason: 'no' });
  expect((await post(`/v1/campaigns/${id}/extend`, { endsAt: c.day(15) })).status).toBe(200);
});

test('two campaigns for one SKU at once: one is drafted', async () => {
  const code = sku();
  const answers = await Promise.all([1, 2, 3, 4].map(() => post('/v1/campaigns', c.plan([code]))));
  expect(answers.map((a) => a.status).sort()).toEqual([201, 409, 409, 409]);
  expect((await get(`/v1/campaigns?sku=${code}`)).body['items']).toHaveLength(1);
});

test('who may: reading and writing scopes, no key of a location, unknown ids', async () => {
  const id = await draft(c.plan([sku()]));
  const bodies: Record<string, object> = { approve: {}, pause: {}, resume: {}, extend: { endsAt: c.day(15) }, adjust: { target: 700 }, stop: { reason: 'x' }, answer: { answer: 'x' }, 'proposals/1': { accept: true } };
  for (const [what, body] of Object.entries(bodies)) {
    expect(await refused(() => post(`/v1/campaigns/${id}/${what}`, body, reader))).toEqual(expect.arrayContaining([403, 'forbidden', null, 'this key lacks the scope network:write']));
    expect(await refused(() => post(`/v1/campaigns/${id}/${what}`, body, shop))).toEqual(expect.arrayContaining([403, 'forbidden', null, 'this key is bound to a location: the head office runs campaigns']));
    expect((await post(`/v1/campaigns/cmp_00000000000000000000000000/${what}`, body, head)).status).toBe(404);
  }
  expect(await refused(() => post('/v1/campaigns', c.plan([sku()]), shop))).toEqual(expect.arrayContaining([403, 'forbidden']));
  expect(await refused(() => post(`/v1/campaigns/${id}/answer`, { answer: 'x' }))).toEqual([409, 'conflict', null, 'the campaign is not escalated: there is nothing to answer']);
});

test('members: bad lines are told, the others go on, the same list again adds nobody, nothing personal is shown or stored in the clear', async () => {
  const send = async (type: string, payload: string, key = head) => {
    const answer = await api.app.inject({ method: 'POST', url: '/v1/segments/CLUB/members', headers: { authorization: `Bearer ${key}`, 'content-type': type }, payload });
    return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
  };
  const csv = 'id,name,phone,email,wecom,consent\nM-1,Ann Secret,10000000201,,,yes\nM-2,Bob,,not-mail,,yes\nM-3,Cy,,cy@example.org,,no\nM-4,Di,,,,\n';
  expect(await send('text/csv', csv)).toEqual({ status: 200, body: {
    segment: 'CLUB', lines: 4, added: 2, known: 0, bad: 2,
    problems: [{ line: 3, reason: 'email is no e-mail address' }, { line: 5, reason: 'give a phone, an email or a wecom id: nobody could be told otherwise' }],
  } });
  expect((await send('text/csv', csv)).body).toMatchObject({ added: 0, known: 2, bad: 2 });
  expect((await send('application/x-ndjson', '{"phone":"10000000202"}\n{oops\n[1]\n{"phone":"1","x":2}\n')).body).toMatchObject({ added: 1, bad: 3, problems: [{ line: 2, reason: 'the line is no valid JSON' }, { line: 3, reason: 'the line is no JSON object' }, { line: 4 }] });
  expect((await get('/v1/segments')).body).toMatchObject({ items: [{ code: 'CLUB', members: 3 }, { code: 'VIP', members: 3 }], next: null });
  const { rows } = await api.world.store.pool.query<{ t: string }>(`select x::text t from segment_members x union all select x::text from message_consents x union all select x::text from vault_records x`);
  expect(rows.filter((r) => /Secret|10000000201|cy@example/.test(r.t))).toEqual([]);
  expect((await api.world.one<{ n: number }>(`select count(*)::int n from message_consents where source = 'segment:CLUB'`)).n).toBe(2);
  expect((await send('application/json', '{}')).status).toBe(415);
  expect((await send('text/csv', csv, shop)).status).toBe(403);
  expect((await send('text/csv', csv, reader)).status).toBe(403);
});

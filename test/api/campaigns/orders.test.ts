import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { captureIntake } from '../../../db/capture/capture-intake.ts';
import { advanceCampaign } from '../../../db/clearance/advance.ts';
import { commandCampaign, type CampaignCommand } from '../../../db/clearance/commands.ts';
import { readReport } from '../../../db/clearance/read.ts';
import { cancelOrder } from '../../../db/orders/cancel-order.ts';
import { couponCode } from '../../../db/promotions/issue-coupons.ts';
import { openStore, type Store } from '../../../db/store.ts';
import { decodeId } from '../../../domain/ids.ts';
import type { OrderIntake } from '../../../domain/order/intake.ts';
import type { CampaignPlan, StagePlan } from '../../../domain/clearance/plan.ts';
import { TestApi, DAY } from '../../support/api.ts';
import { Campaigns, readyForCampaigns, type Drafted } from '../../support/campaigns.ts';
import { VAULT_KEY } from '../../support/world.ts';

/** Orders come in by `POST /v1/orders` here, or through the intake of a second process, while campaigns are live: what they pay, and what the campaign makes of it. */
let api: TestApi;
let admin: string;
let other: Store;
let c: Campaigns;
let n = 0;
let t0 = 0;
beforeAll(async () => {
  api = await TestApi.open({ skus: 60, stock: 100 });
  admin = await api.key('admin', SCOPES);
  await readyForCampaigns(api.world);
  c = new Campaigns(api.world);
  other = await openStore({ url: api.world.database.url, vaultKey: VAULT_KEY, clock: () => api.world.now, refreshMs: 50 });
  await call('PUT', '/v1/prices', { prices: Array.from({ length: 60 }, (_, i) => ({ sku: `SKU-${i + 1}`, currency: 'CNY', price: 1000 })) });
  await call('PUT', '/v1/staff', { members: [{ id: 'E-1', group: 'STAFF' }, { id: 'E-2', group: 'STAFF' }, { id: 'E-9', group: 'hq' }] });
});
beforeEach(() => { t0 = api.world.now.getTime(); });
afterEach(async () => {
  expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  expect((await runAudit(api.world.store.pool)).violations).toEqual([]);
});
afterAll(async () => {
  await other.close();
  await api.close();
});

const sku = (): string => `SKU-${++n}`;
/** Sets the clock: days from the test's begin, and seconds. */
const at = (days: number, seconds = 0): void => { api.world.now = new Date(t0 + days * DAY + seconds * 1000); };
const look = async (d: Drafted): Promise<void> => {
  await advanceCampaign(api.world.store, d.uuid);
  await heard();
};
/** Prices that begin at this very moment are known to a process when it has heard of them; what ends is seen by every capture. */
const heard = async (): Promise<void> => { await Promise.all([api.world.store, other].map((s) => s.network.promotions.reload())); };
const command = async (d: Drafted, what: CampaignCommand): Promise<void> => {
  await commandCampaign(api.world.store.writer, api.world.store.network, d.uuid, what, 'key:head');
  await heard();
};
async function call(method: 'PUT' | 'POST' | 'GET', url: string, body?: object) {
  const r = await api.app.inject({ method, url, headers: { authorization: `Bearer ${admin}` }, ...(body === undefined ? {} : { payload: body }) });
  return { status: r.statusCode, body: r.json<Record<string, unknown>>() };
}
type Line = { sku: string; quantity: number; unitPrice?: number };
const intake = (lines: Line[], changes: Partial<OrderIntake> = {}): OrderIntake => api.world.intake({ freight: 0, lines, ...changes });
const order = (lines: Line[], changes: Partial<OrderIntake> = {}) => call('POST', '/v1/orders', intake(lines, changes));
/** The same through another process, behind a queue of its own. */
async function elsewhere(body: OrderIntake): Promise<{ status: number; body: Record<string, unknown> }> {
  await other.network.loadSkus(body.lines.map((l) => l.sku));
  const outcome = await captureIntake(other, body, { apiKeyId: 1, idempotencyKey: null, actor: 'key:test', locationId: null });
  return 'problem' in outcome ? { status: outcome.problem.status, body: {} } : { status: 201, body: outcome.answer };
}
/** Many at once, every other one through the other process. Returns the totals of those that were taken. */
async function crowd(size: number, body: (i: number) => OrderIntake): Promise<number[]> {
  const answers = await Promise.all(Array.from({ length: size }, (_, i) => (i % 2 === 0 ? call('POST', '/v1/orders', body(i)) : elsewhere(body(i)))));
  expect(answers.filter((a) => a.status !== 201 && a.status !== 409)).toEqual([]);
  return answers.filter((a) => a.status === 201).map((a) => a.body['total'] as number).sort((a, b) => a - b);
}
type Got = { total: number; codes: string[]; gifts: number };
/** What an order paid, by which promotions, as its lines keep it; the status and field where it is refused. */
async function buys(lines: Line[], changes: Partial<OrderIntake> = {}): Promise<Got | [number, string]> {
  const { status, body } = await order(lines, changes);
  if (status !== 201) return [status, body['field'] as string];
  const detail = (await call('GET', `/v1/orders/${String(body['id'])}`)).body as { lines: { net: number; gift: boolean; discounts: { code: string; amount: number }[] }[] };
  expect(detail.lines.reduce((sum, l) => sum + l.net, 0)).toBe(body['total']);
  return { total: body['total'] as number, codes: [...new Set(detail.lines.flatMap((l) => l.discounts.map((x) => x.code)))], gifts: detail.lines.filter((l) => l.gift).length };
}
const buyer = (i: number): Partial<OrderIntake> => ({ shipTo: { name: 'A', phone: `1000000010${i}`, country: 'CN', province: 'Shanghai', city: 'Shanghai', street: '1 Example Road' } });
/** Codes of a campaign's coupons that are open, by number of the member. */
async function codes(d: Drafted): Promise<string[]> {
  const { rows } = await api.world.store.pool.query<{ id: string; phone: Buffer }>(
    `select x.id, p.identity_hash phone from coupons x join promotions q on q.id = x.promotion_id join persons p on p.id = x.person_id where q.campaign_id = $1 and x.status = 'issued'`, [d.uuid]);
  const by = new Map(rows.map((r) => [r.phone.toString('hex'), couponCode(api.world.store.vault, r.id)]));
  return [1, 2, 3].map((i) => by.get(api.world.store.vault.hash('buyer', `1000000010${i}`).toString('hex')) ?? '');
}
const list = (total: number, gifts = 0): Got => ({ total, codes: [], gifts });
const approved = (skus: string[], stages: StagePlan[], changes: Partial<CampaignPlan> = {}) => c.approved(c.plan(skus, { endsAt: c.day(13), target: 1000, stages, ...changes }));
const given = async (d: Drafted) => (await api.world.one<{ n: number }>(
  'select coalesce(sum(r.amount), 0)::int n from promotion_redemptions r join promotions p on p.id = r.promotion_id where p.campaign_id = $1 and r.given_back_at is null', d.uuid)).n;

test('every kind of stage, to the second: one second before it begins, as it begins, one second before it ends, as it ends; the report has each sale in its stage', async () => {
  const [a, brand, gift] = [sku(), sku(), sku()];
  const window = (from: number): { startsAt: string; endsAt: string } => ({ startsAt: c.day(from), endsAt: c.day(from + 1) });
  const d = await approved([a], [
    { kind: 'staff', ...window(1), percentOff: 40, group: 'STAFF', perPerson: 3 },
    { kind: 'coupon', ...window(3), percentOff: 30, segment: 'VIP', ways: ['sms'], template: 't', messageCost: 5 },
    { kind: 'live_stream', ...window(5), percentOff: 35, channel: 'own', partner: 'P-1', share: 100, cost: 1_000 },
    { kind: 'bundle', ...window(7), percentOff: 10, partner: 'Brand', with: [brand], bearer: 'brand' },
    { kind: 'gift', ...window(9), partner: 'Brand', gift, giftQuantity: 1, minimum: 2, bearer: 'brand' },
    { ...c.markdown(12, { percentOff: 20, everyS: 43_200 }), startsAt: c.day(11) },
  ]);
  const ref = (await c.read(d)).reference;
  const code = (stage: string): string[] => [`CLR:${ref}:${stage}`];
  await look(d);
  const one: Line[] = [{ sku: a, quantity: 1 }];

  const staff = { staff: { id: 'E-1' } };
  at(1, -1);
  expect(await buys(one, staff)).toEqual(list(1000));
  at(1);
  expect(await buys(one, staff)).toEqual({ total: 600, codes: code('1.0'), gifts: 0 });
  await look(d);
  at(2, -1);
  expect([await buys(one, staff), await buys(one)]).toEqual([{ total: 600, codes: code('1.0'), gifts: 0 }, list(1000)]);
  at(2);
  expect(await buys(one, staff)).toEqual(list(1000));

  at(3);
  await look(d);
  const [first, second, third] = await codes(d) as [string, string, string];
  at(3, -1); // a process whose clock is behind
  expect(await buys(one, { coupons: [first], ...buyer(1) })).toEqual([422, '/coupons/0']);
  at(3);
  expect(await buys(one, { coupons: [first], ...buyer(2) })).toEqual([422, '/coupons/0']);
  expect(await buys(one, { coupons: [first], ...buyer(1) })).toEqual({ total: 700, codes: code('2.0'), gifts: 0 });
  at(4, -1);
  expect([await buys(one, { coupons: [second], ...buyer(2) }), await buys(one, buyer(3))]).toEqual([{ total: 700, codes: code('2.0'), gifts: 0 }, list(1000)]);
  at(4);
  expect(await buys(one, { coupons: [third], ...buyer(3) })).toEqual([422, '/coupons/0']);

  const session = { session: `CLR-${ref}-3` };
  at(5, -1);
  expect([await buys(one, session), await buys(one)]).toEqual([[422, '/session'], list(1000)]);
  at(5);
  expect(await buys(one)).toEqual({ total: 650, codes: code('3.0'), gifts: 0 }); // by its window: nobody has opened it yet
  await look(d);
  const apart = () => api.world.one(`select sum(v.on_hand)::int n, sum(v.reserved)::int r from stock_levels v join skus k on k.id = v.sku_id where k.code = $1 and v.allotment_id > 0`, a);
  expect(await apart()).toEqual({ n: 29, r: 0 }); // a tenth of 90, 100 and 100
  at(6, -1);
  expect(await buys(one, session)).toEqual({ total: 650, codes: code('3.0'), gifts: 0 });
  expect(await apart()).toEqual({ n: 29, r: 1 });
  at(6);
  expect([await buys(one, session), await buys(one)]).toEqual([[422, '/session'], list(1000)]);

  const two: Line[] = [{ sku: a, quantity: 1 }, { sku: brand, quantity: 1 }];
  at(7, -1);
  expect(await buys(two)).toEqual(list(2000));
  at(7);
  expect(await buys(two)).toEqual({ total: 1800, codes: code('4.0.1'), gifts: 0 });
  await look(d);
  expect(await apart()).toEqual({ n: 1, r: 1 }); // the session's rest is home
  at(8, -1);
  expect([await buys(two), await buys(one)]).toEqual([{ total: 1800, codes: code('4.0.1'), gifts: 0 }, list(1000)]);
  at(8);
  expect(await buys(two)).toEqual(list(2000));

  const pair: Line[] = [{ sku: a, quantity: 2 }];
  at(9, -1);
  expect(await buys(pair)).toEqual(list(2000));
  at(9);
  expect(await buys(pair)).toEqual(list(2000, 1));
  await look(d);
  at(10, -1);
  expect([await buys(pair), await buys(one)]).toEqual([list(2000, 1), list(1000)]);
  at(10);
  expect(await buys(pair)).toEqual(list(2000));

  at(11, -1);
  expect(await buys(one)).toEqual(list(1000));
  at(11);
  expect(await buys(one)).toEqual({ total: 800, codes: code('6.0'), gifts: 0 });
  await look(d);
  at(11.5, -1);
  expect(await buys(one)).toEqual({ total: 800, codes: code('6.0'), gifts: 0 });
  at(11.5);
  await look(d);
  const price = (await c.read(d)).skus[0]?.price ?? 0;
  expect(price).toBeLessThan(800);
  expect(await buys(one)).toEqual({ total: price, codes: code('6.1'), gifts: 0 });
  at(12, -1);
  expect(await buys(one)).toEqual({ total: price, codes: code('6.1'), gifts: 0 });
  at(12);
  expect(await buys(one)).toEqual(list(1000));
  await look(d);

  at(13);
  await look(d);
  const report = await readReport(api.world.store.pool, d.uuid);
  expect(report.stages.map((s) => [s.kind, s.end, s.units, s.revenue, s.discount, s.cost])).toEqual([
    ['staff', 'time', 3, 2200, 800, 0], ['coupon', 'time', 3, 2400, 600, 15], ['live_stream', 'time', 2, 1300, 700, 1000], ['bundle', 'time', 3, 2800, 200, 0], ['gift', 'time', 5, 5000, 0, 0],
    ['markdown', 'time', 4, 1600 + 2 * price, 2 * (200 + 1000 - price), 0],
  ]);
  // Those outside of every stage were sold at list price: 2 + 0 + 2 + 2 + 2 × 2 + 2.
  const outside = 12;
  expect(report).toMatchObject({ stock: 300, sold: 20 + outside, revenue: report.stages.reduce((sum, s) => sum + s.revenue, 0) + outside * 1000, discount: report.stages.reduce((sum, s) => sum + s.discount, 0) });
  // Of the bundle's discounts half is on the partner's goods: spent by the campaign all the same, and borne by the brand.
  expect([await given(d), (await c.read(d)).spent, report.spent]).toEqual([report.discount + 200, report.discount + 200 + 1_015, report.discount + 200 + 1_015]);
  expect(report.stages[3]).toMatchObject({ cost: 0, margin: 2800 + 200 - 3 * 500 });
  expect(await buys(one, staff)).toEqual(list(1000));
}, 120_000);

test('staff: for members of the group alone, units by person, in two processes at once; each stage has its own', async () => {
  const a = sku();
  const d = await approved([a], [{ kind: 'staff', endsAt: c.day(2), percentOff: 40, group: 'STAFF', perPerson: 2 }, c.markdown(4)]);
  await look(d);
  expect(await buys([{ sku: a, quantity: 1 }], { staff: { id: 'E-9' } })).toEqual(list(1000));
  expect(await buys([{ sku: a, quantity: 1 }], { staff: { id: 'NOBODY' } })).toEqual([422, '/staff/id']);
  expect(await buys([{ sku: a, quantity: 5 }], { staff: { id: 'E-1' } })).toMatchObject({ total: 2 * 600 + 3 * 1000 });
  expect(await buys([{ sku: a, quantity: 1 }], { staff: { id: 'E-1' } })).toEqual(list(1000));
  expect(await crowd(12, () => intake([{ sku: a, quantity: 1 }], { staff: { id: 'E-2' }, expectTotal: 600 }))).toEqual([600, 600]);
  expect((await api.world.one<{ n: number }>(`select sum(r.units)::int n from promotion_redemptions r join promotions p on p.id = r.promotion_id where p.campaign_id = $1`, d.uuid)).n).toBe(4);
  at(2);
  expect(await buys([{ sku: a, quantity: 1 }], { staff: { id: 'E-2' } })).toMatchObject({ total: 800 });
  await command(d, { command: 'stop', reason: 'test' });
});

test("a member's coupon is spent once, whoever comes at the same moment; cancelled in time it can be used again, and not after its stage", async () => {
  const a = sku();
  const d = await approved([a], [{ kind: 'coupon', endsAt: c.day(2), percentOff: 30, segment: 'VIP', ways: ['sms'], template: 't' }, c.markdown(4)]);
  await look(d);
  const [mine, second] = await codes(d) as [string, string];
  expect(await crowd(12, () => intake([{ sku: a, quantity: 1 }], { coupons: [mine], ...buyer(1) }))).toEqual([700]);
  const { body } = await order([{ sku: a, quantity: 1 }], { coupons: [second], ...buyer(2) });
  const cancel = () => cancelOrder(api.world.store.writer, decodeId('ord', body['id'] as string) as string, 'changed their mind', 'key:test');
  expect(await given(d)).toBe(600);
  await Promise.all([cancel(), cancel()]);
  expect([await given(d), await api.world.one('select spent from campaign_budgets where campaign_id = $1 and stage = 1', d.uuid)]).toEqual([300, { spent: 300 }]);
  const again = await order([{ sku: a, quantity: 1 }], { coupons: [second], ...buyer(2) });
  expect(again.body['total']).toBe(700);
  at(2);
  await cancelOrder(api.world.store.writer, decodeId('ord', again.body['id'] as string) as string, 'too late', 'key:test');
  expect(await buys([{ sku: a, quantity: 1 }], { coupons: [second], ...buyer(2) })).toEqual([409, '/coupons/0']);
  await command(d, { command: 'stop', reason: 'test' });
});

describe('budgets are never overdrawn, however many come at once', () => {
  test('of a stage with one price: it ends on budget, and the next begins that moment', async () => {
    const a = sku();
    const d = await approved([a], [c.markdown(2, { budget: 1_100 }), { kind: 'live_stream', endsAt: c.day(4), percentOff: 30, channel: 'own', partner: 'P', share: 0 }]);
    await look(d);
    const totals = await crowd(20, () => intake([{ sku: a, quantity: 1 }]));
    expect([totals.filter((t) => t === 800).length, totals.filter((t) => t !== 800 && t !== 1000)]).toEqual([5, []]);
    expect([await given(d), await buys([{ sku: a, quantity: 1 }])]).toEqual([1_000, list(1000)]);
    at(0, 60);
    await look(d); // 100 are left: no unit costs so little less
    expect((await c.read(d)).stages.map((s) => [s.status, s.end, s.spent])).toEqual([['over', 'budget', 1_000], ['open', null, 0]]);
    expect(await buys([{ sku: a, quantity: 1 }])).toMatchObject({ total: 700 });
    await command(d, { command: 'stop', reason: 'test' });
  });

  test('of a stage with a bundle for each SKU: they share one budget, also within one order', async () => {
    const [a, b, brand] = [sku(), sku(), sku()];
    const d = await approved([a, b], [{ kind: 'bundle', endsAt: c.day(2), percentOff: 10, partner: 'Brand', with: [brand], bearer: 'brand', budget: 1_000 }]);
    await look(d);
    const set = (x: string): Line[] => [{ sku: x, quantity: 1 }, { sku: brand, quantity: 1 }];
    const totals = await crowd(20, (i) => intake(set(i % 4 < 2 ? a : b), { expectTotal: 1_800 }));
    expect(totals).toEqual([1_800, 1_800, 1_800, 1_800, 1_800]);
    expect(await given(d)).toBe(1_000);
    await command(d, { command: 'adjust', stages: [{ no: 1, budget: 1_300 }] });
    // Both bundles would be 400 off: 300 are left, so it gets one of them.
    expect(await buys([{ sku: a, quantity: 1 }, { sku: b, quantity: 1 }, { sku: brand, quantity: 2 }])).toMatchObject({ total: 3_800 });
    expect(await given(d)).toBe(1_200);
    await command(d, { command: 'stop', reason: 'test' });
  });

  test('of the campaign, from stage to stage while nobody looks, after a pause and a price step too', async () => {
    const a = sku();
    const d = await approved([a], [c.markdown(1), { kind: 'live_stream', endsAt: c.day(2), percentOff: 30, channel: 'own', partner: 'P', share: 0, cost: 100 }], { budget: 1_500 });
    await look(d);
    for (let i = 0; i < 2; i++) expect(await buys([{ sku: a, quantity: 1 }])).toMatchObject({ total: 800 });
    await command(d, { command: 'pause' });
    expect(await buys([{ sku: a, quantity: 1 }])).toEqual(list(1000));
    await command(d, { command: 'resume' });
    expect(await buys([{ sku: a, quantity: 1 }])).toMatchObject({ total: 800 });
    at(1);
    // 600 of 1,500 are gone, 100 are the slot's own: two more at 300 off.
    const totals = await crowd(16, () => intake([{ sku: a, quantity: 1 }]));
    expect([totals.filter((t) => t === 700).length, await given(d)]).toEqual([2, 1_200]);
    await look(d);
    expect(await c.read(d)).toMatchObject({ status: 'escalated', endReason: 'budget', spent: 1_300, budget: 1_500 });
    expect(await buys([{ sku: a, quantity: 1 }])).toEqual(list(1000));
  });
});

test('stopped, or over: the next order pays the list price, in every process and after a restart, and so does one that was priced a moment before', async () => {
  const a = sku();
  const d = await approved([a], [c.markdown(4)]);
  await look(d);
  const fresh = async (): Promise<number> => {
    const store = await openStore({ url: api.world.database.url, vaultKey: VAULT_KEY, clock: () => api.world.now });
    try {
      await store.network.loadSkus([a]);
      const outcome = await captureIntake(store, intake([{ sku: a, quantity: 1 }]), { apiKeyId: 1, idempotencyKey: null, actor: 'key:test', locationId: null });
      return 'answer' in outcome ? outcome.answer.total : -1;
    } finally {
      await store.close();
    }
  };
  at(1);
  expect([await fresh(), (await elsewhere(intake([{ sku: a, quantity: 1 }]))).body['total']]).toEqual([800, 800]);
  const during = await Promise.all([crowd(10, () => intake([{ sku: a, quantity: 1 }])), command(d, { command: 'stop', reason: 'test' })]);
  const reduced = 2 + during[0].filter((t) => t === 800).length;
  expect(during[0].every((t) => t === 800 || t === 1000)).toBe(true);
  // Whoever got the price was captured before the stop was committed: what the campaign has given is what it counts.
  expect(await given(d)).toBe(200 * reduced);
  expect([await buys([{ sku: a, quantity: 1 }]), await fresh(), (await elsewhere(intake([{ sku: a, quantity: 1 }]))).body['total']]).toEqual([list(1000), 1000, 1000]);
  await look(d);
  expect(await readReport(api.world.store.pool, d.uuid)).toMatchObject({ reason: 'stopped', sold: reduced, stages: [{ units: reduced, revenue: 800 * reduced, discount: 200 * reduced }] });
});

test("what shops' tills sold of its SKUs counts by the time of the sale; what was voided, or was sold elsewhere, does not", async () => {
  const a = sku();
  const d = await approved([a], [{ kind: 'staff', endsAt: c.day(1), percentOff: 40, group: 'STAFF', perPerson: 2 }, c.markdown(4, { everyS: 8 * 86_400 })], { locations: ['L-1', 'L-2'] });
  let no = 0;
  const receipt = (quantity: number, changes: object = {}) => ({ location: 'L-1', till: 'T1', receiptNo: `R-${++no}`, kind: 'sale', soldAt: api.world.now.toISOString(), currency: 'CNY', lines: [{ sku: a, quantity, unitPrice: 900 }], ...changes });
  const book = async (...receipts: object[]) => (await call('POST', '/v1/tills/receipts', { receipts })).body['results'];
  at(0, -1);
  await book(receipt(7));
  at(0);
  await book(receipt(5), receipt(3, { location: 'L-3' })); // before anybody looked: it had begun
  await look(d);
  expect(await c.read(d)).toMatchObject({ stock: 193, sold: 5 });
  at(2);
  await look(d);
  await book(receipt(4), receipt(2), receipt(1, { kind: 'return', refersTo: 'R-2', till: 'T2' }), receipt(1, { kind: 'return' }));
  await book({ ...receipt(1), kind: 'void', refersTo: 'R-5', lines: [] });
  await buys([{ sku: a, quantity: 1 }]);
  await look(d);
  expect((await c.read(d)).stages.map((s) => s.sold)).toEqual([4, 5]); // a return belongs to the sale's stage
  at(2, 60);
  await command(d, { command: 'stop', reason: 'test' });
  await look(d);
  expect(await readReport(api.world.store.pool, d.uuid)).toMatchObject({ sold: 9, stages: [{ units: 4, revenue: 3_600, discount: 0 }, { units: 5, revenue: 4 * 900 + 800, discount: 200 }] });
});

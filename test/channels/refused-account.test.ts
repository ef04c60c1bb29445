import { afterEach, expect, test } from 'vitest';
import type { CallAnswer } from '../../channels/channel.ts';
import { advance } from '../support/advance.ts';
import { ShopScene } from './support/shop-scene.ts';

let scene: ShopScene;
afterEach(async () => { await scene.close(); });

type Report = { id: number; kind: string; state: string; error: string | null };
type State = { paused: { lane: string; reason: string }[]; refusedListings: number; refusedReports: number; waitingReports: number; waitingListings: number };
const reports = async (): Promise<Report[]> => (await scene.api<{ items: Report[] }>('GET', `/v1/channels/${scene.code}/reports`)).items;
const state = async (): Promise<State> => (await scene.api<{ state: State }>('GET', `/v1/channels/${scene.code}/shop`)).state;
const put = (changes: Record<string, unknown> = {}) => scene.api('PUT', `/v1/channels/${scene.code}/shop`, { settings: { ...scene.account, baseUrl: scene.platform.url, ...changes } });
const stockOf = (sku: string): number => scene.platform.shop.item(sku).stock;

async function selling(platform: string, settings: Record<string, unknown> = {}): Promise<void> {
  scene = await ShopScene.open(platform, settings);
  await scene.list(2);
}

/** An order that has left in one parcel for each line. */
async function sent(lines: { sku: string; quantity: number }[]): Promise<string> {
  const order = scene.platform.shop.place({ lines });
  await scene.pushed();
  await scene.sync();
  const ours = (await scene.channelOrder(order?.id ?? ''))?.order ?? '';
  await advance(scene.world, ours);
  const [f] = await scene.world.fulfillments(ours);
  if (!f) throw new Error('nothing was routed');
  await scene.world.tell(f, { type: 'goods_issue', parcels: f.lines.map((l, i) => ({ parcelNo: i + 1, carrier: 'sim', waybillNo: `W-${i + 1}`, lines: [{ lineNo: l.lineNo, quantity: l.quantity }] })) });
  return order?.id ?? '';
}

/** Every call of a path is answered so, while `on`. */
function answers(path: string, answer: CallAnswer): { on: boolean } {
  const gate = { on: true };
  const { raw } = scene.world;
  Object.assign(scene.world, { raw: ((call, timeoutMs) => (gate.on && call.url.includes(path) ? Promise.resolve(answer) : raw(call, timeoutMs))) as typeof raw });
  scene.restart();
  return gate;
}
const stored = async (): Promise<unknown> => scene.world.one('select (select count(*)::int from channel_reports where refused) refused, (select count(*)::int from listings where refused is not null) listings');

test('a key that no longer counts ends no report and no change of stock: both wait with their reason, and are told once the account is put right', async () => {
  await selling('woocommerce');
  const order = await sent([{ sku: 'P-1', quantity: 2 }]);
  await put({ consumerSecret: 'cs_wrong' });
  await scene.world.capture({ lines: [{ sku: 'SKU-2', quantity: 5, unitPrice: 1000 }] });
  const facts = await scene.sync();
  expect(facts.fault).toMatch(/401/);
  const waits = await state();
  expect([waits.paused.map((p) => p.lane), waits.paused.every((p) => p.reason.includes('401')), waits.refusedReports, waits.refusedListings, waits.waitingReports, waits.waitingListings]).toEqual([['reports', 'stock'], true, 0, 0, 1, 2]);
  expect([stockOf('P-2'), scene.platform.shop.order(order).parcels.length, await stored()]).toEqual([30, 0, { refused: 0, listings: 0 }]);
  // It is not asked again before its time.
  const next = Date.parse((await scene.sync()).nextLook ?? '');
  expect(next).toBeGreaterThan(scene.world.now.getTime());
  await put();
  expect((await state()).paused).toEqual([]);
  await scene.sync();
  expect([stockOf('P-2'), scene.platform.shop.order(order).parcels.map((p) => p.number), (await reports()).map((r) => [r.kind, r.state, r.error])]).toEqual([25, ['W-1'], [['shipment', 'done', null]]]);
  expect((await state()).paused).toEqual([]);
});

test('a dead authorisation of a shop with tokens is the same, and by itself it goes on when its time has come', async () => {
  await selling('jd');
  const order = await sent([{ sku: 'P-1', quantity: 2 }]);
  const { pool, vault } = scene.world.store;
  const { rows: [good] } = await pool.query<{ access: Buffer; refresh: Buffer }>('select access, refresh from channel_tokens');
  await pool.query('update channel_tokens set access = $1, refresh = $1, serial = serial + 1', [vault.sealSecret('nonsense')]);
  await scene.world.capture({ lines: [{ sku: 'SKU-2', quantity: 5, unitPrice: 1000 }] });
  await scene.sync();
  expect([(await state()).paused.map((p) => p.lane), await stored(), stockOf('P-2')]).toEqual([['reports', 'stock'], { refused: 0, listings: 0 }, 30]);
  await pool.query('update channel_tokens set access = $1, refresh = $2, serial = serial + 1', [good?.access, good?.refresh]);
  await scene.sync();
  expect(stockOf('P-2')).toBe(30);
  await scene.sync(301);
  await scene.sync(301);
  expect([(await state()).paused, stockOf('P-2'), scene.platform.shop.order(order).parcels.map((p) => p.number), (await reports()).map((r) => r.state)]).toEqual([[], 25, ['W-1'], ['done']]);
});

test('a permission that an app was not granted keeps its reports, and holds no other lane up', async () => {
  await selling('wechat');
  const gate = answers('/order/delivery/send', { status: 200, headers: {}, text: JSON.stringify({ errcode: 48001, errmsg: 'api unauthorized' }) });
  await sent([{ sku: 'P-1', quantity: 1 }]);
  await scene.world.capture({ lines: [{ sku: 'SKU-2', quantity: 5, unitPrice: 1000 }] });
  await scene.sync();
  expect([(await state()).paused.map((p) => p.lane), (await reports()).map((r) => r.state), stockOf('P-2')]).toEqual([['reports'], ['waiting'], 25]);
  gate.on = false;
  await put();
  await scene.sync();
  expect([(await state()).paused, (await reports()).map((r) => r.state)]).toEqual([[], ['done']]);
});

test('a listing that was refused for itself is told again at the interval of the check', async () => {
  await selling('woocommerce', { checkEveryS: 600 });
  const { raw } = scene.world;
  let refuse = true;
  Object.assign(scene.world, { raw: ((call, timeoutMs) => (refuse && call.family === 'stock' && call.method === 'POST' ? Promise.resolve({ status: 400, headers: {}, text: '{"message":"not now"}' }) : raw(call, timeoutMs))) as typeof raw });
  scene.restart();
  await scene.world.capture({ lines: [{ sku: 'SKU-2', quantity: 5, unitPrice: 1000 }] });
  await scene.sync();
  expect([stockOf('P-2'), await stored()]).toEqual([30, { refused: 0, listings: 1 }]);
  refuse = false;
  await scene.sync();
  expect(stockOf('P-2')).toBe(30);
  await scene.sync(601);
  expect([stockOf('P-2'), await stored(), (await state()).paused]).toEqual([25, { refused: 0, listings: 0 }, []]);
});

test('what has changed since a change was sent is told after it, though the account was refused between', async () => {
  await selling('taobao');
  const { raw } = scene.world;
  let lost = true;
  Object.assign(scene.world, { raw: ((call, timeoutMs) => (lost && String(call.body).includes('quantity.update') ? Promise.resolve({ status: 503, headers: {}, text: '' }) : raw(call, timeoutMs))) as typeof raw });
  scene.restart();
  await scene.world.capture({ lines: [{ sku: 'SKU-2', quantity: 5, unitPrice: 1000 }] });
  await scene.sync();
  await scene.world.capture({ lines: [{ sku: 'SKU-2', quantity: 4, unitPrice: 1000 }] });
  lost = false;
  await scene.sync(10);
  expect([stockOf('P-2'), (await state()).waitingListings]).toEqual([21, 0]);
});

test('a parcel that is refused keeps no other back, and shows; told again it goes', async () => {
  await selling('generic');
  const { raw } = scene.world;
  let refuse = true;
  Object.assign(scene.world, { raw: ((call, timeoutMs) => (refuse && call.family === 'shipment' && String(call.body).includes('W-1"') ? Promise.resolve({ status: 422, headers: {}, text: 'no such carrier' }) : raw(call, timeoutMs))) as typeof raw });
  scene.restart();
  const order = await sent([{ sku: 'P-1', quantity: 2 }, { sku: 'P-2', quantity: 1 }]);
  await scene.sync();
  const [report] = await reports();
  expect([report?.state, report?.error?.startsWith('parcel W-1: '), scene.platform.shop.order(order).parcels.map((p) => p.number)]).toEqual(['refused', true, ['W-2']]);
  const resend = (id: number) => scene.app.inject({ method: 'POST', url: `/v1/channels/${scene.code}/reports/${id}/resend`, headers: { authorization: `Bearer ${scene.key}` } });
  const unknown = await resend(999_999);
  expect([unknown.statusCode, unknown.headers['content-type'], (await reports())[0]?.state]).toEqual([404, 'application/problem+json', 'refused']);
  refuse = false;
  const [one, two] = [await resend(report?.id ?? 0), await resend(report?.id ?? 0)];
  expect([one.statusCode, one.json(), two.json()]).toEqual([200, { id: report?.id, state: 'waiting' }, { id: report?.id, state: 'waiting' }]);
  await scene.sync();
  expect([(await reports()).map((r) => [r.state, r.error]), scene.platform.shop.order(order).parcels.map((p) => p.number).sort()]).toEqual([[['done', null]], ['W-1', 'W-2']]);
  expect((await resend(report?.id ?? 0)).json()).toEqual({ id: report?.id, state: 'done' });
});

test('a shop whose settings tell no parcels says so: its report is refused with that reason, and told when they do', async () => {
  await selling('generic');
  const { shipment, ...without } = scene.account;
  await scene.api('PUT', `/v1/channels/${scene.code}/shop`, { settings: { ...without, baseUrl: scene.platform.url } });
  const order = await sent([{ sku: 'P-1', quantity: 2 }]);
  await scene.sync();
  expect([(await reports()).map((r) => [r.state, r.error]), scene.platform.shop.order(order).parcels]).toEqual([[['refused', 'this platform takes no parcels by API: enter them there']], []]);
  await put({ shipment });
  await scene.sync();
  expect([(await reports()).map((r) => r.state), scene.platform.shop.order(order).parcels.map((p) => p.number)]).toEqual([['done'], ['W-1']]);
});

test('a page cursor that the platform no longer takes begins its window anew', async () => {
  await selling('woocommerce');
  const { pool } = scene.world.store;
  const now = scene.world.now.getTime();
  scene.platform.faults.dropPushes = true;
  const order = scene.platform.shop.place({ lines: [{ sku: 'P-1', quantity: 1 }] });
  await pool.query('update channel_shops set poll_window = $1', [JSON.stringify({ from: now - 60_000, to: now + 1, page: '9' })]);
  const { raw } = scene.world;
  let refused = 0;
  Object.assign(scene.world, { raw: ((call, timeoutMs) => (call.url.includes('page=9&') ? Promise.resolve({ status: 400, headers: {}, text: JSON.stringify({ message: `page is too old ${++refused}` }) }) : raw(call, timeoutMs))) as typeof raw });
  scene.restart();
  await scene.sync();
  await scene.sync(400);
  const { w } = await scene.world.one<{ w: unknown }>('select poll_window w from channel_shops');
  expect([refused, w, (await scene.channelOrder(order?.id ?? ''))?.state]).toEqual([1, null, 'open']);
});

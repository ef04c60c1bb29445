import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, expect, test } from 'vitest';
import { carrierKinds } from '../../carriers/registry.ts';
import { decodeId } from '../../domain/ids.ts';
import { CarrierScene } from './support/carrier-scene.ts';
import { COURIERS } from './support/couriers.ts';

let scene: CarrierScene;
afterEach(async () => { await scene.close(); });
const kinds = carrierKinds.filter((k) => k.covers !== undefined && k.capabilities.waybills !== 'none').map((k) => k.kind);

/** What an account has agreed with each carrier, where it must say so. */
const CONTRACTS: Readonly<Record<string, object>> = { 'wechat-waybill': { accounts: { YTO: 'acct-1', ZTO: 'acct-2' } }, 'jd-waybill': { providers: { YTO: { branchCode: 'A1' }, ZTO: { branchCode: 'A2' } } } };

/** The last attempt that somebody who does not answer gets. */
const last = <T>(run: () => Promise<T>): Promise<T> => new MockActivityEnvironment({ attempt: 6 }).run(run);

/** An account that gives the numbers of two carriers, and a parcel that is to go by the first. */
async function open(kind: string): Promise<{ order: string; ful: string; ship: () => Promise<string | null> }> {
  const word = COURIERS[kind]?.word ?? '';
  scene = await CarrierScene.open(kind, { carriers: { yto: word, zto: 'ZTO' }, ...CONTRACTS[kind] });
  const routed = await scene.routed();
  await scene.world.store.pool.query(`update fulfillment_orders set carrier = 'yto' where id = $1`, [decodeId('ful', routed.f.id)]);
  return { order: routed.order, ful: routed.f.id, ship: async () => (await last(() => scene.ship(routed))).waybillNo };
}
const rows = async (order: string) => (await scene.world.store.pool.query<{ carrier: string; state: string; waybillNo: string | null; draft: string | null; askedAs: string }>(
  'select carrier, state, waybill_no "waybillNo", draft, request_id "askedAs" from waybills where order_id = $1 order by asked_at, carrier', [decodeId('ord', order)])).rows;

test.each(kinds)('%s: where one carrier\'s answer is lost, the next one of the same account gives a number of its own', async (kind) => {
  const { order, ful, ship } = await open(kind);
  scene.courier.faults.nextTimeouts = 1;
  const no = await ship();
  const there = [...scene.courier.courier.parcels.values()];
  expect(there.map((p) => [p.carrier, p.status])).toEqual([[COURIERS[kind]?.word, 'issued'], ['ZTO', 'issued']]);
  const [first, second] = await rows(order);
  expect([no, first, second]).toMatchObject([there[1]?.no, { carrier: 'yto', state: 'void', waybillNo: null, askedAs: ful }, { carrier: 'zto', state: 'issued', waybillNo: no, askedAs: `${ful}-2` }]);
  if (first?.draft !== null) expect(first?.draft).not.toBe(second?.draft);
  // Asked again it is the same number; the label is that number's; the first one goes back, where it is known by more than its number.
  expect(await ship()).toBe(no);
  const [f] = await scene.world.fulfillments(order);
  const label = f && await scene.label(f);
  expect([f?.waybillNo, label?.status]).toEqual([no, 200]);
  if (kind === 'easypost') expect(label?.bytes.toString('latin1')).toContain(String(no));
  scene.later(0.1);
  await scene.tend.settleWaybills();
  const known = first?.draft !== null;
  expect([(await rows(order)).map((w) => w.state), there.map((p) => p.status)]).toEqual([[known ? 'cancelled' : 'kept', 'issued'], [known ? 'cancelled' : 'issued', 'issued']]);
});

test.each(kinds)('%s: what is paid on delivery it is not asked to carry, and nothing is written down', async (kind) => {
  scene = await CarrierScene.open(kind);
  const routed = await scene.routed({ payment: { status: 'cash_on_delivery' } });
  const f = await scene.ship(routed);
  expect([f.status, f.waybillNo, scene.courier.courier.parcels.size, await scene.waybills(routed.order)]).toEqual(['rejected', null, 0, []]);
});

test('cash on delivery goes by the next carrier, which collects it', async () => {
  const { order, ship } = await open('cainiao');
  await scene.world.store.pool.query(`update orders set payment_status = 'cash_on_delivery' where id = $1`, [decodeId('ord', order)]);
  await scene.world.store.pool.query(`update carriers set active = true where code = 'sim'`);
  await scene.world.store.network.reload();
  const no = await ship();
  expect([no, scene.world.partners.to('/v1/waybills').map((r) => (r.body as { cashOnDelivery?: object }).cashOnDelivery), scene.courier.courier.parcels.size]).toEqual([`W-${(await scene.world.fulfillments(order))[0]?.id ?? ''}`, [{ amount: 2800, currency: 'CNY' }], 0]);
});

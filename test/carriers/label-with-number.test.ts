import { afterEach, expect, test } from 'vitest';
import { decodeId } from '../../domain/ids.ts';
import { CarrierScene } from './support/carrier-scene.ts';

let scene: CarrierScene;
afterEach(async () => { await scene.close(); });

/** Kinds whose label comes with its number and cannot be asked for by itself. */
const KINDS = ['cainiao', 'kuaishou-waybill', 'pinduoduo-waybill'];
const rows = async (order: string) => (await scene.world.store.pool.query('select state, waybill_no "waybillNo", label_state label from waybills where order_id = $1', [decodeId('ord', order)])).rows;

/** The process dies before its nth transaction (0: the first) from now on; `revived` is another one. */
function dies(n: number): { revived: () => void } {
  const { writer } = scene.world.store;
  const change = writer.change.bind(writer);
  let left = n;
  Object.assign(writer, { change: ((work) => (left-- <= 0 ? Promise.reject(new Error('killed')) : change(work))) as typeof change });
  return { revived: () => { Object.assign(writer, { change }); scene.restart(); } };
}

test.each([['cainiao', 1], ['cainiao', 2], ...KINDS.map((kind) => [kind, 3] as const)] as const)('%s: killed before transaction %i of a release, the number keeps its label', async (kind, n) => {
  scene = await CarrierScene.open(kind);
  const routed = await scene.routed();
  const death = dies(n);
  await expect(scene.ship(routed)).rejects.toThrow('killed');
  death.revived();
  const f = await scene.ship(routed);
  expect([await rows(routed.order), (await scene.label(f)).status, [...scene.courier.courier.parcels.keys()]]).toEqual([[{ state: 'issued', waybillNo: f.waybillNo, label: 'stored' }], 200, [f.waybillNo]]);
  scene.later(1);
  expect(await scene.tend.settleWaybills()).toBe(0);
});

test.each(KINDS.slice(0, 1))('%s: a label that nobody can fetch is not waited for for ever', async (kind) => {
  scene = await CarrierScene.open(kind);
  const routed = await scene.routed();
  const f = await scene.ship(routed);
  // As a process of the version before left it when it was killed.
  await scene.world.store.pool.query(`update waybills set label_state = 'due', label_id = null, label_type = null`);
  scene.later(1);
  expect([await scene.tend.settleWaybills(), await rows(routed.order), (await scene.label(f)).status]).toEqual([1, [{ state: 'issued', waybillNo: f.waybillNo, label: 'refused' }], 422]);
  scene.later(1);
  expect(await scene.tend.settleWaybills()).toBe(0);
});

test('SF: the label of a return that is cancelled is printed no more, and its number goes back', async () => {
  scene = await CarrierScene.open('sf');
  const sent = await scene.send();
  await scene.move(sent, 'picked_up', 'delivered');
  const { rma } = await scene.api<{ rma: string }>('POST', `/v1/orders/${sent.order}/returns`, { kind: 'refund', reason: 'too small', method: 'label', lines: [{ line: 1, quantity: 1 }] });
  await scene.activities.return({ orderId: sent.order });
  const label = async (): Promise<number> => (await scene.app.inject({ method: 'GET', url: `/v1/returns/${rma}/label`, headers: { authorization: `Bearer ${scene.key}` } })).statusCode;
  expect(await label()).toBe(200);
  await scene.api('POST', `/v1/returns/${rma}/cancel`, { reason: 'kept' });
  expect(await label()).toBe(409);
  expect([await scene.tend.settleWaybills(), scene.courier.courier.byOrder.get(rma)?.status, await label()]).toEqual([1, 'cancelled', 409]);
});

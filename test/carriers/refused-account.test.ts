import { afterEach, expect, test } from 'vitest';
import { abandonWaybill, askWaybill } from '../../db/carriers/waybills.ts';
import { decodeId } from '../../domain/ids.ts';
import type { CallAnswer } from '../../carriers/carrier.ts';
import { CarrierScene } from './support/carrier-scene.ts';

let scene: CarrierScene;
afterEach(async () => { await scene.close(); });

/** Its calls are answered so while `on`. */
function answers(answer: CallAnswer): { on: boolean } {
  const gate = { on: true };
  const { raw } = scene.world;
  Object.assign(scene.world, { raw: ((call, timeoutMs) => (gate.on ? Promise.resolve(answer) : raw(call, timeoutMs))) as typeof raw });
  scene.restart();
  return gate;
}
type View = { state: { announcements: Record<string, number>; waitsFor: string[] } };
const state = async (): Promise<View['state']> => (await scene.api<View>('GET', `/v1/carrier-accounts/${scene.account}`)).state;
const put = (kind: string, changes: Record<string, unknown> = {}) => scene.api('PUT', `/v1/carrier-accounts/${scene.account}`, { kind, settings: { ...scene.settings, baseUrl: scene.courier.url, ...changes } });

test.each([
  ['17track', { code: -18010002, data: { errors: [{ code: -18010002, message: 'Invalid security key.' }] } }, '17TRACK -18010002: Invalid security key.', {}],
  ['kuaidi100', { result: false, returnCode: '601', message: 'POLL:KEY已过期' }, '快递100 601: POLL:KEY已过期', { callbackUrl: 'http://callback.invalid' }],
])('%s: a parcel is not given up for a wrong key; it is announced once the account is put right', async (kind, body, reason, more) => {
  scene = await CarrierScene.open(kind);
  const gate = answers({ status: 200, headers: {}, text: JSON.stringify(body) });
  await scene.send();
  expect(await state()).toMatchObject({ announcements: { due: 1 }, waitsFor: [reason] });
  gate.on = false;
  await put(kind, more);
  scene.later(0.01);
  await scene.tend.announce();
  expect(await state()).toMatchObject({ announcements: { done: 1 }, waitsFor: [] });
});

test('SF: a number is not given up for a wrong check word; one that never came to be counts as cancelled', async () => {
  scene = await CarrierScene.open('sf');
  const { order, f } = await scene.routed();
  const { pool } = scene.world.store;
  const key = { account: 'sf', requestId: f.id, carrier: 'sf' };
  await askWaybill(pool, key, decodeId('ord', order), scene.world.now);
  await abandonWaybill(pool, key, scene.world.now);
  const gate = answers({ status: 200, headers: {}, text: JSON.stringify({ apiResultCode: 'A1006', apiErrorMsg: 'digest' }) });
  await scene.tend.settleWaybills();
  expect([(await scene.waybills(order)).map((w) => w.state), (await state()).waitsFor.length]).toEqual([['void'], 1]);
  gate.on = false;
  await put('sf');
  scene.later(0.01);
  await scene.tend.settleWaybills();
  expect(await scene.waybills(order)).toEqual([{ account: 'sf', state: 'cancelled', waybillNo: null }]);
});

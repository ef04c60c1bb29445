import { afterEach, expect, test } from 'vitest';
import { CarrierScene } from './support/carrier-scene.ts';

let scene: CarrierScene;
afterEach(async () => { await scene.close(); });
const sealed = { oaid: '1abc2DEF==', caid: 'x/y+z' };
const shipTo = { name: '张**', phone: '138****0001', country: 'CN', province: 'Shanghai', city: 'Shanghai', street: '***', sealed };

test('what the platform sealed goes to its waybill service untouched, its print data comes back untouched, and the numbers left are known', async () => {
  scene = await CarrierScene.open('cainiao');
  const { f, there } = await scene.send({ shipTo });
  const request = there.extra['request'] as { tradeOrderInfoDtos: { recipient: Record<string, unknown> }[] };
  expect(request.tradeOrderInfoDtos[0]?.recipient).toMatchObject({ ...sealed, name: '张**', mobile: '138****0001' });
  expect((await scene.label(f)).bytes.toString()).toBe(there.extra['printData']);
  await scene.tend.balances();
  const { state } = await scene.api<{ state: { balances: { carrier: string; branch: string; left: number }[] } }>('GET', `/v1/carrier-accounts/${scene.account}`);
  expect(state.balances).toMatchObject([{ carrier: 'yto', branch: 'B-1', left: 999 }]);
});

test('a carrier that cannot read a sealed address is not asked: the order goes back with the reason', async () => {
  scene = await CarrierScene.open('sf');
  const routed = await scene.routed({ shipTo });
  const f = await scene.ship(routed);
  expect([f.status, f.waybillNo, scene.courier.courier.parcels.size]).toEqual(['rejected', null, 0]);
});

test.each([
  ['douyin-waybill', { encrypt_post_receiver: '##name##', encrypt_post_tel: '##tel##', encrypt_detail: '##street##' }, 499], ['kuaishou-waybill', { encryptedConsignee: '##name##', encryptedMobile: '##tel##', encryptedAddress: '##street##', bizId: '1' }, 299],
  ['wechat-waybill', { user_name: '##name##', tel_number: '##tel##', detail_info: '##street##', order_id: '1' }, 599], ['pinduoduo-waybill', { receiver_name: '##name##', receiver_phone: '##tel##', receiver_address: '##street##' }, 799],
  ['jd-waybill', { fullname: '##name##', mobile: '##tel##', fullAddress: '##street##', oaid: 'oa', orderId: '1' }, 699],
])('%s gets the cipher text in the place of the plain one, with the shop\'s own token', async (kind, cipher, left) => {
  scene = await CarrierScene.open(kind);
  const { f, there } = await scene.send({ shipTo: { ...shipTo, sealed: cipher } });
  expect(there.extra['recipient']).toEqual({ name: '##name##', mobile: '##tel##', address: '##street##' });
  const label = JSON.parse((await scene.label(f)).bytes.toString()) as Record<string, string>;
  const print = label['printData'] ?? label['encryptedData'] ?? label['printInfo'] ?? label['perPrintData'] ?? '';
  expect([print.split(':')[1], label['templateURL'] ?? label['templateUrl'] ?? label['templateId']]).toEqual([Buffer.from(there.no).toString('base64'), scene.settings['template']]);
  await scene.tend.balances();
  expect((await scene.world.one<{ remaining: number }>('select remaining from waybill_balances')).remaining).toBe(left);
  // Its token is the shop's to renew, never ours: until then the order waits.
  await scene.world.store.pool.query('update channel_tokens set expires_at = $1', [scene.world.now]);
  const routed = await scene.routed({ shipTo: { ...shipTo, sealed: cipher } });
  await expect(scene.ship(routed)).rejects.toThrow();
  expect(await scene.waybills(routed.order)).toMatchObject([{ state: 'asked', waybillNo: null }]);
});

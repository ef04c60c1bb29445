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

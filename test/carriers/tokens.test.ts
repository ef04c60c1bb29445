import { afterEach, expect, test } from 'vitest';
import { CarrierSessions } from '../../activities/carriers/session.ts';
import { CarrierScene } from './support/carrier-scene.ts';

let scene: CarrierScene;
afterEach(async () => { await scene.close(); });

test('a carrier\'s token that is refused before its time is renewed once, however late each call hears of it', async () => {
  scene = await CarrierScene.open('sf', { auth: 'token' });
  const { store, partners, raw } = scene.world;
  let late = 0;
  let tokens = 0;
  const sessions = new CarrierSessions({ ...store, http: partners.http, raw: async (call, timeoutMs) => {
    if (call.family === 'token') tokens += 1;
    const wait = late > 0 ? (late = (late + 1) % 9) * 40 : 0;
    const answer = await raw(call, timeoutMs);
    if (wait > 0) await new Promise((resolve) => { setTimeout(resolve, wait); });
    return answer;
  } });
  const session = await sessions.of('sf');
  const ask = async () => session?.connector.events?.({ carrier: 'sf', waybillNo: 'SF1', phoneTail: '0001' });
  expect([await ask(), tokens]).toEqual([[], 1]);
  scene.courier.expireTokens();
  late = 1;
  expect([await Promise.all(Array.from({ length: 8 }, ask)), tokens]).toEqual([Array.from({ length: 8 }, () => []), 2]);
});

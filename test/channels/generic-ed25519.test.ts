import { afterAll, beforeAll, expect, test } from 'vitest';
import { ShopScene } from './support/shop-scene.ts';

let scene: ShopScene;
beforeAll(async () => {
  scene = await ShopScene.open('generic', { webhookSecret: 'whpk_5UgihLt+80XPL3ll/TVPan3GMtLpZYNW6MLucd0YTaM=' });
  scene.account['signingKey'] = 'whsk_ABEiM0RVZneImaq7zN3u/xAhMkNUZXaHmKm6y9zt/g/lSCKEu37zRc8veWX9NU9qfcYy0ullg1bowu5x3RhNow=='; // the simulator's alone
});
afterAll(async () => { await scene.close(); });

test('a shop that signs with a key of its own (ed25519) is believed by its public key; a forged push is not', async () => {
  scene.platform.shop.item('P-1').stock = 5;
  const order = scene.platform.shop.place({ lines: [{ sku: 'P-1', quantity: 1 }], paid: true });
  await scene.pushed();
  expect(scene.platform.pusher.records.map((r) => [r.status, r.acknowledged])).toEqual(scene.platform.pusher.records.map(() => [200, true]));
  const hints = () => scene.world.one<{ n: number }>('select count(*)::int n from channel_hints where external_id = $1', order?.id);
  const before = await hints();
  expect(before.n).toBeGreaterThan(0);
  for (const how of ['forged', 'truncated', 'stale'] as const) expect((await scene.platform.pusher.bad(how)).acknowledged).toBe(false);
  expect(await hints()).toEqual(before);
});

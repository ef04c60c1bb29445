import { channelKind } from '../../channels/registry.ts';
import { putShop } from '../../db/channels/shops.ts';
import { genericShop } from '../../simulators/generic-shop/protocol.ts';
import { startPlatform, type RunningPlatform } from '../../simulators/platform/start-platform.ts';
import { accountOf } from '../channels/support/platforms.ts';
import type { Scene } from './scene.ts';

/** A channel of a scene with a shop on the generic platform's simulator, which sells SKU-1 and SKU-2 as P-1 and P-2; nothing is pushed. */
export async function connectShop(s: Scene, code: string): Promise<RunningPlatform> {
  const { pool, network, vault } = s.world.store;
  await pool.query(
    `insert into channels (code, name, platform, intake_mode, currency, payment_window_s, backorder_window_s, merge_window_s, return_window_s) values ($1, $1, 'generic', 'accept', 'CNY', 1800, 172800, 0, 86400)`, [code]);
  await network.reload();
  await s.sync();
  const { apiKey, webhookSecret, ...given } = await accountOf('generic-shop');
  // What the API adds.
  const defaults = Object.entries(channelKind('generic')?.settings.properties ?? {}).flatMap(([name, { default: value }]) => (value === undefined ? [] : [[name, value]]));
  const settings = { ...Object.fromEntries(defaults) as Record<string, unknown>, ...given };
  const running = await startPlatform(genericShop, {
    settings: { ...settings, apiKey, webhookSecret }, clock: () => s.world.now.getTime(), items: [1, 2].map((n) => ({ sku: `P-${n}`, itemId: `90${n}`, merchantCode: `SKU-${n}`, title: `Item ${n}`, price: 1000 * n, stock: 100 })),
  });
  await putShop(pool, vault, network, code, { settings: { ...settings, baseUrl: running.url }, secrets: { apiKey: apiKey as string, webhookSecret: webhookSecret as string }, limits: {}, since: null, newHookKey: true }, s.world.now);
  return running;
}

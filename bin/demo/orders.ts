import type { OrderIntake } from '../../domain/order/intake.ts';
import { CHANNELS, CITIES, isOnlineOnly, isShopOnly, LOCATIONS, platformOf, priceOf, SKUS, type City } from './network.ts';

/**
 * What a demo order is there to show. `clean` ones run through without a hand, and so do `split` (no location has both lines) and `scheduled`
 * (the loader gives it its moment, which depends on the run). `cancelled`: held for what its buyer remarks, until he gives up; one that is not held would often be on its way before.
 */
export type Scene = 'clean' | 'unpaid' | 'paid_later' | 'cancelled' | 'returned' | 'split' | 'scheduled';
export type DemoOrder = { scene: Scene; intake: OrderIntake };

function sceneOf(i: number): Scene {
  if (i === 14) return 'unpaid'; // of the channel with the short payment window
  if (i === 17) return 'paid_later';
  if (i === 23) return 'cancelled';
  if (i === 5 || i === 29 || i === 41) return 'returned';
  if (i === 33) return 'split';
  if (i === 40) return 'scheduled'; // of our own shop: no platform sends a moment with its orders
  return 'clean';
}

/** What a platform calls its order is a number beyond 2^53. */
const platformId = (i: number): string => String(4_705_288_465_500_000_000n + BigInt(i + 1));

/** The i-th demo order: the same at every run, so that a second run finds them all captured. People and numbers are invented. */
export function demoOrder(i: number): DemoOrder {
  const scene = sceneOf(i % 60);
  const channel = (CHANNELS[i % CHANNELS.length] as (typeof CHANNELS)[number]).code;
  const ours = platformOf(channel) === undefined;
  const home = CITIES[(i * 5 + 1) % CITIES.length] as City;
  const first = (i * 13) % SKUS.length;
  const sku = (n: number): string => (SKUS[n % SKUS.length] as (typeof SKUS)[number]).code;
  const one = (n: number): OrderIntake['lines'][number] => ({ sku: sku(n), quantity: 1, unitPrice: priceOf(n % SKUS.length) });
  const ten = first - (first % 10);
  const lines: OrderIntake['lines'] = scene === 'split'
    ? [one(SKUS.findIndex((_, n) => n >= ten && isShopOnly(n))), one(SKUS.findIndex((_, n) => n >= ten && isOnlineOnly(n)))]
    : [{ ...one(first), quantity: 1 + (i % 2) }];
  if (scene !== 'split' && i % 3 === 0) lines.push({ ...one(first + 31), discounts: [{ bearer: i % 2 === 0 ? 'platform' : 'shop', code: 'DEMO10', amount: 1_000 }] });
  if (i % 15 === 7) lines.push({ sku: sku(first + 60), quantity: 1, unitPrice: 0, gift: true });
  const shop = LOCATIONS.find((l) => l.kind === 'store' && l.city === home);
  return {
    scene,
    intake: {
      channel, externalId: ours ? `DEMO-${String(i + 1).padStart(4, '0')}` : platformId(i), currency: 'CNY',
      payment: { status: scene === 'unpaid' || scene === 'paid_later' ? 'unpaid' : ours && i % 20 === 10 ? 'cash_on_delivery' : 'paid' },
      buyer: { id: `demo-buyer-${i % 40}` },
      shipTo: { name: `演示顾客${i % 40}`, phone: `100-0000-${String(i % 40).padStart(4, '0')}`, country: 'CN', province: home.province, city: home.city, street: `示例路 ${1 + (i % 40)} 号` },
      lines, freight: i % 4 === 0 ? 800 : 0,
      ...(scene === 'cancelled' ? { buyerRemark: '先别发货' } : i % 10 === 4 ? { buyerRemark: '请尽快发货' } : {}), ...(i % 25 === 12 ? { priority: 9 } : {}),
      ...(i % 30 === 20 ? { invoice: { type: 'personal', title: '演示抬头' } as const } : {}),
      ...(channel === 'pos' && shop ? { location: shop.code } : {}),
    },
  };
}

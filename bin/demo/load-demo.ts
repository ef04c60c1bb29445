import { setTimeout as delay } from 'node:timers/promises';
import { createClient, type Client } from './client.ts';
import { CHANNELS, CITIES, LOCATIONS, PLATFORMS, platformOf, SKUS, stockOf, type PlatformName } from './network.ts';
import { demoOrder, type DemoOrder } from './orders.ts';
import { arrived, connectPlatforms, listOnPlatforms, orderOnPlatform, type PlatformUrls } from './platforms.ts';

export type DemoOptions = { apiUrl: string; adminKey: string; wmsUrl: string; carrierUrl: string; platformUrls: PlatformUrls; partnerSecret: string; orders: number; onProgress: (message: string) => void };

/** How long a step may take before the demo gives up. */
const STEP_MS = 180_000;
/** How far ahead the scheduled order lies: to be seen waiting, and over before the demo is. */
const SCHEDULED_IN_MS = 20_000;

/** Loads the demo through the public API. Every request may be sent twice, so an interrupted run is simply run again. */
export async function loadDemo(options: DemoOptions): Promise<void> {
  const client = createClient(options.apiUrl, options.adminKey);
  await loadNetwork(client, options);
  options.onProgress(`network loaded: ${LOCATIONS.length} locations, ${CHANNELS.length} channels, ${SKUS.length} SKUs with stock`);
  const orders = Array.from({ length: options.orders }, (_, i) => demoOrder(i));
  const theirs = orders.filter((o) => platformOf(o.intake.channel) !== undefined);
  await connectPlatforms(client, options.apiUrl, options.platformUrls);
  const listings = await listOnPlatforms(client, options.platformUrls, theirs);
  options.onProgress(`${PLATFORMS.length} platforms connected (${PLATFORMS.join(', ')}): they show our stock of ${listings} listings`);
  type Sent = { id: string; order: DemoOrder };
  const sent: Sent[] = [];
  for (const order of theirs) await orderOnPlatform(options.platformUrls[platformOf(order.intake.channel) as PlatformName], order);
  for (const order of orders) if (!theirs.includes(order)) sent.push({ id: await place(client, order), order });
  for (const order of theirs) sent.push({ id: await arrived(client, options.platformUrls, order), order });
  options.onProgress(`${sent.length} orders from ${CHANNELS.length} channels, ${theirs.length} of them placed on the platforms, pushed by these and read there`);
  await Promise.all(sent.filter((s) => s.order.scene === 'returned').map((s) => sendBack(client, s.id)));
}

/** An order of our own channels, and what its scene wants. */
async function place(client: Client, order: DemoOrder): Promise<string> {
  const id = await send(client, order);
  if (order.scene === 'paid_later') await client('POST', `/v1/orders/${id}/payment`, { status: 'paid', reference: 'DEMO-PAY' }, [200, 409]);
  if (order.scene === 'cancelled') await client('POST', `/v1/orders/${id}/cancel`, { reason: 'the buyer changed their mind' }, [200, 202, 409]);
  return id;
}

/** The same order twice is captured once. A scheduled one would be another with another moment, so it is looked for first. */
async function send(client: Client, { scene, intake }: DemoOrder): Promise<string> {
  if (scene !== 'scheduled') return (await client<{ id: string }>('POST', '/v1/orders', intake)).body.id;
  const { orders: [known] } = (await client<{ orders: { id: string }[] }>('GET', `/v1/orders?channel=${intake.channel}&externalId=${intake.externalId}`)).body;
  if (known) return known.id;
  const from = new Date(Date.now() + SCHEDULED_IN_MS).toISOString();
  return (await client<{ id: string }>('POST', '/v1/orders', { ...intake, scheduled: { from } })).body.id;
}

async function loadNetwork(client: Client, o: DemoOptions): Promise<void> {
  await client('PUT', '/v1/places', { places: CITIES.map((c) => ({ country: 'CN', province: c.province, city: c.city, lat: c.lat, lon: c.lon })) });
  for (const { code, ...channel } of CHANNELS) {
    await client('PUT', `/v1/channels/${code}`, { ...channel, currency: 'CNY', backorderWindowS: 604_800, mergeWindowS: 0, returnWindowS: 604_800 });
  }
  const zone = (name: string, firstCost: number, stepCost: number, transitDays: number) => ({ zone: name, firstWeightG: 1_000, firstCost, stepG: 500, stepCost, transitDays });
  await client('PUT', '/v1/carriers/sim', {
    name: '演示快递', url: o.carrierUrl, secret: o.partnerSecret, rates: [zone('same_city', 800, 200, 1), zone('same_province', 1_000, 300, 1), zone('national', 1_400, 500, 2)],
  });
  for (const { code, name, kind, city } of LOCATIONS) {
    await client('PUT', `/v1/locations/${code}`, {
      name, kind, country: 'CN', province: city.province, city: city.city, lat: city.lat, lon: city.lon, timeZone: 'Asia/Shanghai', cutoffMinutes: 960, handlingMinutes: 120,
      workDays: [1, 2, 3, 4, 5, 6, 7], handlingCost: kind === 'warehouse' ? 200 : 400, acceptTimeoutS: 600, partner: { url: o.wmsUrl, secret: o.partnerSecret },
    });
  }
  await client('POST', '/v1/skus/bulk', { skus: SKUS });
  for (const location of LOCATIONS) {
    const lines = SKUS.flatMap((sku, i) => { const quantity = stockOf(location, i); return quantity > 0 ? [{ sku: sku.code, quantity }] : []; });
    await client('POST', '/v1/stock/receipts', { reference: `DEMO-OPENING-${location.code}`, location: location.code, lines });
  }
  const known = await client<{ items: { name: string }[] }>('GET', '/v1/audit-rules');
  for (const rule of [
    { name: '大额订单', kind: 'amount', action: 'hold', priority: 50, params: { min: 5_000_000 } },
    { name: '黑名单', kind: 'blocked', action: 'reject', priority: 10, params: {} },
    { name: '地址不完整', kind: 'address', action: 'hold', priority: 60, params: { incomplete: true } },
    { name: '买家要求暂不发货', kind: 'remark', action: 'hold', priority: 70, params: { words: ['先别发货'] } },
  ]) if (!known.body.items.some((k) => k.name === rule.name)) await client('POST', '/v1/audit-rules', rule);
}

/** Plays the buyer who sends an order back, and the location that receives and inspects it. */
async function sendBack(client: Client, id: string): Promise<void> {
  type Order = { status: string; lines: { line: number; quantity: number }[]; returns: { rma: string; status: string }[] };
  const read = async (): Promise<Order> => (await client<Order>('GET', `/v1/orders/${id}`)).body;
  const wait = async (done: (order: Order) => boolean): Promise<Order> => {
    for (const until = Date.now() + STEP_MS; ; await delay(500)) {
      const order = await read();
      if (done(order)) return order;
      if (Date.now() > until) throw new Error(`demo order ${id} is ${order.status}, its returns ${order.returns.map((r) => r.status).join(', ') || 'none'}: the next step does not come`);
    }
  };
  const order = await wait((o) => o.status === 'delivered' || o.status === 'closed');
  const line = order.lines[0]?.line ?? 1;
  if (order.returns.length === 0) await client('POST', `/v1/orders/${id}/returns`, { kind: 'refund', reason: 'does not fit', method: 'label', lines: [{ line, quantity: 1 }] });
  const { returns } = await wait((o) => o.returns.some((r) => r.status !== 'requested'));
  const rma = returns[0]?.rma ?? '';
  await client('POST', `/v1/returns/${rma}/receive`, { lines: [{ line, quantity: 1 }] }, [200, 409]);
  await client('POST', `/v1/returns/${rma}/inspect`, { lines: [{ line, disposition: 'restock', accepted: 1 }] }, [200, 409]);
  await wait((o) => o.returns.some((r) => r.status === 'closed'));
}

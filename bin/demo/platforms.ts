import { setTimeout as delay } from 'node:timers/promises';
import { readFile } from 'node:fs/promises';
import type { Client } from './client.ts';
import { PLATFORMS, platformOf, priceOf, SKUS, type PlatformName } from './network.ts';
import type { DemoOrder } from './orders.ts';

export type PlatformUrls = Readonly<Record<PlatformName, string>>;
/** The platform's own number of the n-th SKU, and of the item that it is of. */
const listing = (n: number): { sku: string; itemId: string } => ({ sku: String(770_001 + n), itemId: String(990_001 + n) });
const WAIT_MS = 180_000;
const LOOK_MS = 400;

/** A word to a simulator, beside its protocol. 409 is an answer: it is so already. */
export async function control<T = unknown>(url: string, method: 'GET' | 'PUT' | 'POST', path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${url}/_control${path}`, { method, ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }) });
  const text = await response.text();
  if (!response.ok && response.status !== 409) throw new Error(`${method} ${url}/_control${path} answered ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text) as T;
}

async function until<T>(look: () => Promise<T | undefined>, otherwise: string): Promise<T> {
  for (const end = Date.now() + WAIT_MS; ; await delay(LOOK_MS)) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(otherwise);
  }
}

/** Says to each channel how its platform is reached, and to each platform where it pushes to. May be done again. */
export async function connectPlatforms(client: Client, apiUrl: string, urls: PlatformUrls): Promise<void> {
  for (const name of PLATFORMS) {
    const account = JSON.parse(await readFile(new URL(`../../simulators/${name}/account.json`, import.meta.url), 'utf8')) as Record<string, unknown>;
    const { body: { pushPath } } = await client<{ pushPath: string }>('PUT', `/v1/channels/${name}/shop`, { settings: { ...account, baseUrl: urls[name], timeoutMs: 10_000 } });
    await control(urls[name], 'PUT', '/hook', { url: `${apiUrl}${pushPath}` });
  }
}

/** Each shop lists what its buyers will ask for, and resolves once its platform shows our stock of it. Returns how many listings there are. */
export async function listOnPlatforms(client: Client, urls: PlatformUrls, orders: readonly DemoOrder[]): Promise<number> {
  const numbers = await Promise.all(PLATFORMS.map(async (name) => {
    const range = new Set(orders.filter((o) => o.intake.channel === name).flatMap((o) => o.intake.lines.map((l) => l.sku)));
    const listed = SKUS.map((sku, n) => ({ sku, n })).filter(({ sku }) => range.has(sku.code));
    if (listed.length === 0) return 0;
    // Nothing is for sale there until we say how much. An item that it has already keeps its figure.
    await control(urls[name], 'PUT', '/items', listed.map(({ sku, n }) => ({ ...listing(n), merchantCode: sku.code, title: sku.name, price: priceOf(n) })));
    await client('POST', `/v1/channels/${name}/listings`, { mappings: listed.map(({ sku, n }) => ({ platformSku: listing(n).sku, itemId: listing(n).itemId, components: [{ sku: sku.code, quantity: 1 }] })) });
    await until(async () => {
      const { items } = await control<{ items: { flow: unknown[] }[] }>(urls[name], 'GET', '/state');
      return items.every((i) => i.flow.length > 0) || undefined;
    }, `the stock of ${name} has not been published: GET /v1/channels/${name}/shop`);
    return listed.length;
  }));
  return numbers.reduce((sum, n) => sum + n, 0);
}

/** A buyer orders on the platform; the same order again is not another one. */
export async function orderOnPlatform(url: string, { intake }: DemoOrder): Promise<void> {
  const { shipTo } = intake;
  const placed = await control<{ soldOut?: boolean }>(url, 'POST', '/orders', {
    id: intake.externalId, currency: intake.currency, paid: intake.payment.status !== 'unpaid', freight: intake.freight ?? 0, remark: intake.buyerRemark ?? '', buyerId: intake.buyer?.id ?? '',
    discount: intake.lines.flatMap((l) => l.discounts ?? []).reduce((sum, d) => sum + d.amount, 0),
    address: { name: shipTo.name, phone: shipTo.phone, country: shipTo.country, province: shipTo.province, city: shipTo.city, district: '', street: shipTo.street },
    lines: intake.lines.map((l) => ({ sku: listing(SKUS.findIndex((s) => s.code === l.sku)).sku, quantity: l.quantity, unitPrice: l.unitPrice })),
  });
  if (placed.soldOut === true) throw new Error(`${intake.channel} has sold out of what order ${intake.externalId} wants`);
}

/** Our order of a platform's, once it has come; then its buyer does there what the scene wants. */
export async function arrived(client: Client, urls: PlatformUrls, { scene, intake }: DemoOrder): Promise<string> {
  const { channel, externalId } = intake;
  const id = await until(
    async () => (await client<{ orders: { id: string }[] }>('GET', `/v1/orders?channel=${channel}&externalId=${externalId}`)).body.orders[0]?.id,
    `the order ${externalId} of ${channel} has not come: GET /v1/channels/${channel}/held`);
  const name = platformOf(channel);
  if (name !== undefined && scene === 'paid_later') await control(urls[name], 'POST', `/orders/${externalId}/pay`, {});
  if (name !== undefined && scene === 'cancelled') await control(urls[name], 'POST', `/orders/${externalId}/cancel`, {});
  return id;
}

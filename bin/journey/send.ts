import { createClient, type Client } from '../demo/client.ts';
import { toOrderLine } from './clean.ts';
import type { Basket, Journey } from './read.ts';

const CITIES = [
  ['New York', 'NY', 40.71, -74.01, 'America/New_York'], ['Los Angeles', 'CA', 34.05, -118.24, 'America/Los_Angeles'], ['Chicago', 'IL', 41.88, -87.63, 'America/Chicago'],
  ['Houston', 'TX', 29.76, -95.37, 'America/Chicago'], ['Phoenix', 'AZ', 33.45, -112.07, 'America/Phoenix'], ['Cincinnati', 'OH', 39.1, -84.51, 'America/New_York'],
  ['San Antonio', 'TX', 29.42, -98.49, 'America/Chicago'], ['Denver', 'CO', 39.74, -104.99, 'America/Denver'], ['Columbus', 'OH', 39.96, -83.0, 'America/New_York'], ['Atlanta', 'GA', 33.75, -84.39, 'America/New_York'],
] as const;
type City = (typeof CITIES)[number];

/** A fixed rule: stores carry no place in the set. */
const cityOf = (store: string): City => CITIES[(Number(store) * 2_654_435_761) % 4_294_967_296 % CITIES.length] as City;
export const locationCode = (store: string): string => `STORE-${store}`;
export const CHANNEL = 'journey-pos';
const CENTRAL = 'DC-CENTRAL';
const RECEIPT_LINES = 500;
/** Units per product in the central warehouse beyond the opening weeks' sales. */
const COVER = 20;

export type Partners = { wmsUrl: string; carrierUrl: string; partnerSecret: string } | null;

/** The network of the journey and its opening stock: what each store sold in the opening weeks, and as much again with a cover in the central warehouse. */
export async function loadNetwork(apiUrl: string, key: string, journey: Journey, partners: Partners, say: (message: string) => void): Promise<void> {
  const client = createClient(apiUrl, key);
  await client('PUT', '/v1/places', { places: CITIES.map(([city, province, lat, lon]) => ({ country: 'US', province, city, lat, lon })) });
  await client('PUT', `/v1/channels/${CHANNEL}`, {
    name: 'till sales', platform: 'pos', intakeMode: 'accept', currency: 'USD', paymentWindowS: 3600, backorderWindowS: 60, mergeWindowS: 0, returnWindowS: 2_592_000,
  });
  const zone = (name: string, firstCost: number, transitDays: number) => ({ zone: name, firstWeightG: 2_000, firstCost, stepG: 1_000, stepCost: 100, transitDays });
  await client('PUT', '/v1/carriers/sim', {
    name: 'simulated carrier', ...(partners ? { url: partners.carrierUrl, secret: partners.partnerSecret } : {}),
    rates: [zone('same_city', 500, 1), zone('same_province', 700, 1), zone('national', 900, 2)],
  });
  const stores = [...new Set(journey.baskets.map((b) => b.store))].sort();
  for (const code of [CENTRAL, ...stores.map(locationCode)]) {
    const [city, province, lat, lon, timeZone] = code === CENTRAL ? CITIES[5] : cityOf(code.slice(6));
    await client('PUT', `/v1/locations/${code}`, {
      name: code, kind: code === CENTRAL ? 'warehouse' : 'store', country: 'US', province, city, lat, lon, timeZone, cutoffMinutes: 1020, handlingMinutes: 60, workDays: [1, 2, 3, 4, 5, 6, 7],
      handlingCost: 100, acceptTimeoutS: 600, ...(partners ? { partner: { url: partners.wmsUrl, secret: partners.partnerSecret } } : {}),
    });
  }
  const skus = [...journey.products].map(([id, p]) => ({ code: `P-${id}`, name: p.name, category: p.category, weightG: 400 }));
  for (let from = 0; from < skus.length; from += 1_000) await client('POST', '/v1/skus/bulk', { skus: skus.slice(from, from + 1_000) });
  say(`${stores.length} stores and ${skus.length} SKUs loaded; opening stock follows`);
  const central = new Map<string, number>([...journey.products.keys()].map((p) => [p, COVER]));
  for (const store of stores) {
    const sold = [...(journey.opening.get(store) ?? [])].filter(([product]) => journey.products.has(product));
    for (const [product, units] of sold) central.set(product, (central.get(product) ?? 0) + units);
    await receive(client, locationCode(store), sold);
  }
  await receive(client, CENTRAL, [...central]);
}

async function receive(client: Client, location: string, stock: readonly (readonly [string, number])[]): Promise<void> {
  for (let from = 0; from < stock.length; from += RECEIPT_LINES) {
    await client('POST', '/v1/stock/receipts', {
      reference: `JOURNEY-OPENING-${location}-${from}`, location, lines: stock.slice(from, from + RECEIPT_LINES).map(([product, quantity]) => ({ sku: `P-${product}`, quantity })),
    });
  }
}

/** A basket as an order of the till; the customer's contact is invented from the household's number. */
export function toOrder(basket: Basket): Record<string, unknown> {
  const [city, province] = cityOf(basket.store);
  return {
    channel: CHANNEL, externalId: basket.id, currency: 'USD', orderedAt: `${basket.at.replace(' ', 'T')}Z`, payment: { status: 'paid' }, location: locationCode(basket.store),
    buyer: { id: `household-${basket.household}` },
    shipTo: { name: `Household ${basket.household}`, phone: `555-${basket.household.padStart(7, '0')}`, country: 'US', province, city, street: `${basket.household} Example Street` },
    lines: [...basket.lines.values()].map(toOrderLine),
  };
}

/** `errors`: reason → baskets refused. `refused`: external ids of those baskets. */
export type Imported = { captured: number; repeated: number; failed: number; errors: Map<string, number>; refused: Set<string> };

type Message =
  | { type: 'error'; line?: number; code: string; reason: string }
  | { type: 'progress'; orders: number }
  | { type: 'summary'; captured: number; repeated: number; failed: number };

/** Streams the baskets through POST /v1/orders/import and reads what it says. @throws Error when the API refuses or breaks off the import */
export async function sendBaskets(apiUrl: string, key: string, baskets: readonly Basket[], say: (message: string) => void): Promise<Imported> {
  const response = await fetch(`${apiUrl}/v1/orders/import`, {
    method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' }, body: ReadableStream.from(ndjson(baskets)), duplex: 'half',
  } as RequestInit);
  if (!response.ok || !response.body) throw new Error(`the import was refused: ${response.status} ${await response.text()}`);
  const result: Imported = { captured: 0, repeated: 0, failed: 0, errors: new Map(), refused: new Set() };
  let ended = false;
  for await (const message of messages(response.body as unknown as AsyncIterable<Uint8Array>)) {
    switch (message.type) {
      case 'progress': say(`import: ${message.orders} baskets sent`); break;
      case 'summary': {
        ended = true;
        Object.assign(result, { captured: message.captured, repeated: message.repeated, failed: message.failed });
        break;
      }
      case 'error': {
        const basket = message.line === undefined ? undefined : baskets[message.line - 1]; // one basket a line
        if (!basket) throw new Error(`the import broke off: ${message.code}: ${message.reason}`);
        result.refused.add(basket.id);
        const reason = `${message.code}: ${message.reason}`;
        result.errors.set(reason, (result.errors.get(reason) ?? 0) + 1);
      }
    }
  }
  if (!ended) throw new Error('the import broke off: the answer has no summary');
  return result;
}

function* ndjson(baskets: readonly Basket[]): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  for (const basket of baskets) yield encoder.encode(`${JSON.stringify(toOrder(basket))}\n`);
}

async function* messages(body: AsyncIterable<Uint8Array>): AsyncGenerator<Message> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as Message;
  }
  if (rest !== '') yield JSON.parse(rest) as Message;
}

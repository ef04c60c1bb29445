import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { promise } from '../../domain/promising/promise.ts';
import type { InstancePolicy } from '../../domain/routing/model.ts';
import type { RecordedOrder, SimulatedLocation, SimulationInput } from '../../domain/simulation/model.ts';
import { JOURNEY } from '../support/journey-sales.ts';

/** Eight real cities; a store's is its number modulo 8, a made-up but fixed rule: the set does not say where its stores are. */
const CITIES: readonly (readonly [province: string, city: string, lat: number, lon: number])[] = [
  ['Ohio', 'Columbus', 39.96, -83], ['Ohio', 'Cincinnati', 39.1, -84.51], ['Kentucky', 'Louisville', 38.25, -85.76], ['Tennessee', 'Nashville', 36.16, -86.78],
  ['Georgia', 'Atlanta', 33.75, -84.39], ['Texas', 'Houston', 29.76, -95.37], ['Texas', 'Dallas', 32.78, -96.8], ['Colorado', 'Denver', 39.74, -104.99],
];
/** Of a week's sales a store begins with this share and gets that share, too, over the mornings: in all more than it sells, and yet some shelves are empty when a basket comes. */
const OPENING = 0.7;
const RESTOCKED = 0.5;
const ZONE = 'America/New_York';
const HOUR = 3_600_000;

type Line = { store: number; basket: string; product: number; quantity: number; value: number; at: number };

function linesOf(directory: string, week: number): Line[] {
  const files = readdirSync(directory).filter((name) => /^transactions.*\.csv\.gz$/.test(name)).sort();
  const lines: Line[] = [];
  for (const name of files) {
    for (const row of gunzipSync(readFileSync(join(directory, name))).toString('latin1').split('\n').slice(1)) {
      const f = row.split(',');
      const quantity = Number(f[4]);
      // Quantity 0 is no sale, thousands are fuel by the fluid ounce.
      if (Number(f[9]) !== week || !(quantity >= 1 && quantity <= 100)) continue;
      lines.push({ store: Number(f[1]), basket: f[2] ?? '', product: Number(f[3]), quantity, value: Math.round(Number(f[5]) * 100), at: Date.parse(`${(f[10] ?? '').trim().replace(' ', 'T')}Z`) });
    }
  }
  if (lines.length === 0) throw new Error(`${directory} holds no transactions of week ${week}`);
  return lines;
}

/** One week of real baskets as orders to be delivered in their store's city, from any store or from one warehouse. */
export function realWeek(week: number, directory = JOURNEY): SimulationInput {
  const lines = linesOf(directory, week);
  const calendar = { timeZone: ZONE, cutoffMinutes: 16 * 60, handlingMinutes: 120, workDays: [1, 2, 3, 4, 5, 6, 7] };
  const sold = new Map<string, number>();
  const soldOf = new Map<number, number>();
  const unitsAt = new Map<number, number>();
  const baskets = new Map<string, Line[]>();
  for (const line of lines) {
    const key = `${line.store}|${line.product}`;
    sold.set(key, (sold.get(key) ?? 0) + line.quantity);
    soldOf.set(line.product, (soldOf.get(line.product) ?? 0) + line.quantity);
    unitsAt.set(line.store, (unitsAt.get(line.store) ?? 0) + line.quantity);
    baskets.set(line.basket, [...baskets.get(line.basket) ?? [], line]);
  }
  const place = (store: number): SimulatedLocation['place'] => {
    const [province, city, lat, lon] = CITIES[store % CITIES.length] as (typeof CITIES)[number];
    return { country: 'US', province, city, lat, lon };
  };
  const first = Math.floor(Math.min(...lines.map((l) => l.at)) / (24 * HOUR)) * 24 * HOUR;
  const locations: SimulatedLocation[] = [
    { code: 'DC', kind: 'warehouse', place: place(0), calendar, handling: { perShipment: 150, perUnit: 10 } },
    // Capacity for three times the mean day.
    ...[...unitsAt].sort(([a], [b]) => a - b).map(([store, units]): SimulatedLocation => ({ code: `S${store}`, kind: 'store', place: place(store), calendar, handling: { perShipment: 250, perUnit: 25 }, dailyCapacity: Math.max(40, Math.ceil((units * 3) / 7)) })),
  ];
  const input: SimulationInput = { locations, rates: [], stock: [], orders: [], arrivals: [] };
  for (const [zone, firstCost, stepCost, transitDays] of [['same_city', 600, 30, 1], ['same_province', 800, 45, 2], ['national', 1100, 80, 3]] as const) {
    input.rates.push({ carrier: 'ground', zone, firstWeightG: 1000, firstCost, stepG: 1000, stepCost, transitDays }, { carrier: 'express', zone, firstWeightG: 1000, firstCost: firstCost * 2, stepG: 1000, stepCost: stepCost * 2, transitDays: 1 });
  }
  for (const [key, units] of sold) {
    const [store, product] = key.split('|') as [string, string];
    const opening = Math.ceil(units * OPENING);
    input.stock.push({ location: `S${store}`, sku: product, units: opening, keep: units });
    for (let day = 1, given = 0; day < 7; day++) {
      const due = Math.floor((units * RESTOCKED * day) / 6);
      if (due > given) input.arrivals.push({ at: first + day * 24 * HOUR + 10 * HOUR, location: `S${store}`, sku: product, units: due - given });
      given = due;
    }
  }
  for (const [product, units] of soldOf) if (units >= 5) input.stock.push({ location: 'DC', sku: `${product}`, units: Math.ceil(units * 0.2), keep: 0 });
  for (const [basket, own] of baskets) input.orders.push(orderOf(basket, own, place, calendar));
  input.orders.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  return input;
}

/** A basket lists a product twice at times: one line of an order. The promise is what the nearest store could do. */
function orderOf(basket: string, own: readonly Line[], place: (store: number) => SimulatedLocation['place'], calendar: NonNullable<SimulatedLocation['calendar']>): RecordedOrder {
  const { at, store } = own[0] as Line;
  const byProduct = new Map<number, { quantity: number; value: number }>();
  for (const { product, quantity, value } of own) {
    const known = byProduct.get(product);
    byProduct.set(product, { quantity: (known?.quantity ?? 0) + quantity, value: (known?.value ?? 0) + value });
  }
  return {
    id: basket, at, margins: Object.fromEntries([...byProduct].map(([product, { quantity, value }]) => [`${product}`, Math.round((value / quantity) * 0.25)])),
    order: {
      channel: 'web', destination: place(store), promisedBy: promise({ orderedAt: new Date(at), scheduledFrom: null, location: calendar, transitDays: 2 }).deliverBy.toISOString(),
      lines: [...byProduct].map(([product, { quantity, value }], i) => ({ line: i + 1, sku: `${product}`, quantity, value, weightG: 300 + (product % 7) * 150 })),
    },
  };
}

const weights = { shipping: 1000, handling: 1000, splitPenalty: 500, latenessPerDay: 500, loadBalance: 0, opportunity: 0, slowCredit: 0, settlement: 1000 };
/** What rules today, and one that keeps to few parcels, spreads the load and leaves shops their last units. */
export const POLICIES: readonly InstancePolicy[] = [
  { code: 'cheapest', version: 1, kinds: ['warehouse', 'store'], maxShipments: 4, lineMaySplit: true, minShipmentValue: 0, dealers: 'equal', weights },
  { code: 'careful', version: 1, kinds: ['warehouse', 'store'], maxShipments: 3, lineMaySplit: true, minShipmentValue: 0, dealers: 'equal', weights: { ...weights, splitPenalty: 900, latenessPerDay: 1500, loadBalance: 100, opportunity: 200 } },
];

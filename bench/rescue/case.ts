import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { InstanceRate } from '../../domain/routing/model.ts';
import type { RecordedOrder, SimulatedLocation, SimulatedStock } from '../../domain/simulation/model.ts';
import { promise } from '../../domain/promising/promise.ts';

/** Six regions, each with an online warehouse; a store's is its number modulo 6, a made-up but fixed rule: the set does not say where its stores are. */
const REGIONS: readonly (readonly [province: string, city: string, lat: number, lon: number])[] = [
  ['Guangdong', 'Guangzhou', 23.13, 113.26], ['Zhejiang', 'Hangzhou', 30.27, 120.16], ['Beijing', 'Beijing', 39.9, 116.4], ['Sichuan', 'Chengdu', 30.57, 104.07], ['Hubei', 'Wuhan', 30.59, 114.31], ['Shaanxi', 'Xian', 34.34, 108.94],
];
/** Of households this share buys online in the case: by the number of the household, so always the same. */
const ONLINE_OF_TEN = 3;
const CALENDAR = { timeZone: 'Asia/Shanghai', cutoffMinutes: 16 * 60, handlingMinutes: 120, workDays: [1, 2, 3, 4, 5, 6, 7] };

type Line = { week: number; household: number; store: number; basket: string; product: number; quantity: number; value: number; at: number };
export type WalkIn = { at: number; location: string; sku: string; quantity: number; value: number };
/** `online`: orders of customers by their region; `walkIns`: what shops sell over the counter at the same time. Money in cents. */
export type Case = { locations: SimulatedLocation[]; stock: SimulatedStock[]; rates: InstanceRate[]; online: RecordedOrder[]; walkIns: WalkIn[] };

function read(directory: string, from: number, to: number): Line[] {
  return readdirSync(directory).filter((name) => /^transactions.*\.csv\.gz$/.test(name)).sort().flatMap((name) => gunzipSync(readFileSync(join(directory, name))).toString('latin1').split('\n').slice(1).flatMap((row): Line[] => {
    const f = row.split(',');
    const [week, quantity, value] = [Number(f[9]), Number(f[4]), Math.round(Number(f[5]) * 100)];
    if (week < from || week > to || !(quantity >= 1 && quantity <= 100) || value <= 0) return [];
    return [{ week, household: Number(f[0]), store: Number(f[1]), basket: f[2] ?? '', product: Number(f[3]), quantity, value, at: Date.parse(`${(f[10] ?? '').trim().replace(' ', 'T')}Z`) }];
  }));
}

const isOnline = (l: Line): boolean => l.household % 10 < ONLINE_OF_TEN;
const regionOf = (store: number): number => store % REGIONS.length;
const placeOf = (region: number): SimulatedLocation['place'] => {
  const [province, city, lat, lon] = REGIONS[region] as (typeof REGIONS)[number];
  return { country: 'CN', province, city, lat, lon };
};

/**
 * One week of the seed's case: every region's online warehouse was filled for the mean of its online demand over the four weeks before, every shop for `cover` weeks of its own. So shops are overstocked and
 * warehouses run out of what sells better than it did. Nothing is known of the week itself.
 */
export function rescueCase(directory: string, week: number, cover: number): Case {
  const lines = read(directory, week - 4, week);
  const past = lines.filter((l) => l.week < week);
  const mean = (rows: readonly Line[], key: (l: Line) => string): Map<string, number> => {
    const sums = new Map<string, number>();
    for (const l of rows) sums.set(key(l), (sums.get(key(l)) ?? 0) + l.quantity / 4);
    return sums;
  };
  const stores = [...new Set(lines.map((l) => l.store))].sort((a, b) => a - b);
  const locations = [
    ...REGIONS.map((_, r): SimulatedLocation => ({ code: `W${r}`, kind: 'warehouse', place: placeOf(r), calendar: CALENDAR, handling: { perShipment: 20, perUnit: 2 } })),
    ...stores.map((s): SimulatedLocation => ({ code: `S${s}`, kind: 'store', place: placeOf(regionOf(s)), calendar: CALENDAR, handling: { perShipment: 40, perUnit: 5 } })),
  ];
  const stock = [
    ...[...mean(past.filter(isOnline), (l) => `W${regionOf(l.store)}|${l.product}`)].map(([key, units]) => ({ key, units: Math.round(units), keep: 0 })),
    ...[...mean(past.filter((l) => !isOnline(l)), (l) => `S${l.store}|${l.product}`)].map(([key, units]) => ({ key, units: Math.ceil(units * cover), keep: Math.ceil(units) })),
  ].flatMap(({ key, units, keep }): SimulatedStock[] => { const [location = '', sku = ''] = key.split('|'); return units > 0 ? [{ location, sku, units, ...(keep > 0 ? { keep } : {}) }] : []; });
  const now = lines.filter((l) => l.week === week);
  const baskets = new Map<string, Line[]>();
  for (const l of now.filter(isOnline)) baskets.set(l.basket, [...baskets.get(l.basket) ?? [], l]);
  return {
    locations, stock, rates: ratesOf(), online: [...baskets].map(([id, own]) => orderOf(id, own)).sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)),
    walkIns: now.filter((l) => !isOnline(l)).map((l) => ({ at: l.at, location: `S${l.store}`, sku: `${l.product}`, quantity: l.quantity, value: l.value })).sort((a, b) => a.at - b.at),
  };
}

/** What parcels cost a brand in China, in cents of a dollar: 首重 about 5.5, 7 and 8.5 yuan, 续重 1.5 to 3.5. */
function ratesOf(): InstanceRate[] {
  return ([['same_city', 80, 20, 1], ['same_province', 80, 20, 1], ['national', 120, 45, 2]] as const).map(([zone, firstCost, stepCost, transitDays]) => ({ carrier: 'ground', zone, firstWeightG: 1000, firstCost, stepG: 1000, stepCost, transitDays }));
}

function orderOf(id: string, own: readonly Line[]): RecordedOrder {
  const { at, store } = own[0] as Line;
  const products = new Map<number, { quantity: number; value: number }>();
  for (const { product, quantity, value } of own) products.set(product, { quantity: (products.get(product)?.quantity ?? 0) + quantity, value: (products.get(product)?.value ?? 0) + value });
  return {
    id, at, margins: Object.fromEntries([...products].map(([p, { quantity, value }]) => [`${p}`, Math.round((value / quantity) * 0.4)])),
    order: {
      channel: 'online', destination: placeOf(regionOf(store)), promisedBy: promise({ orderedAt: new Date(at), scheduledFrom: null, location: CALENDAR, transitDays: 2 }).deliverBy.toISOString(),
      lines: [...products].map(([product, { quantity, value }], i) => ({ line: i + 1, sku: `${product}`, quantity, value, weightG: 200 + (product % 7) * 50 })),
    },
  };
}

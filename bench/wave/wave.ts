import type { InstanceLocation, InstanceOrder, InstanceRate } from '../../domain/routing/model.ts';
import type { WaveInstance } from '../../domain/routing/wave/model.ts';
import { solveWave } from '../../domain/routing/wave/solve.ts';
import { openHighs } from '../../runtime/highs.ts';
import { calibrateNode } from '../support/calibrate-node.ts';
import { seeded } from '../support/random.ts';

const CITIES: readonly (readonly [province: string, city: string, lat: number, lon: number])[] = [
  ['Shanghai', 'Shanghai', 31.2, 121.5], ['Jiangsu', 'Nanjing', 32.1, 118.8], ['Jiangsu', 'Suzhou', 31.3, 120.6], ['Zhejiang', 'Hangzhou', 30.3, 120.2], ['Guangdong', 'Shenzhen', 22.5, 114.1],
  ['Guangdong', 'Guangzhou', 23.1, 113.3], ['Beijing', 'Beijing', 39.9, 116.4], ['Sichuan', 'Chengdu', 30.7, 104.1], ['Hubei', 'Wuhan', 30.6, 114.3], ['Shaanxi', 'Xian', 34.3, 108.9],
];
const DAY = 86_400_000;
const NOW = Date.parse('2026-11-23T04:00:00Z');
const GAP = 0.01;
const SECONDS = 9.6;

/** An evening's orders for a hundred SKUs of which there is not enough, everywhere a little; some buyers ordered twice. The same seed gives the same wave. */
function scarceWave(seed: number, orders: number, sites: number): WaveInstance {
  const random = seeded(seed);
  const int = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
  const place = (i: number): InstanceLocation['place'] => { const [province, city, lat, lon] = CITIES[i % CITIES.length]!; return { country: 'CN', province, city, lat, lon }; };
  const skus = Array.from({ length: 100 }, (_, i) => ({ sku: `K${i}`, weightG: int(100, 1800), price: int(40, 600) * 100, popular: 1 / (i + 3) }));
  const all = skus.reduce((sum, s) => sum + s.popular, 0);
  const pick = (): (typeof skus)[number] => { let at = random() * all; return skus.find((s) => (at -= s.popular) <= 0) ?? skus[0]!; };
  const wanted = new Map<string, number>();
  const list = Array.from({ length: orders }, (_, n) => {
    const chosen = new Map<string, (typeof skus)[number]>();
    for (let i = int(1, 4); i > 0; i--) { const s = pick(); chosen.set(s.sku, s); }
    const buyer = random() < 0.15 && n > 0 ? n - 1 : n;
    const order: InstanceOrder = {
      channel: 'own', destination: place(buyer * 7), promisedBy: new Date(NOW + int(2, 4) * DAY).toISOString(),
      lines: [...chosen.values()].map((s, i) => { const quantity = random() < 0.85 ? 1 : 2; wanted.set(s.sku, (wanted.get(s.sku) ?? 0) + quantity); return { line: i + 1, sku: s.sku, quantity, value: quantity * s.price, weightG: s.weightG }; }),
    };
    return { id: `O${n}`, order, mergeKey: `buyer-${buyer}` };
  });
  const locations = Array.from({ length: sites }, (_, i): InstanceLocation => {
    const kind = i < 3 ? 'warehouse' as const : 'store' as const;
    return {
      code: `L${i}`, kind, place: place(int(0, CITIES.length - 1)), shipsAt: new Date(NOW + int(0, 1) * DAY).toISOString(), handling: { perShipment: kind === 'warehouse' ? 150 : 350, perUnit: kind === 'warehouse' ? 30 : 80 }, load: 0,
      ...(kind === 'store' ? { capacityUnits: int(10, 30) } : { capacityUnits: int(120, 220) }), stock: {},
    };
  });
  // In all 0.8 of what is wanted: half of it in the warehouses, the rest in twos and threes in shops.
  for (const [sku, units] of wanted) {
    let rest = Math.ceil(units * 0.8);
    const give = (l: InstanceLocation, n: number): void => { const some = Math.min(rest, n); if (some > 0) { l.stock[sku] = { available: (l.stock[sku]?.available ?? 0) + some }; rest -= some; } };
    give(locations[int(0, 2)]!, Math.ceil(rest / 2));
    while (rest > 0) give(locations[int(3, sites - 1)]!, int(1, 3));
  }
  const rates = ([['same_city', 600, 100, 1], ['same_province', 800, 150, 1], ['national', 1200, 400, 3]] as const).flatMap(([zone, first, step, days]): InstanceRate[] => [
    { carrier: 'swift', zone, firstWeightG: 1000, firstCost: first + 500, stepG: 500, stepCost: step + 100, transitDays: Math.max(1, days - 1) }, { carrier: 'plain', zone, firstWeightG: 1000, firstCost: first, stepG: 1000, stepCost: step, transitDays: days },
  ]);
  return {
    orders: list, locations, rates, unserved: { base: 2000, perMilleOfValue: 100 },
    policy: { code: 'wave', version: 1, kinds: ['warehouse', 'store'], maxShipments: 3, lineMaySplit: false, minShipmentValue: 0, dealers: 'equal', weights: { shipping: 1000, handling: 1000, splitPenalty: 300, latenessPerDay: 500, loadBalance: 0, opportunity: 0, slowCredit: 0, settlement: 1000 } },
  };
}

/** 500 orders for the same scarce stock, solved together. `gap`: against the bound, which is over all plans; `seconds` from the instance to the plans. Arguments: orders, locations, seed. */
export async function wave(args: string[]): Promise<Record<string, unknown>> {
  const calibration = calibrateNode();
  const [orders, sites, seed] = [Number(args[0] ?? 500), Number(args[1] ?? 40), Number(args[2] ?? 7)];
  const solve = await openHighs();
  const instance = scarceWave(seed, orders, sites);
  const started = performance.now();
  const { plans, ...result } = solveWave(instance, { solve, now: () => performance.now(), seconds: SECONDS, gap: GAP });
  const seconds = (performance.now() - started) / 1000;
  const round = (n: number): number => Math.round(n * 10_000) / 10_000;
  return { bench: 'wave', orders, locations: sites, plans: plans.length, ...result, gap: round(result.gap), seconds: Math.round(seconds * 100) / 100, marginOverOneByOne: round(result.margin), calibration };
}

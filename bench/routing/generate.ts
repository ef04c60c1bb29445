import type { Place } from '../../domain/geo.ts';
import type { InstanceLocation, InstanceRate, RoutingInstance } from '../../domain/routing/model.ts';
import { seeded } from '../support/random.ts';

const CITIES: readonly (readonly [province: string, city: string, lat: number, lon: number])[] = [
  ['Shanghai', 'Shanghai', 31.2, 121.5], ['Jiangsu', 'Nanjing', 32.1, 118.8], ['Jiangsu', 'Suzhou', 31.3, 120.6], ['Zhejiang', 'Hangzhou', 30.3, 120.2], ['Guangdong', 'Shenzhen', 22.5, 114.1],
  ['Guangdong', 'Guangzhou', 23.1, 113.3], ['Beijing', 'Beijing', 39.9, 116.4], ['Sichuan', 'Chengdu', 30.7, 104.1], ['Hubei', 'Wuhan', 30.6, 114.3], ['Shaanxi', 'Xian', 34.3, 108.9],
];
const place = (i: number): Place => { const [province, city, lat, lon] = CITIES[i % CITIES.length]!; return { country: 'CN', province, city, lat, lon }; };
const DAY = 86_400_000;
const NOW = Date.parse('2026-11-23T04:00:00Z');

/**
 * One order over a network like a brand's: a few warehouses with most SKUs, many shops with some of them in small numbers, dealers; three carriers by zone, one with volumetric weight;
 * promises, load, last units that a shop would sell itself, slow stock, settlements. The same number gives the same instance.
 */
export function generate(seed: number, mostLines: number, locations: number): RoutingInstance {
  const random = seeded(seed * 7919 + 17);
  const int = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
  const lines = Array.from({ length: int(1, mostLines) }, (_, i) => {
    const quantity = random() < 0.8 ? 1 : int(2, 4);
    return { line: i + 1, sku: random() < 0.05 && i > 0 ? `S${i - 1}` : `S${i}`, quantity, value: quantity * int(20, 900) * 100, weightG: int(80, 2_500), volumeMm3: int(100, 12_000) * 1_000 };
  });
  const warehouses = Math.max(2, Math.floor(locations / 20));
  const dealers = Math.floor(locations / 10);
  const sites = Array.from({ length: locations }, (_, i): InstanceLocation => {
    const kind = i < warehouses ? 'warehouse' as const : i < warehouses + dealers ? 'dealer' as const : 'store' as const;
    const share = kind === 'warehouse' ? 0.75 : 0.35;
    return {
      code: `L${i}`, kind, place: place(int(0, CITIES.length - 1)), shipsAt: new Date(NOW + int(0, 2) * DAY + int(0, 8) * 3_600_000).toISOString(), handling: { perShipment: kind === 'warehouse' ? 150 : 350, perUnit: kind === 'warehouse' ? 30 : int(60, 90) },
      ...(kind === 'dealer' ? { settlementFee: 100 * (i % 6) } : {}),
      load: int(0, 1000), ...(random() < 0.1 ? { capacityUnits: int(1, 6) } : {}),
      stock: Object.fromEntries([...new Set(lines.map((l) => l.sku))].flatMap((sku) => (random() >= share ? [] : [[sku, {
        available: kind === 'warehouse' ? int(5, 200) : int(1, 5), ...(kind === 'store' ? { opportunity: { cost: int(0, 1200), units: int(0, 3) } } : {}),
        ...(random() < 0.15 ? { slowCredit: int(50, 400) } : {}), ...(kind === 'dealer' ? { settlement: int(100, 900) } : {}),
      }]]))),
    };
  });
  const rates = ([['same_city', 600, 100, 1], ['same_province', 800, 150, 1], ['national', 1200, 400, 3]] as const).flatMap(([zone, first, step, days]): InstanceRate[] => [
    { carrier: 'swift', zone, firstWeightG: 1000, firstCost: first + 500, stepG: 500, stepCost: step + 100, transitDays: Math.max(1, days - 1), volumetricMm3PerG: 6000 },
    { carrier: 'plain', zone, firstWeightG: 1000, firstCost: first, stepG: 1000, stepCost: step, transitDays: days },
    { carrier: 'heavy', zone, firstWeightG: 5000, firstCost: first * 3, stepG: 1000, stepCost: Math.floor(step / 3), transitDays: days + 1, maxWeightG: 60_000 },
  ]);
  return {
    order: { channel: 'own', destination: place(int(0, CITIES.length - 1)), promisedBy: new Date(NOW + int(2, 4) * DAY).toISOString(), lines }, locations: sites, rates,
    policy: {
      code: 'bench', version: 1, kinds: ['warehouse', 'store', 'dealer'], maxShipments: int(2, 5), lineMaySplit: false, minShipmentValue: random() < 0.2 ? 10_000 : 0, dealers: random() < 0.5 ? 'after_own' : 'equal',
      ...(random() < 0.3 ? { eligibility: [random() < 0.5 ? { mode: 'never' as const, locations: [`L${int(0, locations - 1)}`, `L${int(0, locations - 1)}`], channels: ['own'] } : { mode: 'only' as const, kinds: ['warehouse' as const, 'store' as const] }] } : {}),
      weights: { shipping: 1000, handling: 1000, splitPenalty: int(0, 800), latenessPerDay: 500, loadBalance: 200, opportunity: 1000, slowCredit: 1000, settlement: 1000 },
    },
  };
}

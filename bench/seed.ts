import type pg from 'pg';

export type SeedOptions = { locations: number; skus: number; stock: number; returnWindowS?: number; partnerUrl?: string; partnerSecret?: Buffer; carrierUrl?: string; acceptTimeoutS?: number };

const CITIES = [['Shanghai', 31.23, 121.47], ['Beijing', 39.9, 116.4], ['Guangzhou', 23.13, 113.26], ['Shenzhen', 22.54, 114.06], ['Chengdu', 30.57, 104.07], ['Wuhan', 30.59, 114.31]] as const;

/** A plain network for benchmarks, written by SQL: finite stock of every SKU at every location, its receipt in the ledger. */
export async function seed(pool: pg.Pool, o: SeedOptions): Promise<{ cities: readonly string[] }> {
  await pool.query(
    `insert into channels (code, name, platform, intake_mode, currency, payment_window_s, backorder_window_s, merge_window_s, return_window_s)
     values ('own', 'own site', 'own', 'strict', 'CNY', 1800, 604800, 0, $1)`, [o.returnWindowS ?? 604_800]);
  await pool.query(`insert into carriers (code, name, base_url, secret) values ('sim', 'simulated carrier', $1, $2)`, [o.carrierUrl ?? null, o.partnerSecret ?? null]);
  await pool.query(`insert into carrier_rates values ('sim', 'same_city', 1000, 600, 500, 100, 1), ('sim', 'same_province', 1000, 800, 500, 150, 1), ('sim', 'national', 1000, 1200, 500, 300, 2)`);
  for (const [city, lat, lon] of CITIES) await pool.query('insert into places values ($1, $2, $2, $3, $4)', ['CN', city, lat, lon]);
  for (let i = 0; i < o.locations; i++) {
    const [city, lat, lon] = CITIES[i % CITIES.length] as (typeof CITIES)[number];
    await pool.query(
      `insert into locations (code, name, kind, country, province, city, lat, lon, time_zone, cutoff_minutes, handling_minutes, work_days, handling_cost, accept_timeout_s, partner_url, partner_secret)
       values ($1, $1, $2, 'CN', $3, $3, $4, $5, 'Asia/Shanghai', 960, 60, '{1,2,3,4,5,6,7}', 200, $6, $7, $8)`,
      [`L-${i + 1}`, i < 3 ? 'warehouse' : 'store', city, lat + i * 0.01, lon, o.acceptTimeoutS ?? 600, o.partnerUrl ?? null, o.partnerSecret ?? null]);
  }
  await pool.query(`insert into skus (code, name, weight_g, cost) select 'SKU-' || i, 'Article ' || i, 300, 1000 from generate_series(1, $1::int) i`, [o.skus]);
  await pool.query(`insert into stock_levels (location_id, sku_id, on_hand) select l.id, s.id, $1 from locations l, skus s`, [o.stock]);
  await pool.query(`insert into stock_movements (command_id, leg, level_id, d_on_hand, d_reserved, cause) select uuidv7(), 0, id, on_hand, 0, 'receipt' from stock_levels`);
  await pool.query('analyze channels, carriers, carrier_rates, places, locations, skus, stock_levels, stock_movements');
  return { cities: CITIES.map((c) => c[0]) };
}

/** The body of a benchmark order: two lines, a paid order of a returning customer. */
export function orderBody(n: number, skus: number, cities: readonly string[], random: () => number): Record<string, unknown> {
  const city = cities[Math.floor(random() * cities.length)] as string;
  const sku = (): string => `SKU-${1 + Math.floor(random() * skus)}`;
  return {
    channel: 'own', externalId: `B-${n}`, currency: 'CNY', payment: { status: 'paid' },
    shipTo: { name: `Buyer ${n % 5000}`, phone: `100${String(n % 5000).padStart(8, '0')}`, country: 'CN', province: city, city, street: `${n % 5000} Example Road` },
    lines: [{ sku: sku(), quantity: 1, unitPrice: 9900 }, { sku: sku(), quantity: 2, unitPrice: 4950 }], freight: 800,
  };
}

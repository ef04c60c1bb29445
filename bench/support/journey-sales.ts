import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Where the set lies, seen from the repository; a benchmark takes another folder as an argument. */
export const JOURNEY = join(import.meta.dirname, '../../../shared/data/complete-journey');
const DAY_MS = 86_400_000;
const FIRST_DAY = Date.UTC(2017, 0, 1);
/** Timestamps are UTC, weeks are those of New York: midnight is 05:00, from 12 March (day 70) 04:00. */
const SUMMER = Date.UTC(2017, 2, 12, 7);

/** Sales lines as columns. `day` 0 is 1 January 2017; week 1 has that Sunday only, week w the days 7(w−2)+1 … 7(w−1). */
export type SalesLines = {
  count: number; weeks: number;
  day: Int16Array; store: Int32Array; product: Int32Array; household: Int32Array; quantity: Int16Array;
  /** cents: what was paid, what the retailer took off */
  paid: Int32Array; discount: Int32Array;
};
export type Product = { category: string; type: string; department: string };
/** One SKU in one store: units per day and per week (weeks counted from 1; index 0 is empty), and the days on which its price was reduced. */
export type Pair = { store: number; product: number; daily: Int16Array; weekly: Int32Array; reduced: Uint8Array; total: number };

const weekOf = (day: number): number => 1 + Math.ceil(day / 7);
export const weekStart = (week: number): number => 7 * (week - 2) + 1;

/**
 * The baskets of the Complete Journey set whose lines have 1–`most` units (0 is no sale, thousands are fuel by the fluid ounce), in the order of time.
 * @throws Error when the folder has no transactions
 */
export function readSales(directory = JOURNEY, most = 100): SalesLines {
  const files = readdirSync(directory).filter((name) => /^transactions.*\.csv\.gz$/.test(name)).sort();
  if (files.length === 0) throw new Error(`${directory} holds no transactions*.csv.gz`);
  const lines = files.flatMap((name) => gunzipSync(readFileSync(join(directory, name))).toString('latin1').split('\n').slice(1));
  const n = lines.length;
  const out: SalesLines = {
    count: 0, weeks: 0, day: new Int16Array(n), store: new Int32Array(n), product: new Int32Array(n), household: new Int32Array(n), quantity: new Int16Array(n), paid: new Int32Array(n), discount: new Int32Array(n),
  };
  for (const line of lines) {
    const field = line.split(',');
    const quantity = Number(field[4]);
    if (field.length < 11 || !(quantity >= 1 && quantity <= most)) continue;
    const at = Date.parse(`${field[10]!.trim().replace(' ', 'T')}Z`);
    const i = out.count++;
    // The week's own column rules where a till's clock differs from it by an hour.
    const week = Number(field[9]);
    const day = Math.floor((at - (at < SUMMER ? 5 : 4) * 3_600_000 - FIRST_DAY) / DAY_MS);
    out.day[i] = week === 1 ? 0 : Math.min(Math.max(day, weekStart(week)), weekStart(week) + 6);
    out.store[i] = Number(field[1]);
    out.product[i] = Number(field[3]);
    out.household[i] = Number(field[0]);
    out.quantity[i] = quantity;
    out.paid[i] = Math.round(Number(field[5]) * 100);
    out.discount[i] = Math.round(Number(field[6]) * 100);
    out.weeks = Math.max(out.weeks, week);
  }
  return out;
}

/** Product → its place in the assortment. */
export function readProducts(directory = JOURNEY): Map<number, Product> {
  const rows = gunzipSync(readFileSync(join(directory, 'products.csv.gz'))).toString('latin1').split('\n').slice(1);
  const found = new Map<number, Product>();
  for (const row of rows) {
    const f = row.split(',');
    if (f.length >= 6) found.set(Number(f[0]), { department: f[2]!, category: f[4]!, type: f[5]! });
  }
  return found;
}

/** The `count` SKU × store pairs that sell most units up to a week (the set's last, unless said); ties by store, then SKU. `total` is of these weeks. */
export function topPairs(sales: SalesLines, count: number, lastWeek = sales.weeks): Pair[] {
  const totals = new Map<number, number>();
  for (let i = 0; i < sales.count; i++) {
    if (weekOf(sales.day[i]!) > lastWeek) continue;
    const key = sales.product[i]! * 100_000 + sales.store[i]!;
    totals.set(key, (totals.get(key) ?? 0) + sales.quantity[i]!);
  }
  const chosen = [...totals].sort((a, b) => b[1] - a[1] || a[0] % 100_000 - b[0] % 100_000 || a[0] - b[0]).slice(0, count);
  const days = weekStart(sales.weeks + 1);
  const pairs = new Map(chosen.map(([key, total]): [number, Pair] => [key, {
    store: key % 100_000, product: Math.floor(key / 100_000), daily: new Int16Array(days), weekly: new Int32Array(sales.weeks + 1), reduced: new Uint8Array(days), total,
  }]));
  for (let i = 0; i < sales.count; i++) {
    const pair = pairs.get(sales.product[i]! * 100_000 + sales.store[i]!);
    if (!pair) continue;
    const day = sales.day[i]!;
    pair.daily[day] = pair.daily[day]! + sales.quantity[i]!;
    pair.weekly[weekOf(day)] = pair.weekly[weekOf(day)]! + sales.quantity[i]!;
    if (sales.discount[i]! > 0) pair.reduced[day] = 1;
  }
  return [...pairs.values()];
}

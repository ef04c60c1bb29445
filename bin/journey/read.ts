import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { cleanLine, mergeLine, type BadReason, type CleanLine, type RawLine } from './clean.ts';

/** The first weeks give the opening stock; baskets are taken from the weeks after. */
export const OPENING_WEEKS = 4;

export type Basket = { id: string; store: string; household: string; at: string; lines: Map<string, CleanLine> };
export type Journey = {
  baskets: Basket[];
  /** baskets of which no line could be used */
  emptyBaskets: number;
  /** product → name, department, weight unknown */
  products: Map<string, { name: string; category: string }>;
  /** store → product → units sold in the opening weeks */
  opening: Map<string, Map<string, number>>;
  linesRead: number; linesOrdered: number; linesMerged: number; bad: Map<BadReason, number>;
};

async function* rows<T>(path: string): AsyncGenerator<T> {
  const source = createReadStream(path);
  const unzipped = createGunzip();
  const parser = parse({ columns: true, skip_empty_lines: true });
  source.once('error', (error) => parser.destroy(error));
  unzipped.once('error', (error) => parser.destroy(error));
  source.pipe(unzipped).pipe(parser);
  for await (const row of parser) yield row as T;
}

/** The lines of every transactions file of the folder, by name; the files are sorted by time. @throws Error when there is none */
async function* transactions(directory: string): AsyncGenerator<RawLine> {
  const files = readdirSync(directory).filter((name) => /^transactions.*\.csv\.gz$/.test(name)).sort();
  if (files.length === 0) throw new Error(`${directory} holds no transactions*.csv.gz`);
  for (const file of files) yield* rows<RawLine>(join(directory, file));
}

/** Reads the set once, as a stream: products first, then the transactions. Every line of the chosen baskets is ordered, merged or counted as bad. */
export async function readJourney(directory: string, count: number, say: (message: string) => void): Promise<Journey> {
  const names = new Map<string, { name: string; category: string }>();
  for await (const p of rows<{ product_id: string; department: string; product_category: string; product_type: string }>(join(directory, 'products.csv.gz'))) {
    names.set(p.product_id, { name: p.product_type || p.product_category || p.department || 'article', category: p.department || 'OTHER' });
  }
  say(`${names.size} products read`);
  const chosen = new Map<string, Basket>();
  const opening = new Map<string, Map<string, number>>();
  const result: Journey = { baskets: [], emptyBaskets: 0, products: new Map(), opening, linesRead: 0, linesOrdered: 0, linesMerged: 0, bad: new Map() };
  let seen = 0;
  for await (const raw of transactions(directory)) {
    if (++seen % 250_000 === 0) say(`${seen} transaction lines read`);
    if (Number(raw.week) <= OPENING_WEEKS) {
      const units = Number(raw.quantity);
      if (units > 0 && units <= 1_000) count1(opening, raw.store_id, raw.product_id, units);
      continue;
    }
    let basket = chosen.get(raw.basket_id);
    if (!basket) {
      if (chosen.size === count) continue;
      basket = { id: raw.basket_id, store: raw.store_id, household: raw.household_id, at: raw.transaction_timestamp, lines: new Map() };
      chosen.set(raw.basket_id, basket);
    }
    result.linesRead++;
    const line = cleanLine(raw, (p) => names.has(p));
    if ('bad' in line) {
      result.bad.set(line.bad, (result.bad.get(line.bad) ?? 0) + 1);
      continue;
    }
    const before = basket.lines.get(line.product);
    if (before) {
      mergeLine(before, line);
      result.linesMerged++;
    } else {
      basket.lines.set(line.product, line);
      result.linesOrdered++;
      result.products.set(line.product, names.get(line.product) as { name: string; category: string });
    }
  }
  for (const basket of chosen.values()) {
    if (basket.lines.size > 0) result.baskets.push(basket);
    else result.emptyBaskets++;
  }
  return result;
}

function count1(into: Map<string, Map<string, number>>, store: string, product: string, units: number): void {
  let at = into.get(store);
  if (!at) into.set(store, (at = new Map()));
  at.set(product, (at.get(product) ?? 0) + units);
}

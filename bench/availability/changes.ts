import { uuidv7 } from '../../runtime/ids.ts';
import { createPool } from '../../db/pool.ts';
import { StockWriter } from '../../db/stock-writer.ts';
import { Connection } from '../support/http-load.ts';
import { quantile, seeded } from '../support/random.ts';

const LEGS = 20;
const PROBE_MS = 100;
const POLL_MS = 5;
const LOST_MS = 10_000;

/**
 * Stock changes at a rate, by the one way there is (StockWriter, movements and all), beside probes of the lag: a marker SKU is changed and asked for until the answer
 * shows it. Arguments: database, port, key, marker level, marker SKU, highest level, changes a second, seconds.
 */
const [url, port, key, markerLevel, markerSku, levels, rate, seconds] = JSON.parse(process.argv[2] ?? '[]') as unknown[] & [string, number, string, number, string, number, number, number];
const pool = createPool(url, 6);
const writer = new StockWriter(pool, null);
const random = seeded(11);
const until = performance.now() + seconds * 1000;
let changes = 0;

async function change(): Promise<void> {
  const started = performance.now();
  const perWriter = rate / 2;
  let sent = 0;
  while (performance.now() < until) {
    const due = started + (sent / perWriter) * 1000;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => { setTimeout(resolve, wait); });
    const legs = [...new Set(Array.from({ length: LEGS }, () => 1 + Math.floor(random() * levels)))].filter((id) => id !== markerLevel);
    // Up one time, down the next: nothing runs out.
    await writer.change((tx) => tx.post('adjustment', null, legs.map((levelId) => ({ levelId, onHand: random() < 0.5 ? 1 : -1, reserved: 0 })), uuidv7()));
    sent += legs.length;
    changes += legs.length;
  }
}

async function probe(lags: number[]): Promise<void> {
  const connection = new Connection(() => port);
  const ask = Buffer.from(`GET /v1/availability?channel=own&sku=${markerSku} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n\r\n`);
  const seen = async (): Promise<number> => (JSON.parse((await connection.send(ask)).body) as { skus: { now: number }[] }).skus[0]?.now ?? -1;
  for (let expected = await seen() + 1; performance.now() < until; expected++) {
    await writer.change((tx) => tx.post('adjustment', null, [{ levelId: markerLevel, onHand: 1, reserved: 0 }], uuidv7()));
    const committed = performance.now();
    while (await seen() < expected && performance.now() - committed < LOST_MS) await new Promise((resolve) => { setTimeout(resolve, POLL_MS); });
    lags.push(performance.now() - committed);
    await new Promise((resolve) => { setTimeout(resolve, PROBE_MS * random()); });
  }
  connection.close();
}

const lags: number[] = [];
const began = performance.now();
await Promise.all([change(), change(), probe(lags)]);
const took = (performance.now() - began) / 1000;
lags.sort((a, b) => a - b);
await pool.end();
process.stdout.write(`${JSON.stringify({ changesPerSecond: changes / took, probes: lags.length, p50: quantile(lags, 0.5), max: lags.at(-1) ?? null })}\n`);

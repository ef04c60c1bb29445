import { Connection } from '../support/http-load.ts';
import { quantile, seeded } from '../support/random.ts';

/** The load generator, a process of its own. Arguments: port, key, SKUs, SKUs a request, connections, requests, lookups a second (0: as fast as it goes), seed. */
const [port, key, skus, perRequest, connections, requests, rate, seed] = JSON.parse(process.argv[2] ?? '[]') as number[] & [number, string, number, number, number, number, number, number];
const random = seeded(seed);
const CITIES = ['Shanghai', 'Beijing', 'Guangzhou'];
function request(n: number): Buffer {
  // The first time round every SKU once; then any.
  const codes = Array.from({ length: perRequest }, (_, i) => `SKU-${1 + (rate === 0 && seed === 0 ? (n * perRequest + i) % skus : Math.floor(random() * skus))}`);
  const city = CITIES[n % CITIES.length] as string;
  return Buffer.from(`GET /v1/availability?channel=own&sku=${codes.join(',')}&country=CN&province=${city}&city=${city} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n\r\n`);
}
const latencies: number[] = [];
let failed = 0;
let next = 0;
const started = performance.now();
const everyMs = rate === 0 ? 0 : (1000 * perRequest) / rate;
await Promise.all(Array.from({ length: connections }, async () => {
  const connection = new Connection(() => port);
  while (next < requests) {
    const n = next++;
    const due = started + n * everyMs;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => { setTimeout(resolve, wait); });
    const reply = await connection.send(request(n));
    // Of a paced load the time counts from when it was due: a server that stalls is not asked less.
    latencies.push(rate === 0 ? reply.ms : Math.max(reply.ms, performance.now() - Math.max(due, started)));
    if (reply.status !== 200) failed++;
  }
  connection.close();
}));
const seconds = (performance.now() - started) / 1000;
latencies.sort((a, b) => a - b);
process.stdout.write(`${JSON.stringify({ seconds, requests, failed, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), max: latencies.at(-1) ?? 0 })}\n`);

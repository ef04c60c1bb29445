import { connect } from 'node:net';
import { quantile, seeded } from '../support/random.ts';
import { orderBody } from '../seed.ts';

/**
 * The load generator, a process of its own: keep-alive connections with one request under way each, written by hand because an HTTP client library
 * would use more of the shared cores than the server. Arguments: ports, key, connections, orders, first number, SKUs, cities.
 */
const [ports, key, connections, orders, first, skus, cities] = JSON.parse(process.argv[2] ?? '[]') as [number[], string, number, number, number, number, string[]];
const random = seeded(first);
const latencies = new Float64Array(orders);
const statuses = new Map<number, number>();
let sent = 0;
let done = 0;
const bodies: Buffer[] = Array.from({ length: orders }, (_, i) => {
  const body = JSON.stringify(orderBody(first + i, skus, cities, random));
  return Buffer.from(`POST /v1/orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
});
const started = performance.now();
await new Promise<void>((resolve, reject) => {
  for (let c = 0; c < connections; c++) {
    const socket = connect(ports[c % ports.length] as number, '127.0.0.1');
    socket.setNoDelay(true);
    let at = -1;
    let since = 0;
    let pending = '';
    const next = (): void => {
      if (sent >= orders) return void socket.end();
      at = sent++;
      since = performance.now();
      socket.write(bodies[at] as Buffer);
    };
    socket.on('connect', next);
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      pending = pending === '' ? chunk.toString('latin1') : pending + chunk.toString('latin1');
      const head = pending.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = /content-length: (\d+)/i.exec(pending.slice(0, head))?.[1];
      if (length === undefined || pending.length < head + 4 + Number(length)) return;
      const status = Number(pending.slice(9, 12));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      pending = '';
      latencies[done++] = performance.now() - since;
      if (done === orders) resolve();
      next();
    });
  }
});
const seconds = (performance.now() - started) / 1000;
latencies.sort();
process.stdout.write(`${JSON.stringify({ seconds, statuses: Object.fromEntries(statuses), p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), max: latencies[orders - 1] })}\n`);

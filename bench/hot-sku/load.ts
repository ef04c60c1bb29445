import { Connection, post } from '../support/http-load.ts';
import { quantile } from '../support/random.ts';

/** The load generator, a process of its own. Arguments: port, key, cities, kind, connections, requests, first number, orders a request, lines an order. */
const [port, key, cities, kind, connections, requests, first, orders, lines] = JSON.parse(process.argv[2] ?? '[]') as [number, string, string[], 'single' | 'batch', number, number, number, number, number];
const order = (n: number): Record<string, unknown> => {
  const city = cities[n % cities.length] as string;
  return {
    channel: 'own', externalId: `H-${n}`, currency: 'CNY', payment: { status: 'paid' },
    shipTo: { name: `Buyer ${n % 5000}`, phone: `100${String(n % 5000).padStart(8, '0')}`, country: 'CN', province: city, city, street: `${n % 5000} Example Road` },
    lines: Array.from({ length: lines }, () => ({ sku: 'SKU-1', quantity: 1, unitPrice: 9900 })),
  };
};
const bodies = Array.from({ length: requests }, (_, i) => (kind === 'single' ? post('/v1/orders', key, order(first + i))
  : post('/v1/orders/batch', key, { orders: Array.from({ length: orders }, (__, j) => order(first + i * orders + j)) })));
const latencies: number[] = [];
let captured = 0;
let next = 0;
const started = performance.now();
await Promise.all(Array.from({ length: connections }, async () => {
  const connection = new Connection(() => port);
  while (next < requests) {
    const reply = await connection.send(bodies[next++] as Buffer);
    latencies.push(reply.ms);
    if (kind === 'single') captured += reply.status === 201 ? 1 : 0;
    else if (reply.status === 200) captured += reply.body.split('"status":201').length - 1;
  }
  connection.close();
}));
const seconds = (performance.now() - started) / 1000;
latencies.sort((a, b) => a - b);
process.stdout.write(`${JSON.stringify({ seconds, captured, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) })}\n`);

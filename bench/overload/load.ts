import { setTimeout as delay } from 'node:timers/promises';
import { orderBody } from '../seed.ts';
import { Connection, post } from '../support/http-load.ts';
import { quantile, seeded } from '../support/random.ts';

/** The load generator, a process of its own. Arguments: port, key, cities, SKUs, connections, seconds, first number. Who is refused waits as told (and half as long again, at random) and sends the same order again. */
const [port, key, cities, skus, connections, seconds, first] = JSON.parse(process.argv[2] ?? '[]') as [number, string, string[], number, number, number, number];
const random = seeded(first);
const captured: number[] = [];
const refused: number[] = [];
let next = first;
let sent = 0;
// Channels and shops keep their connections: they are opened, and have asked once, before the load begins.
const clients = Array.from({ length: connections }, () => new Connection(() => port));
for (let from = 0; from < connections; from += 50) {
  await Promise.all(clients.slice(from, from + 50).map((client) => client.send(Buffer.from('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'))));
}
const started = performance.now();
const until = started + seconds * 1000;
await Promise.all(clients.map(async (connection) => {
  await delay(random() * 1_000); // clients do not all begin in one millisecond
  while (performance.now() < until) {
    const request = post('/v1/orders', key, orderBody(next++, skus, cities, random));
    for (;;) {
      sent++;
      const reply = await connection.send(request);
      if (reply.status === 201) captured.push(reply.ms);
      if (reply.status !== 503 && reply.status !== 429) break;
      refused.push(reply.ms);
      if (performance.now() >= until) break;
      await delay(1_000 * (1 + random() / 2));
    }
  }
  connection.close();
}));
const took = (performance.now() - started) / 1000;
captured.sort((a, b) => a - b);
refused.sort((a, b) => a - b);
process.stdout.write(`${JSON.stringify({ perSecond: captured.length / took, offered: sent / took, refused: refused.length, p99: quantile(captured, 0.99), refusalP99: quantile(refused, 0.99), refusalMax: refused.at(-1) ?? 0 })}\n`);

import { createServer, type Server } from 'node:http';
import { createServer as createNetServer, type AddressInfo } from 'node:net';
import { collectDefaultMetrics, Counter, Registry } from 'prom-client';

/** A port that is free now, for the SDK's own metrics endpoint, which cannot tell which one it took. */
export async function freePort(): Promise<number> {
  const server = createNetServer();
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => { server.close(() => { resolve(); }); });
  return port;
}

/** `/metrics` (ours and the SDK's in one page), `/healthz` and `/readyz` of a worker. */
export async function startMetrics(port: number, sdkPort: number, ready: () => Promise<boolean>): Promise<{
  server: Server; port: number; relayed: Counter<'topic' | 'outcome'>; webhookTries: Counter<'outcome'>; messages: Counter<'outcome'>; streamed: Counter<'sender' | 'outcome'>;
}> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const relayed = new Counter({ name: 'tributary_relay_rows_total', help: 'outbox rows handed to Temporal', labelNames: ['topic', 'outcome'], registers: [registry] });
  const webhookTries = new Counter({ name: 'tributary_webhook_tries_total', help: 'tries to tell an endpoint of an event', labelNames: ['outcome'], registers: [registry] });
  const messages = new Counter({ name: 'tributary_messages_total', help: 'messages to customers that were taken up', labelNames: ['outcome'], registers: [registry] });
  const streamed = new Counter({ name: 'tributary_stream_messages_total', help: 'messages of platforms over streams by what became of them', labelNames: ['sender', 'outcome'], registers: [registry] });
  const server = createServer((request, response) => {
    void (async () => {
      if (request.url === '/metrics') {
        const sdk = await fetch(`http://127.0.0.1:${sdkPort}/metrics`).then((r) => r.text(), (error: Error) => `# SDK metrics not readable: ${error.message}\n`);
        response.setHeader('content-type', registry.contentType);
        response.end(`${await registry.metrics()}\n${sdk}`);
      } else if (request.url === '/healthz') response.end('ok');
      else if (request.url === '/readyz') {
        const ok = await ready().catch(() => false);
        response.statusCode = ok ? 200 : 503;
        response.end(ok ? 'ready' : 'not ready');
      } else {
        response.statusCode = 404;
        response.end();
      }
    })();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  return { server, port: (server.address() as AddressInfo).port, relayed, webhookTries, messages, streamed };
}

import Fastify, { type FastifyInstance } from 'fastify';
import { Courier, NO_FAULTS, type CourierFaults, type CourierStep } from './courier.ts';
import type { CourierHost, CourierProtocol } from './protocol.ts';
import { CourierPusher } from './pusher.ts';

export type CourierOptions = { host?: string; port?: number; settings: Record<string, unknown>; hookUrl?: string; speed?: number; clock?: () => number };
export type RunningCourier = Omit<CourierHost, 'url'> & { url: string; pusher: CourierPusher; protocol: CourierProtocol; expireTokens(): void; close(): Promise<void> };

/** A carrier or tracker as an HTTP server of its own: its protocol, and under `/_control` what a test, a check or a demo may make happen there. */
export async function startCourier(protocol: CourierProtocol, options: CourierOptions): Promise<RunningCourier> {
  const clock = options.clock ?? Date.now;
  let address = '';
  const host: CourierHost = { courier: new Courier(clock), faults: { ...NO_FAULTS }, settings: options.settings, clock, counts: {}, url: () => address };
  const pusher = new CourierPusher(host, protocol, options.hookUrl ?? '', options.speed ?? 1);
  const app = Fastify({ bodyLimit: 4 * 1_048_576, forceCloseConnections: true, routerOptions: { maxParamLength: 300 } });
  await app.register(async (control) => { controlRoutes(control, host, pusher); return Promise.resolve(); }, { prefix: '/_control' });
  await app.register(async (calls) => {
    // Protocols sign raw bytes: each reads its body itself.
    calls.removeAllContentTypeParsers();
    calls.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body); });
    protocol.routes(calls, host);
    return Promise.resolve();
  });
  address = await app.listen({ host: options.host ?? '127.0.0.1', port: options.port ?? 0 });
  return {
    ...host, url: address, pusher, protocol,
    expireTokens() { protocol.expireTokens?.(host); },
    async close() {
      pusher.close();
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

function controlRoutes(app: FastifyInstance, host: CourierHost, pusher: CourierPusher): void {
  const { courier, faults } = host;
  app.get('/health', () => ({ status: 'ok' }));
  app.get('/parcels', () => [...courier.parcels.values()]);
  app.put('/faults', (request) => Object.assign(faults, NO_FAULTS, request.body as Partial<CourierFaults>));
  app.put('/hook', (request) => { pusher.hookUrl = (request.body as { url: string }).url; return { url: pusher.hookUrl }; });
  app.post('/parcels', (request) => { const { no, carrier } = request.body as { no: string; carrier: string }; return courier.know(no, carrier); });
  app.post('/parcels/:no/move', (request) => courier.move((request.params as { no: string }).no, (request.body as { step: CourierStep }).step));
  app.post('/parcels/:no/give-up', (request) => { const { no } = request.params as { no: string }; courier.giveUp(no); return courier.parcel(no); });
  app.get('/pushes', () => ({ records: pusher.records, open: pusher.open }));
  app.post('/push-again', async () => { await pusher.again(); return { records: pusher.records.length }; });
  app.post('/push-bad', (request) => pusher.bad((request.body as { how: 'forged' | 'stale' | 'truncated' }).how));
}

/** What every protocol asks first of a call: is it up, may the caller be so fast, does the answer get lost? Gives its own words for each. `writes`: it changes something. */
export async function underFaults<T>(host: CourierHost, writes: boolean, words: { down(): T; throttled(): T }, run: () => T | Promise<T>): Promise<T> {
  const { faults } = host;
  if (faults.down) return words.down();
  if (faults.nextThrottled > 0) {
    faults.nextThrottled -= 1;
    return words.throttled();
  }
  const answer = await run();
  if (writes && faults.nextTimeouts > 0) {
    faults.nextTimeouts -= 1;
    // Done, and nobody hears of it: the caller's patience ends first.
    await new Promise<never>(() => undefined);
  }
  return answer;
}

/** A PDF of one blank page with a text in its comments: what a carrier's label is to us, bytes. */
export function plainPdf(text: string): Buffer {
  return Buffer.from(`%PDF-1.4\n% ${text}\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 283 425]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n`, 'latin1');
}

import Fastify, { type FastifyInstance } from 'fastify';
import { NO_FAULTS, type Platform, type PlatformFaults, type Protocol } from './protocol.ts';
import { openState } from './kept-state.ts';
import { Pusher } from './pusher.ts';
import type { Address, AfterSale } from './order.ts';
import { ShopError, ShopState } from './shop.ts';
import { StreamServer } from './stream-server.ts';

export type PlatformOptions = {
  host?: string; port?: number; settings: Record<string, unknown>; hookUrl?: string; speed?: number; clock?: () => number;
  /** what the shop sells from the start */
  items?: { sku: string; itemId?: string; merchantCode?: string; title?: string; price?: number; stock?: number }[];
  /** its state is kept there between runs */
  stateFile?: string;
};
export type RunningPlatform = Platform & { url: string; pusher: Pusher; close(): Promise<void> };

/** A platform as an HTTP server of its own: its protocol, and under `/_control` what a test, a check or a demo may make happen there. */
export async function startPlatform(protocol: Protocol, options: PlatformOptions): Promise<RunningPlatform> {
  const clock = options.clock ?? Date.now;
  const shop = new ShopState(protocol.restores, clock, protocol.lineId?.bind(protocol));
  const kept = openState(options.stateFile);
  if (kept.saved) shop.load(kept.saved.shop);
  for (const item of options.items ?? []) if (!kept.saved) shop.putItem(item);
  const memory: Record<string, object> = kept.saved?.memory ?? {};
  const platform: Platform = {
    shop, faults: { ...NO_FAULTS }, settings: options.settings, clock, counts: {}, memory<T extends object>(name: string, first: T): T { return (memory[name] ??= first) as T; },
  };
  const pusher = new Pusher(platform, protocol, options.hookUrl ?? kept.saved?.hookUrl ?? '', options.speed ?? 1);
  const keep = (): void => { kept.keep({ shop: shop.save(), memory, hookUrl: pusher.hookUrl, untold: pusher.untold }); };
  const app = Fastify({ bodyLimit: 16 * 1_048_576, routerOptions: { maxParamLength: 300 } });
  // What was answered must not be forgotten, however the process ends.
  if (options.stateFile !== undefined) app.addHook('onSend', () => { keep(); return Promise.resolve(); });
  await app.register(async (control) => { controlRoutes(control, platform, pusher); return Promise.resolve(); }, { prefix: '/_control' });
  await app.register(async (calls) => {
    // Protocols sign raw bytes: each reads its body itself.
    calls.removeAllContentTypeParsers();
    calls.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body); });
    protocol.routes(calls, platform);
    return Promise.resolve();
  });
  if (protocol.stream) pusher.stream = new StreamServer(platform, protocol.stream, app.server);
  const url = await app.listen({ host: options.host ?? '127.0.0.1', port: options.port ?? 0 });
  for (const event of kept.saved?.untold ?? []) pusher.add(event);
  return {
    ...platform, url, pusher,
    async close() {
      pusher.close();
      pusher.stream?.close();
      if (options.stateFile !== undefined) keep();
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

type Wanted = Parameters<ShopState['place']>[0];

function controlRoutes(app: FastifyInstance, platform: Platform, pusher: Pusher): void {
  const { shop, faults } = platform;
  app.setErrorHandler((error: Error, _request, reply) => reply.code(error instanceof ShopError ? 409 : 400).send({ error: error.message }));
  const id = (request: { params: unknown }): string => (request.params as { id: string }).id;
  app.get('/state', () => ({ items: [...shop.items.values()], orders: shop.orders.size, refusedSales: shop.refusedSales, faults, counts: platform.counts, openPushes: pusher.open, streams: pusher.stream?.live ?? null }));
  app.put('/items', (request) => (request.body as { sku: string }[]).map((item) => shop.putItem(item)));
  app.put('/faults', (request) => Object.assign(faults, NO_FAULTS, request.body as Partial<PlatformFaults>));
  app.put('/hook', (request) => { pusher.hookUrl = (request.body as { url: string }).url; return { url: pusher.hookUrl }; });
  app.post('/orders', (request) => {
    const order = shop.place(request.body as Wanted);
    return order ? { externalId: order.id, lines: order.lines } : { soldOut: true };
  });
  app.get('/orders', () => [...shop.orders.values()]);
  app.get('/orders/:id', (request) => shop.order(id(request)));
  app.post('/orders/:id/pay', (request) => { shop.pay(id(request)); return {}; });
  app.post('/orders/:id/cancel', (request) => { shop.cancel(id(request)); return {}; });
  app.post('/orders/:id/finish', (request) => { shop.finish(id(request)); return {}; });
  app.post('/orders/:id/ship', (request) => { shop.ship(id(request), { key: 'platform', lines: null, ...(request.body as { carrier: string; number: string }) }); return {}; });
  app.post('/orders/:id/address', (request) => {
    const { asked, ...address } = request.body as Partial<Address> & { asked?: boolean };
    shop.changeAddress(id(request), address, asked ?? false);
    return {};
  });
  app.post('/orders/:id/after-sales', (request) => shop.openAfterSale(id(request), request.body as { kind: AfterSale['kind'] }));
  app.post('/after-sales/:id/status', (request) => { shop.moveAfterSale(id(request), (request.body as { status: AfterSale['status'] }).status, 'platform'); return {}; });
  app.get('/pushes', () => ({ records: pusher.records, open: pusher.open }));
  app.post('/push-again', async () => { await pusher.again(); return { records: pusher.records.length }; });
  app.post('/push-bad', (request) => pusher.bad((request.body as { how: 'forged' | 'stale' | 'truncated' }).how));
  app.post('/probe', async () => (await pusher.probe()) ?? { good: null });
  app.post('/heartbeat', async () => ({ good: await pusher.heartbeat(), paused: pusher.paused }));
  app.post('/cut', () => { pusher.stream?.cut(); return {}; });
  app.post('/flush', () => { pusher.flush(); return { open: pusher.open }; });
}

/** What every protocol asks first of a call: is the platform up, may the caller be so fast, does the answer get lost? Give its own words for each. `writes`: it changes something. */
export async function underFaults<T>(platform: Platform, writes: boolean, words: { down(): T; throttled(): T; error(): T }, run: () => T | Promise<T>): Promise<T> {
  const { faults } = platform;
  if (faults.down) return words.down();
  if (faults.nextThrottled > 0) {
    faults.nextThrottled -= 1;
    return words.throttled();
  }
  if (faults.nextErrors > 0) {
    faults.nextErrors -= 1;
    return words.error();
  }
  const answer = await run();
  platform.counts['calls'] = (platform.counts['calls'] ?? 0) + 1;
  faults.meanwhile?.();
  if (writes && faults.nextTimeouts > 0) {
    faults.nextTimeouts -= 1;
    // Done, and nobody hears of it: the caller's patience ends first.
    await new Promise<never>(() => undefined);
  }
  return answer;
}

import fp from 'fastify-plugin';
import type { RejectReason as CarrierReason } from '../../carriers/carrier.ts';
import type { RejectReason as ChannelReason } from '../../channels/channel.ts';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Store } from '../../db/store.ts';

/** What became of a push: kept, not kept (it is sent again), only asked whether we are there, or the reason why it was not believed. */
export type PushOutcome = 'accepted' | 'not_kept' | 'probe' | ChannelReason | CarrierReason;
declare module 'fastify' {
  interface FastifyInstance {
    /** Counts a push of a platform, carrier or tracker. */
    countPush(sender: string, outcome: PushOutcome): void;
  }
}

/** `/metrics` for Prometheus, `/healthz` (the process lives) and `/readyz` (it can do its work). */
export const metrics = fp<{ store: Store }>((app, { store }, done) => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const seconds = new Histogram({
    name: 'tributary_http_request_seconds', help: 'time from request to answer', labelNames: ['method', 'route', 'status'], registers: [registry],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
  });
  new Gauge({
    name: 'tributary_outbox_rows', help: 'orders and news that Temporal has not taken yet', registers: [registry],
    async collect() {
      // Without the database there is no figure, but all the others are wanted all the more.
      const count = await store.pool.query<{ n: number }>('select count(*) n from outbox').catch(() => null);
      this.set(count ? count.rows[0]?.n ?? 0 : Number.NaN);
    },
  });
  new Gauge({
    name: 'tributary_projection_age_seconds', help: 'how old the stock that this process ranks by may be', registers: [registry],
    collect() { this.set((Date.now() - store.projection.refreshedAt) / 1000); },
  });
  const pushes = new Counter({ name: 'tributary_pushes_total', help: 'pushes of platforms, carriers and trackers by what became of them', labelNames: ['sender', 'outcome'], registers: [registry] });
  app.decorate('countPush', (sender, outcome) => { pushes.inc({ sender, outcome }); });
  // Looking labels up by hash costs more than the observation; routes and statuses are few.
  const children = new Map<string, ReturnType<typeof seconds.labels>>();
  app.addHook('onResponse', (request, reply, next) => {
    const route = request.routeOptions.url ?? 'unknown';
    const key = `${request.method} ${route} ${reply.statusCode}`;
    let child = children.get(key);
    if (!child) children.set(key, (child = seconds.labels({ method: request.method, route, status: reply.statusCode })));
    child.observe(reply.elapsedTime / 1000);
    next();
  });
  const hidden = { config: { scope: 'public' as const }, schema: { hide: true } };
  app.get('/metrics', hidden, async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
  app.get('/healthz', hidden, () => ({ status: 'ok' }));
  app.get('/readyz', hidden, async (_request, reply) => {
    try {
      await store.pool.query('select 1');
      return { status: 'ready' };
    } catch (error) {
      return reply.code(503).send({ status: 'not ready', reason: error instanceof Error ? error.name : 'unknown' });
    }
  });
  done();
}, { name: 'metrics' });

import type { ServerResponse } from 'node:http';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { findDeclaration } from '../../db/declarations/burn-down.ts';
import { BurnDownFeed } from '../../db/declarations/feed.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { Code, openResponses } from '../schemas/common.ts';

const HEARTBEAT_MS = 15_000;
const MOST_LISTENERS = 1_000;
/** Who does not read is cut off before the process fills up; EventSource connects again by itself. */
const MOST_BUFFERED = 1_048_576;

/** The live burn-down as server-sent events (WHATWG HTML, 9.2). */
export const eventRoutes: FastifyPluginCallbackTypebox<ApiDeps> = (app, { store, logger }, done) => {
  const feed = new BurnDownFeed(store.pool, store.writer.clock, (error) => { logger.warn({ err: error }, 'burn-down not read'); });
  const open = new Set<ServerResponse>();
  const heartbeat = setInterval(() => { for (const raw of open) raw.write(': still here\n\n'); }, HEARTBEAT_MS);
  // Before the server waits for its connections: these would never end by themselves.
  app.addHook('preClose', (closed) => {
    clearInterval(heartbeat);
    feed.close();
    for (const raw of open) raw.end();
    closed();
  });

  app.get('/v1/declarations/:code/events', {
    config: { scope: 'stock:read' }, exposeHeadRoute: false, // a HEAD would hang
    schema: {
      summary: 'Follow a session live', tags: ['declarations'], params: Type.Object({ code: Code }), response: openResponses,
      description: '`text/event-stream`: an event `burn-down` at once and after each change (looked for about three times a second), with the figures of `GET /v1/declarations/CODE`.',
    },
  }, async (request, reply) => {
    const session = await findDeclaration(store.pool, request.params.code);
    if (feed.listeners >= MOST_LISTENERS) throw new Problem('overloaded', `${MOST_LISTENERS} listeners follow sessions on this server; ask for the session itself`, null, { retryAfter: 10 });
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    open.add(raw);
    let number = 0;
    const leave = feed.listen(session, (burnDown) => {
      if (raw.writableLength > MOST_BUFFERED) raw.destroy();
      else raw.write(`id: ${String(++number)}\nevent: burn-down\ndata: ${JSON.stringify(burnDown)}\n\n`);
    });
    raw.on('close', () => {
      open.delete(raw);
      leave();
    });
    raw.flushHeaders();
  });
  done();
};

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { tellTest } from '../../db/webhooks/fan-out.ts';
import { changeEndpoint, createEndpoint, deleteEndpoint, endpointUuid, listEndpoints, readEndpoint, rotateSecret } from '../../db/webhooks/endpoints.ts';
import { DELIVERY_STATUSES, listDeliveries, replay } from '../../db/webhooks/log.ts';
import type { ApiKey } from '../../db/network.ts';
import { decodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { WEBHOOK_EVENT_TYPES, WEBHOOK_EVENTS } from '../../domain/webhooks/catalogue.ts';
import { urlProblem } from '../../runtime/safe-post.ts';
import { unbound } from '../channels/unbound.ts';
import type { ApiDeps } from '../deps.ts';
import { Nullable, OneOf, problemResponses, Text, Timestamp } from '../schemas/common.ts';
import { cursor, Next, paging } from '../schemas/paging.ts';

const tags = ['webhooks'];
const closed = { additionalProperties: false };
const fields = {
  url: Text(2_000), description: Type.Optional(Text(200, 0)),
  events: Type.Array(OneOf(['*', ...WEBHOOK_EVENT_TYPES]), { minItems: 1, uniqueItems: true, description: 'types of the catalogue (the `webhooks` of this document), or * for all, future ones too' }),
};
const Endpoint = Type.Object({
  id: Type.String(), url: Type.String(), description: Type.String(), events: Type.Array(Type.String()), status: OneOf(['active', 'paused', 'gone'], '`gone`: it answered 410'),
  pausedReason: Nullable(Type.String({ description: 'why, where nobody has paused it by hand' })), key: Nullable(Type.String({ description: 'name of the API key that made or last changed it; with it the webhook stops' })),
  secrets: Type.Integer({ description: 'how many sign just now' }), slowUntil: Nullable(Timestamp), waiting: Type.Integer(), failed: Type.Integer(), createdAt: Timestamp,
});
const Params = Type.Object({ id: Type.String({ maxLength: 64 }) });
const Delivery = Type.Object({
  event: Type.String({ description: 'the webhook-id' }), type: Type.String(), order: Nullable(Type.String()), at: Timestamp, status: OneOf(DELIVERY_STATUSES), tries: Type.Integer(), replays: Type.Integer(), dueAt: Timestamp,
  answer: Nullable(Type.Integer()), error: Nullable(Type.String()), settledAt: Nullable(Timestamp), body: Type.String(),
  attempts: Type.Array(Type.Object({ no: Type.Integer(), at: Timestamp, ms: Type.Integer(), answer: Nullable(Type.Integer()), error: Nullable(Type.String()) })),
});
const answers = { 200: Endpoint, ...problemResponses };
const manage = { config: { scope: 'network:write' as const }, onRequest: unbound };
const see = { config: { scope: 'network:read' as const }, onRequest: unbound };

/** Webhooks of API clients: where they go, their secrets, what was delivered, and again. */
export const webhookRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { pool, vault, writer }, webhookNetwork = 'public' }) => {
  const read = (id: string) => readEndpoint(pool, vault, writer.clock(), id);
  const check = (url: string, key: ApiKey): void => {
    const problem = urlProblem(url, webhookNetwork);
    if (problem !== null) throw new Problem('invalid', `the URL ${problem}`, '/url');
    if (!key.scopes.has('orders:read')) throw new Problem('forbidden', 'webhooks tell of orders: this key lacks the scope orders:read');
  };

  app.get('/v1/webhook-event-types', { ...see, schema: { summary: 'List the types of events', tags, response: { 200: Type.Object({ version: Type.Integer(), items: Type.Array(Type.Object({ type: Type.String(), summary: Type.String() })) }), ...problemResponses } } },
    () => Promise.resolve({ version: 1, items: Object.entries(WEBHOOK_EVENTS).map(([type, { summary }]) => ({ type, summary })) }));

  app.get('/v1/webhooks', { ...see, schema: { summary: 'List webhooks', tags, response: { 200: Type.Object({ items: Type.Array(Endpoint) }), ...problemResponses } } },
    async () => ({ items: await listEndpoints(pool, vault, writer.clock()) }));

  app.post('/v1/webhooks', {
    ...manage, schema: { summary: 'Make a webhook', tags, body: Type.Object(fields, closed), description: 'It is told what happens from now on, until its key is revoked. The secret is in this answer and never again.', response: { 201: Type.Intersect([Endpoint, Type.Object({ secret: Type.String() })]), ...problemResponses } },
  }, async (request, reply) => {
    const { url, events, description = '' } = request.body;
    check(url, request.apiKey);
    const { id, secret } = await createEndpoint(writer, vault, { url, events, description }, request.apiKey.id);
    return reply.code(201).send({ ...await read(id), secret });
  });

  app.get('/v1/webhooks/:id', { ...see, schema: { summary: 'Read a webhook', tags, params: Params, response: answers } }, (request) => read(request.params.id));

  app.put('/v1/webhooks/:id', {
    ...manage, schema: { summary: 'Change a webhook', tags, params: Params, body: Type.Object({ ...fields, status: OneOf(['active', 'paused']) }, closed), description: 'It is this key\'s from now on. Made active again it goes on with what waits; what was cancelled can be replayed; one that was gone is told what happens from now on.', response: answers },
  }, async (request) => {
    const { url, events, status, description = '' } = request.body;
    check(url, request.apiKey);
    await changeEndpoint(writer, request.params.id, { url, events, status, description }, request.apiKey.id);
    return read(request.params.id);
  });

  app.delete('/v1/webhooks/:id', { ...manage, schema: { summary: 'Delete a webhook with its log', tags, params: Params, response: { 204: Type.Null(), ...problemResponses } } }, async (request, reply) => {
    await deleteEndpoint(pool, request.params.id);
    return reply.code(204).send(null);
  });

  app.post('/v1/webhooks/:id/secrets', {
    ...manage,
    schema: {
      summary: 'Give a webhook a new secret', tags, params: Params, body: Type.Object({ overlapSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 604_800, description: 'how long the old ones sign beside it; a day if left out' })) }, closed),
      description: 'Deliveries carry one signature for each secret in use. The secret is in this answer and never again.', response: { 201: Type.Object({ secret: Type.String() }), ...problemResponses },
    },
  }, async (request, reply) => reply.code(201).send({ secret: await rotateSecret(writer, vault, request.params.id, request.body.overlapSeconds ?? 86_400) }));

  app.post('/v1/webhooks/:id/test', { ...manage, schema: { summary: 'Send a webhook.test event', tags, params: Params, response: { 202: Type.Object({ queued: Type.Integer() }), ...problemResponses } } }, async (request, reply) => {
    await read(request.params.id);
    await tellTest(pool, endpointUuid(request.params.id), writer.clock());
    return reply.code(202).send({ queued: 1 });
  });

  app.get('/v1/webhooks/:id/deliveries', {
    ...see,
    schema: {
      summary: 'Read the delivery log', tags, params: Params, querystring: Type.Object({ status: Type.Optional(OneOf(DELIVERY_STATUSES)), event: Type.Optional(Type.String({ maxLength: 64 })), ...paging }, closed), description: 'Newest event first, kept for 30 days.',
      response: { 200: Type.Object({ deliveries: Type.Array(Delivery), next: Next }), ...problemResponses },
    },
  }, async (request) => {
    const { status = null, event, after, limit = 50 } = request.query;
    await read(request.params.id);
    const one = event === undefined ? null : decodeId('evt', event);
    if (event !== undefined && one === null) throw new Problem('invalid', `"${event}" is no event id; they begin with evt_`, '/querystring/event');
    return listDeliveries(pool, request.params.id, { status, event: one, after: cursor('evt', after), limit });
  });

  app.post('/v1/webhooks/:id/replay', {
    ...manage,
    schema: {
      summary: 'Deliver again', tags, params: Params, description: 'One event, or those of [from, to), with the same ids and bytes, in the order of each order. What still waits is left as it is.',
      body: Type.Union([Type.Object({ event: Type.String({ maxLength: 64 }) }, closed), Type.Object({ from: Timestamp, to: Timestamp, status: Type.Optional(OneOf(DELIVERY_STATUSES)) }, closed)]),
      response: { 202: Type.Object({ queued: Type.Integer() }), ...problemResponses },
    },
  }, async (request, reply) => {
    const { body, params: { id } } = request;
    const what = 'event' in body ? { event: body.event } : { from: new Date(body.from), to: new Date(body.to), status: body.status ?? null };
    return reply.code(202).send({ queued: await replay(pool, id, what, writer.clock()) });
  });
  return Promise.resolve();
};

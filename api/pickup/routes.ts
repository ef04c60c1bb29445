import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { arrived, handOut } from '../../db/pickup/hand-out.ts';
import { isWaiting, listPickups } from '../../db/pickup/read.ts';
import { decodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { headOffice } from '../network/head-office.ts';
import { actorOf } from '../plugins/auth.ts';
import { Code, Nullable, problemResponses, Reason, Text } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;
const params = Type.Object({ id: Text(60) });
const At = Type.String({ format: 'date-time' });
const Pickup = Type.Object({
  fulfillmentOrder: Type.String(), order: Type.String(), channel: Type.String(), externalId: Type.String(), way: Type.String(), location: Type.String(), status: Type.String(), readyBy: At, late: Type.Boolean(), until: Nullable(At), arrivedAt: Nullable(At),
  arrivedNote: Nullable(Type.String()), wrongCodes: Type.Integer(),
});
const uuidOf = (id: string): string => {
  const uuid = decodeId('ful', id);
  if (uuid === null) throw new Problem('not_found', `fulfillment order "${id}" does not exist, or nobody fetches it`);
  return uuid;
};

/** What customers fetch: at the counter or at the kerb. */
export const pickupRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { network, pool, vault, writer } }) => {
  app.get('/v1/pickups', {
    config: { scope: 'orders:read' },
    schema: {
      summary: 'List what is to be fetched', tags: ['fulfillment'], description: 'Who waits outside first, then by when it must be ready. A key that is bound to a location sees its own.',
      querystring: Type.Object({ location: Type.Optional(Code), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })) }, closed), response: { 200: Type.Object({ pickups: Type.Array(Pickup) }), ...problemResponses },
    },
  }, async (request) => {
    const own = request.apiKey.locationId;
    const location = request.query.location === undefined ? null : network.locations.get(request.query.location);
    if (location === undefined || (own !== null && location !== null && location.id !== own)) throw new Problem('not_found', `location "${request.query.location ?? ''}" does not exist`);
    return { pickups: await listPickups(pool, { locationId: own ?? location?.id ?? null, limit: request.query.limit ?? 100 }) };
  });
  app.get('/v1/fulfillment-orders/:id/pickup-code', {
    config: { scope: 'personal:read' }, onRequest: headOffice,
    schema: { summary: 'Read the code that a customer shows', tags: ['fulfillment'], params, description: 'For the message that says it is ready. The shop never sees it: it asks the customer.', response: { 200: Type.Object({ code: Type.String() }), ...problemResponses } },
  }, async (request) => {
    if (!await isWaiting(pool, uuidOf(request.params.id))) throw new Problem('conflict', 'it is not ready, or was handed out: there is no code to show');
    return { code: vault.pickupCode(request.params.id) };
  });
  app.post('/v1/fulfillment-orders/:id/hand-out', {
    config: { scope: 'fulfillment:write' },
    schema: {
      summary: 'Hand a pickup out', tags: ['fulfillment'], params, response: { 204: Type.Null(), ...problemResponses }, description: 'Against the customer\'s code, or with `override`, saying how the customer was known. Safe to repeat. Five wrong codes and only `override` is left.',
      body: Type.Union([Type.Object({ code: Type.String({ pattern: '^[0-9]{8}$' }) }, closed), Type.Object({ override: Reason }, closed)]),
    },
  }, async (request, reply) => {
    await handOut(writer, vault, uuidOf(request.params.id), request.body, request.apiKey.locationId, actorOf(request.apiKey));
    return reply.code(204).send(null);
  });
  app.post('/v1/fulfillment-orders/:id/arrived', {
    config: { scope: 'orders:write' },
    schema: { summary: 'Say that the customer waits outside', tags: ['fulfillment'], params, body: Type.Object({ note: Type.Optional(Text(200, 1, { description: 'bay or vehicle; nothing personal' })) }, closed), response: { 204: Type.Null(), ...problemResponses } },
  }, async (request, reply) => {
    await arrived(writer, uuidOf(request.params.id), request.body.note ?? null, request.apiKey.locationId, actorOf(request.apiKey));
    return reply.code(204).send(null);
  });
  return Promise.resolve();
};

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { ownOrderId } from '../../db/read/own-orders.ts';
import { readReturn, type ReturnView } from '../../db/read/returns.ts';
import { endReturn, inspectReturn, receiveReturn, requestReturn, type ReturnRequest } from '../../db/returns/returns.ts';
import type { ApiKey } from '../../db/network.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { OrderParams } from '../orders/schema.ts';
import { actorOf } from '../plugins/auth.ts';
import { problemResponses } from '../schemas/common.ts';
import { InspectSchema, ReasonSchema, ReceiveSchema, ReturnParams, ReturnRequestSchema, ReturnSchema } from './schema.ts';

const answers = { 200: ReturnSchema, ...problemResponses };
const config = { scope: 'returns:write' } as const;

/** Returns from the request to the inspection; the order's workflow does the rest. A key bound to a location sees those that come to it. */
export const returnRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { writer, pool, network } }) => {
  const read = (key: ApiKey, rma: string): Promise<ReturnView> => readReturn(pool, rma, key.locationId);

  app.post('/v1/orders/:id/returns', {
    config,
    schema: {
      summary: 'Request a return', tags: ['returns'], params: OrderParams, body: ReturnRequestSchema,
      description: 'Inside the return window, or with `goodwill`. `location`: where the goods go; without it the order is routed back. A key bound to a location takes returns to itself.',
      response: { 201: Type.Object({ rma: Type.String() }), ...problemResponses },
    },
  }, async (request, reply) => {
    const { apiKey } = request;
    const body = request.body as ReturnRequest;
    if (body.goodwill === true && !apiKey.scopes.has('orders:operate')) throw new Problem('forbidden', 'goodwill needs the scope orders:operate', '/goodwill');
    const orderId = await ownOrderId(pool, request.params.id, apiKey.locationId);
    const location = body.location === undefined ? undefined : network.locations.get(body.location);
    if (body.location !== undefined && (!location?.active || (apiKey.locationId !== null && location.id !== apiKey.locationId))) {
      throw new Problem('unknown_location', `location "${body.location}" is not known or not active`, '/location');
    }
    const rma = await requestReturn(writer, orderId, body, location?.id ?? apiKey.locationId, actorOf(apiKey));
    return reply.code(201).header('location', `/v1/returns/${rma}`).send({ rma });
  });

  app.get('/v1/returns/:rma', {
    config, schema: { summary: 'Read a return', tags: ['returns'], params: ReturnParams, response: answers },
  }, async (request) => read(request.apiKey, request.params.rma));

  app.post('/v1/returns/:rma/receive', {
    config,
    schema: {
      summary: 'The goods have arrived', tags: ['returns'], description: 'Units by line; what is left out did not come.', params: ReturnParams, body: ReceiveSchema, response: answers,
    },
  }, async (request) => {
    const { rma } = request.params;
    await receiveReturn(writer, rma, request.body.lines, request.apiKey.locationId, actorOf(request.apiKey));
    return read(request.apiKey, rma);
  });

  app.post('/v1/returns/:rma/inspect', {
    config,
    schema: {
      summary: 'The goods have been looked at', tags: ['returns'], params: ReturnParams, body: InspectSchema, response: answers,
      description: 'What becomes of the units of each received line, and how many of them the refund or exchange covers (`accepted`).',
    },
  }, async (request) => {
    const { rma } = request.params;
    await inspectReturn(writer, rma, request.body.lines, request.apiKey.locationId, actorOf(request.apiKey));
    return read(request.apiKey, rma);
  });

  for (const [verb, as, summary] of [['cancel', 'cancelled', 'The buyer keeps the goods'], ['refuse', 'refused', 'Refuse a return']] as const) {
    app.post(`/v1/returns/:rma/${verb}`, {
      config, schema: { summary, tags: ['returns'], description: 'Until the goods have been received.', params: ReturnParams, body: ReasonSchema, response: answers },
    }, async (request) => {
      const { rma } = request.params;
      // A return's location, once it has one, stays: what this key may see now is what it may end.
      await read(request.apiKey, rma);
      await endReturn(writer, rma, as, request.body.reason, actorOf(request.apiKey));
      return read(request.apiKey, rma);
    });
  }
  return Promise.resolve();
};

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { listFulfillments } from '../../db/read/fulfillment-list.ts';
import { FULFILLMENT_STATUSES } from '../../domain/order/status.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { Code, OneOf, problemResponses } from '../schemas/common.ts';
import { cursor, Next, paging } from '../schemas/paging.ts';
import { FulfillmentWorkSchema } from './schema.ts';

/** What locations work on, for those without a connector of their own. */
export const fulfillmentRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  app.get('/v1/fulfillment-orders', {
    config: { scope: 'fulfillment:write' },
    schema: {
      summary: 'List fulfillment orders', tags: ['fulfillment'],
      description: 'Oldest first. A key bound to a location sees its own; another location is 404. `shipTo` only for keys with personal:read, and only while the location has the order.',
      querystring: Type.Object({ location: Type.Optional(Code), status: Type.Optional(OneOf(FULFILLMENT_STATUSES)), ...paging }, { additionalProperties: false }),
      response: { 200: Type.Object({ fulfillmentOrders: Type.Array(FulfillmentWorkSchema), next: Next }), ...problemResponses },
    },
  }, async (request) => {
    const { location: code, status, after, limit = 50 } = request.query;
    const { locationId: bound, scopes } = request.apiKey;
    const location = code === undefined ? undefined : store.network.locations.get(code);
    if (code !== undefined && (!location || (bound !== null && bound !== location.id))) throw new Problem('not_found', `location "${code}" does not exist`, '/querystring/location');
    return listFulfillments(store.pool, store.vault, {
      locationId: bound ?? location?.id ?? null, status: status ?? null, after: cursor('ful', after), limit, personal: scopes.has('personal:read'),
    });
  });
  return Promise.resolve();
};

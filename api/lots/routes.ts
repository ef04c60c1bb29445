import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { findLot } from '../../db/lots/lot.ts';
import { ordersOfLot } from '../../db/lots/lot-orders.ts';
import { recallLot } from '../../db/lots/recall-lot.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { actorOf } from '../plugins/auth.ts';
import { Code, Nullable, problemResponses, Reason, Text } from '../schemas/common.ts';
import { cursor, Next, paging } from '../schemas/paging.ts';

const closed = { additionalProperties: false } as const;
const LotOrdersSchema = Type.Object({
  sku: Type.String(), lot: Type.String(), expiresOn: Nullable(Type.String()), recalledAt: Nullable(Type.String()), reason: Nullable(Type.String()),
  orders: Type.Array(Type.Object({
    order: Type.String(), channel: Type.String(), externalId: Type.String(), status: Type.String(),
    issued: Type.Integer({ description: 'units that have left' }), held: Type.Integer({ description: 'units that are reserved' }),
    takenBack: Type.Integer({ description: 'units that were reserved and have been recalled or lost' }),
  }), { description: 'oldest first; without personal data' }),
  next: Next,
});
const response = { 200: LotOrdersSchema, ...problemResponses };

/** Lots: where one went, and its recall. */
export const lotRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { pool, writer } }) => {
  const view = async (sku: string, code: string, page: { after: string | null; limit: number; onlyLocation: number | null }) => {
    const lot = await findLot(pool, sku, code);
    return { sku, lot: code, expiresOn: lot.expiresOn, recalledAt: lot.recalledAt?.toISOString() ?? null, reason: lot.reason, ...await ordersOfLot(pool, lot, page) };
  };

  app.post('/v1/lots/recall', {
    config: { scope: 'stock:write' },
    schema: {
      summary: 'Recall a lot', tags: ['lots'], response, body: Type.Object({ sku: Code, lot: Text(64), reason: Reason }, closed),
      description: 'Its units are not for sale from now on. What is reserved and has not left is taken back and served from other lots; locations that know of it are told. Answers the orders it went to (the first 200; the others by GET). It cannot be undone; safe to repeat, the first reason stays.',
    },
  }, async (request) => {
    const { apiKey, body: { sku, lot, reason } } = request;
    if (apiKey.locationId !== null || apiKey.carrier !== null) throw new Problem('forbidden', 'this key is bound to a location or carrier and cannot recall a lot');
    await recallLot(writer, sku, lot, reason, actorOf(apiKey));
    return view(sku, lot, { after: null, limit: 200, onlyLocation: null });
  });
  app.get('/v1/lots/:sku/:lot/orders', {
    config: { scope: 'orders:read' },
    schema: {
      summary: 'List the orders that a lot went to', tags: ['lots'], response, params: Type.Object({ sku: Code, lot: Text(64) }), querystring: Type.Object(paging, closed),
    },
  }, (request) => {
    const { after, limit = 50 } = request.query;
    return view(request.params.sku, request.params.lot, { after: cursor('ord', after), limit, onlyLocation: request.apiKey.locationId });
  });
  return Promise.resolve();
};

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { settleRefund } from '../../db/orders/settle-refund.ts';
import { listRefunds, readRefund } from '../../db/read/refunds.ts';
import type { ApiDeps } from '../deps.ts';
import { actorOf } from '../plugins/auth.ts';
import { OneOf, problemResponses, Text } from '../schemas/common.ts';
import { cursor, Next, paging } from '../schemas/paging.ts';
import { RefundParams, RefundSchema } from './schema.ts';

/** Refunds that are due, and their settlement by whoever moves the money. */
export const refundRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { writer, pool } }) => {
  app.get('/v1/refunds', {
    config: { scope: 'orders:read' },
    schema: {
      summary: 'List refunds', tags: ['refunds'], description: 'Oldest first.',
      querystring: Type.Object({ status: Type.Optional(OneOf(['due', 'settled'], 'due where left out')), ...paging }, { additionalProperties: false }),
      response: { 200: Type.Object({ refunds: Type.Array(RefundSchema), next: Next }), ...problemResponses },
    },
  }, async (request) => {
    const { status = 'due', after, limit = 50 } = request.query;
    return listRefunds(pool, { status, after: cursor('ref', after), limit, onlyLocation: request.apiKey.locationId });
  });

  app.post('/v1/refunds/:id/settlement', {
    config: { scope: 'orders:operate' },
    schema: {
      summary: 'The money has been paid back', tags: ['refunds'], description: 'Idempotent by its reference; another reference for a settled refund is a 409.',
      params: RefundParams, body: Type.Object({ reference: Text(200, 1, { description: "the payment's number, nothing personal" }) }, { additionalProperties: false }),
      response: { 200: RefundSchema, ...problemResponses },
    },
  }, async (request) => {
    const { apiKey, params: { id } } = request;
    await readRefund(pool, id, apiKey.locationId);
    await settleRefund(writer, id, request.body.reference, actorOf(apiKey));
    return readRefund(pool, id, apiKey.locationId);
  });
  return Promise.resolve();
};

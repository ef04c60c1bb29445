import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { ownOrderId } from '../../db/read/own-orders.ts';
import { readDecisions } from '../../db/routing/decisions.ts';
import { inWords } from '../../domain/routing/words.ts';
import type { ApiDeps } from '../deps.ts';
import { OneOf, problemResponses } from '../schemas/common.ts';
import { PlanSchema } from './schema.ts';

/** How an order was routed, and why so. */
export const decisionRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { pool } }) => {
  app.get('/v1/orders/:id/routing', {
    config: { scope: 'orders:read' },
    schema: {
      summary: 'Why an order was routed so', tags: ['routing'], params: Type.Object({ id: Type.String({ maxLength: 64 }) }),
      description: 'Every decision, oldest first: the policy with its hash, the plan with its cost by term, every location that was not chosen with the reason, and all of it in words. `npm run route -- --order ID` decides it again from what it was made from.',
      response: {
        200: Type.Object({ decisions: Type.Array(Type.Object({
          at: Type.String({ format: 'date-time' }), outcome: OneOf(['routed', 'unroutable']), policyHash: Type.String(), words: Type.Array(Type.String()), plan: PlanSchema,
        })) }), ...problemResponses,
      },
    },
  }, async (request) => {
    const id = await ownOrderId(pool, request.params.id, request.apiKey.locationId);
    return { decisions: (await readDecisions(pool, id)).map((d) => ({ at: d.at.toISOString(), outcome: d.outcome, policyHash: d.policyHash, words: inWords(d.plan), plan: d.plan })) };
  });
  return Promise.resolve();
};

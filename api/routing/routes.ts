import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { checkInstance } from '../../domain/routing/check.ts';
import type { RoutingInstance } from '../../domain/routing/model.ts';
import { planOrder } from '../../domain/routing/plan.ts';
import type { ApiDeps } from '../deps.ts';
import { problemResponses } from '../schemas/common.ts';
import { InstanceSchema, PlanSchema } from './schema.ts';

/** Routing as a question: no state is read or changed. */
export const routingRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app) => {
  app.post('/v1/routing/plan', {
    config: { scope: 'orders:read' },
    schema: {
      summary: 'The cheapest plan of one order', tags: ['routing'], body: InstanceSchema, response: { 200: PlanSchema, ...problemResponses },
      description: 'Takes a complete instance and touches no state, so anybody can check it. Exact up to 12 lines; beyond, the plan comes with a bound. The same instance gives the same answer to the byte.',
    },
  }, (request) => {
    const instance = request.body as RoutingInstance;
    checkInstance(instance);
    return planOrder(instance);
  });
  return Promise.resolve();
};

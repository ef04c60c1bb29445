import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { listPerformance } from '../../db/routing/carrier-performance.ts';
import { listReliability } from '../../db/routing/reliability.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { OneOf, problemResponses, Timestamp } from '../schemas/common.ts';

const config = { scope: 'network:read' } as const;
const PerMille = (description: string) => Type.Integer({ description: `per mille: ${description}` });

/** How locations and carriers did in the last four weeks, as routing takes it; measured once an hour. */
export const measureRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { pool } }) => {
  app.get('/v1/location-reliability', {
    config,
    schema: {
      summary: 'How often locations accept', tags: ['routing'], description: 'The least reliable first. A key bound to a location sees its own.',
      response: { 200: Type.Object({ items: Type.Array(Type.Object({
        location: Type.String(), accepted: Type.Number({ description: 'orders; of one with a short pick the share that was there' }), rejected: Type.Number({ description: 'rejected, or silent until the order went elsewhere, and the shares that were picked short' }), acceptance: PerMille('smoothed by the rate of the network'), measuredAt: Timestamp,
      })) }), ...problemResponses },
    },
  }, async ({ apiKey }) => {
    if (apiKey.carrier !== null) throw new Problem('forbidden', 'this key is bound to a carrier: it sees GET /v1/carrier-performance');
    return { items: await listReliability(pool, apiKey.locationId) };
  });
  app.get('/v1/carrier-performance', {
    config,
    schema: {
      summary: 'How many parcels came in time', tags: ['routing'], description: 'By carrier, service and zone. A key bound to a carrier sees its own.',
      response: { 200: Type.Object({ items: Type.Array(Type.Object({
        carrier: Type.String(), service: Type.String(), zone: OneOf(['same_city', 'same_province', 'national', 'international']), parcels: Type.Integer({ description: 'arrived, lost or overdue' }), onTime: Type.Integer(),
        daysLate: Type.Integer({ description: 'begun days of all late ones together' }), onTimeShare: PerMille('as counted'), lateRisk: PerMille('smoothed by all carriers of the zone'), measuredAt: Timestamp,
      })) }), ...problemResponses },
    },
  }, async ({ apiKey }) => ({ items: await listPerformance(pool, apiKey.carrier) }));
  return Promise.resolve();
};

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { solveInThread } from '../../db/routing/wave/run-thread.ts';
import { Problem } from '../../domain/problem.ts';
import { checkWave } from '../../domain/routing/wave/check.ts';
import type { WaveInstance } from '../../domain/routing/wave/model.ts';
import type { ApiDeps } from '../deps.ts';
import { Minor, OneOf, problemResponses, Text } from '../schemas/common.ts';
import { InstanceSchema, PlanSchema } from './schema.ts';

const closed = { additionalProperties: false } as const;
const { order, locations, rates, policy } = InstanceSchema.properties;
const Body = Type.Object({
  orders: Type.Array(Type.Object({ id: Text(100), order, mergeKey: Type.Optional(Text(200, 1, { description: 'orders with the same one may leave in one parcel' })) }, closed), { minItems: 1, maxItems: 500 }),
  locations, rates, policy,
  unserved: Type.Object({ base: Minor, perMilleOfValue: Type.Integer({ minimum: 0, maximum: 100_000 }) }, { ...closed, description: 'what a line costs that nobody gets: a base, and per mille of its value' }),
  seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 20, default: 10 })), gap: Type.Optional(Type.Number({ minimum: 0.0001, maximum: 0.5, default: 0.01, description: 'how far from the bound is near enough' })),
}, closed);
const OrderLine = Type.Object({ order: Type.String(), line: Type.Integer() });
const Answer = Type.Object({
  plans: Type.Array(Type.Object({ orders: Type.Array(Type.String()), plan: PlanSchema, lines: Type.Array(Type.Object({ order: Type.String(), line: Type.Integer(), planned: Type.Integer({ description: 'its line in the plan' }) })), unserved: Type.Array(OrderLine), cost: Type.Number() })),
  cost: Type.Number(), bound: Type.Number({ description: 'no choice costs less' }), gap: Type.Number(), oneByOne: Type.Number({ description: 'what routing them in this order, one after the other, would cost' }), margin: Type.Number(),
  merged: Type.Integer(), unservedLines: Type.Integer(), columns: Type.Integer(), rounds: Type.Integer(), how: OneOf(['optimal', 'time', 'fallback']),
});
/** Solvers in this process at once: each takes a core. */
const AT_ONCE = 1;

/** Many orders as one question: no state is read or changed. */
export const waveRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app) => {
  let running = 0;
  app.post('/v1/routing/waves', {
    config: { scope: 'orders:read' }, bodyLimit: 8 * 1024 * 1024,
    schema: {
      summary: 'The best plans of many orders together', tags: ['routing'], body: Body, response: { 200: Answer, ...problemResponses },
      description: 'Takes a complete wave and touches no state: who gets the scarce units, which orders leave in one parcel, which location is full. Says how far from the bound it is and what it saves against one by one (docs/waves.md). One at a time: 429 while another runs.',
    },
  }, async (request) => {
    const { seconds = 10, gap = 0.01, ...wave } = request.body;
    checkWave(wave as WaveInstance);
    if (running >= AT_ONCE) throw new Problem('overloaded', 'another wave is being solved: try again in a few seconds');
    running++;
    try {
      return await solveInThread({ wave: wave as WaveInstance, seconds, gap });
    } finally {
      running--;
    }
  });
  return Promise.resolve();
};

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { solveInThread } from '../../db/routing/wave/run-thread.ts';
import { listWaves, readWave } from '../../db/routing/wave/read.ts';
import { decodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { checkWave } from '../../domain/routing/wave/check.ts';
import type { WaveInstance } from '../../domain/routing/wave/model.ts';
import type { ApiDeps } from '../deps.ts';
import { headOffice } from '../network/head-office.ts';
import { Minor, Nullable, OneOf, problemResponses, Text } from '../schemas/common.ts';
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
const At = Type.String({ format: 'date-time' });
const view = {
  id: Type.String(), status: OneOf(['queued', 'solved', 'done', 'failed']), orders: Type.Integer(), createdAt: At, solvedAt: Nullable(At), doneAt: Nullable(At), result: Nullable(Type.Partial(Type.Omit(Answer, ['plans']))), error: Nullable(Type.String()),
};
const View = Type.Object(view);
const Detail = Type.Object({ ...view, members: Type.Array(Type.Object({ order: Type.String(), with: Type.Array(Type.String()), locations: Nullable(Type.Array(Type.String())), appliedAt: Nullable(At) })) });
/** Solvers in this process at once: each takes a core. */
const AT_ONCE = 1;

/** Many orders as one question: no state is read or changed. */
export const waveRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { pool } }) => {
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
  app.get('/v1/waves', {
    config: { scope: 'orders:read' }, onRequest: headOffice,
    schema: { summary: 'List waves', tags: ['routing'], description: 'The newest first.', querystring: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })) }, closed), response: { 200: Type.Object({ waves: Type.Array(View) }), ...problemResponses } },
  }, async (request) => ({ waves: await listWaves(pool, request.query.limit ?? 50) }));
  app.get('/v1/waves/:id', {
    config: { scope: 'orders:read' }, onRequest: headOffice,
    schema: { summary: 'Read a wave', tags: ['routing'], description: 'With its orders: who leaves in one parcel, and from where each was wanted sent.', params: Type.Object({ id: Text(60) }), response: { 200: Detail, ...problemResponses } },
  }, (request) => {
    const id = decodeId('wav', request.params.id);
    if (id === null) throw new Problem('not_found', `wave "${request.params.id}" does not exist`);
    return readWave(pool, id);
  });
  return Promise.resolve();
};

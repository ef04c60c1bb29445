import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { listSimulations, readSimulation } from '../../db/simulation/read.ts';
import { cancelSimulation, requestSimulation, type SimulationRequest } from '../../db/simulation/request.ts';
import { decodeId, encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { headOffice } from '../network/head-office.ts';
import { actorOf } from '../plugins/auth.ts';
import { problemResponses } from '../schemas/common.ts';
import { cursor, paging } from '../schemas/paging.ts';
import { SimulationAnswerSchema, SimulationBody, SimulationDetailSchema, SimulationList } from './schema.ts';

const tags = ['routing'];
const params = Type.Object({ id: Type.String({ maxLength: 64 }) });
const detail = { 200: SimulationDetailSchema, ...problemResponses };

function uuid(id: string): string {
  const found = decodeId('sim', id);
  if (found === null) throw new Problem('not_found', 'there is no such simulation');
  return found;
}

/** What if: recorded orders replayed under other policies. Figures of the whole network: keys of a location do not see them. */
export const simulationRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { writer, pool } }) => {
  app.post('/v1/simulations', {
    config: { scope: 'network:write' }, onRequest: headOffice,
    schema: {
      summary: 'Replay recorded orders under other policies', tags, body: SimulationBody, response: { 202: SimulationAnswerSchema, ...problemResponses },
      description: 'The orders routed from `from` (inclusive) to `to` (exclusive), in their order, each by the exact router on what the earlier ones left of stock and daily capacity; docs/simulation.md says what is compared. Changes no order. Idempotent by `reference`.',
    },
  }, async (request, reply) => reply.code(202).send(await requestSimulation(writer, request.body as SimulationRequest, actorOf(request.apiKey))));
  app.get('/v1/simulations', {
    config: { scope: 'network:read' }, onRequest: headOffice,
    schema: { summary: 'List simulations, the newest first', tags, querystring: Type.Object(paging, { additionalProperties: false }), response: { 200: SimulationList, ...problemResponses } },
  }, async (request) => {
    const { items, last } = await listSimulations(pool, cursor('sim', request.query.after), request.query.limit ?? 50);
    return { items, next: last === null ? null : encodeId('sim', last) };
  });
  app.get('/v1/simulations/:id', {
    config: { scope: 'network:read' }, onRequest: headOffice,
    schema: { summary: 'Read a simulation', tags, params, response: detail, description: 'Progress in per cent; each policy beside what happened (`actual`), in all and by province of the destination.' },
  }, (request) => readSimulation(pool, uuid(request.params.id)));
  app.post('/v1/simulations/:id/cancel', {
    config: { scope: 'network:write' }, onRequest: headOffice, schema: { summary: 'Cancel a simulation', tags, params, response: detail, description: 'It stops within a second or so; results that are there stay. Safe to repeat.' },
  }, async (request) => {
    const id = uuid(request.params.id);
    await cancelSimulation(writer, id);
    return readSimulation(pool, id);
  });
  return Promise.resolve();
};

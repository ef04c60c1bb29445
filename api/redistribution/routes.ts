import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { acceptMove, proposalUuid, rejectMove } from '../../db/redistribution/decide.ts';
import { readRedistributionState, requestMoves, setRedistributionPolicy, type RedistributionPolicy } from '../../db/redistribution/policy.ts';
import { listMoves, MOVE_STATUSES, readMove } from '../../db/redistribution/read.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { actorOf } from '../plugins/auth.ts';
import { Code, Minor, OneOf, openResponses, Reason, Text } from '../schemas/common.ts';
import { cursor, paging } from '../schemas/paging.ts';

const tags = ['redistribution'];
const response = openResponses;
const closed = { additionalProperties: false } as const;
const params = Type.Object({ id: Type.String({ maxLength: 64 }) });
const whole = (minimum: number, maximum: number, description: string) => Type.Integer({ minimum, maximum, description });
const PolicyBody = Type.Object({
  everyS: whole(3600, 31_536_000, 'seconds between plans'), lapseAfterS: whole(3600, 31_536_000, 'seconds until a proposal that nobody accepted lapses'),
  horizonDays: whole(1, 400, 'days in which a moved unit must sell to gain anything, where the season does not end before'), minimumGain: Minor, sameCity: Minor, sameProvince: Minor, national: Minor, perUnit: Minor,
  salvagePercent: whole(0, 100, 'of its cost, what an unsold unit is still worth'), keepUnits: whole(0, 1_000_000, 'a location never gives its last so many units of a SKU'), mostLanes: whole(1, 2_000, 'trips of a category that are weighed at once'),
}, closed);

/** Moves between our own locations that would gain more than they cost. The head office's: a key that is bound to a location is refused. */
export const redistributionRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { pool, writer, network } }) => {
  app.addHook('preHandler', (request, _reply, done) => {
    done(request.apiKey.locationId === null ? undefined : new Problem('forbidden', 'this key is bound to a location: the head office moves stock'));
  });
  const read = { scope: 'stock:read' } as const;
  const write = { scope: 'stock:write' } as const;

  app.post('/v1/redistribution/plans', {
    config: write, schema: { summary: 'Plan moves now', tags, response, description: 'Answers at once; several wishes are one plan. Its proposals take the place of those that still wait.' },
  }, async (_request, reply) => reply.code(201).send(await requestMoves(writer)));

  app.get('/v1/redistribution/proposals', {
    config: read,
    schema: {
      summary: 'List move proposals, the newest first', tags, response,
      querystring: Type.Object({ ...paging, status: Type.Optional(OneOf(MOVE_STATUSES)), from: Type.Optional(Code), to: Type.Optional(Code), category: Type.Optional(Text(100)) }, closed),
    },
  }, async (request) => {
    const { after, limit = 50, status = null, from = null, to = null, category = null } = request.query;
    for (const [field, code] of [['from', from], ['to', to]] as const) if (code !== null && !network.locations.has(code)) throw new Problem('unknown_location', `location "${code}" is not known`, `/querystring/${field}`);
    const items = await listMoves(pool, { status, from, to, category, before: cursor('mov', after), limit });
    return { items, next: items.length === limit ? items.at(-1)?.id ?? null : null };
  });

  app.get('/v1/redistribution/proposals/:id', { config: read, schema: { summary: 'Read a move proposal with its reasons', tags, params, response } }, (request) => readMove(pool, proposalUuid(request.params.id)));

  app.post('/v1/redistribution/proposals/:id/accept', {
    config: write, schema: { summary: 'Accept a move proposal', tags, params, response, description: 'It becomes a transfer whose units are set aside at the sender. Again: the same transfer.' },
  }, async (request) => {
    const uuid = proposalUuid(request.params.id);
    await acceptMove(writer, network, uuid, actorOf(request.apiKey));
    return readMove(pool, uuid);
  });

  app.post('/v1/redistribution/proposals/:id/reject', {
    config: write, schema: { summary: 'Reject a move proposal', tags, params, response, body: Type.Object({ reason: Reason }, closed), description: 'Again: no change.' },
  }, async (request) => {
    const uuid = proposalUuid(request.params.id);
    await rejectMove(writer, uuid, request.body.reason, actorOf(request.apiKey));
    return readMove(pool, uuid);
  });

  app.get('/v1/redistribution/policy', { config: read, schema: { summary: 'Read how moves are planned, and what came of it last', tags, response } }, () => readRedistributionState(pool));
  app.put('/v1/redistribution/policy', { config: write, schema: { summary: 'Set how moves are planned', tags, body: PolicyBody, response, description: 'Money in minor units: `minimumGain` of a trip over its cost; `sameCity`, `sameProvince`, `national` what a trip costs; `perUnit` handling of a unit.' } }, async (request) => {
    await setRedistributionPolicy(writer, request.body as RedistributionPolicy);
    return readRedistributionState(pool);
  });
  return Promise.resolve();
};

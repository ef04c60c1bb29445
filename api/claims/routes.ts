import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { claimUuid } from '../../db/claims/claim-id.ts';
import { reportLost } from '../../db/claims/lose-parcel.ts';
import { resolveClaim, type Resolution } from '../../db/claims/resolve-claim.ts';
import { CLAIM_STATUSES, listClaims, lossClaimOf, ownParcelId, readClaim } from '../../db/read/claims.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { actorOf } from '../plugins/auth.ts';
import { OneOf, problemResponses } from '../schemas/common.ts';
import { Next, paging } from '../schemas/paging.ts';
import { ClaimParams, ClaimSchema, LostSchema, ParcelParams, ResolutionSchema } from './schema.ts';

const answers = { 200: ClaimSchema, ...problemResponses };

/** Lost parcels and what carriers owe for them. */
export const claimRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { writer, pool } }) => {
  app.post('/v1/parcels/:id/lost', {
    config: { scope: 'orders:operate' },
    schema: {
      summary: 'A parcel is lost', tags: ['claims'], params: ParcelParams, body: LostSchema, response: answers,
      description: 'Opens a claim on its carrier and answers it. A refund request on the order is due for these goods without a return, one that comes later at once. A parcel that is lost already stays as it is; one that has arrived or come back is a 409.',
    },
  }, async (request) => {
    const id = await ownParcelId(pool, request.params.id, request.apiKey.locationId);
    await reportLost(writer, id, request.body.reason, actorOf(request.apiKey));
    return lossClaimOf(pool, id);
  });

  app.get('/v1/claims', {
    config: { scope: 'orders:read' },
    schema: {
      summary: 'List claims', tags: ['claims'], description: 'Oldest first.',
      querystring: Type.Object({ status: Type.Optional(OneOf(CLAIM_STATUSES)), ...paging }, { additionalProperties: false }),
      response: { 200: Type.Object({ claims: Type.Array(ClaimSchema), next: Next }), ...problemResponses },
    },
  }, async (request) => {
    const { status = null, after: cursor, limit = 50 } = request.query;
    const after = cursor === undefined ? null : claimUuid(cursor);
    if (cursor !== undefined && after === null) throw new Problem('invalid', 'after must be the `next` of an earlier page of this list', '/querystring/after');
    return listClaims(pool, { status, after, limit, onlyLocation: request.apiKey.locationId });
  });

  app.post('/v1/claims/:id/resolution', {
    config: { scope: 'orders:operate' },
    schema: {
      summary: 'A carrier has answered a claim', tags: ['claims'], params: ClaimParams, body: ResolutionSchema, response: answers,
      description: 'Said once: the same outcome and amount again give the same answer, others are a 409. The first note stays.',
    },
  }, async (request) => {
    const { apiKey, params: { id } } = request;
    await readClaim(pool, id, apiKey.locationId);
    await resolveClaim(writer, id, request.body as Resolution, actorOf(apiKey));
    return readClaim(pool, id, apiKey.locationId);
  });
  return Promise.resolve();
};

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { draftPolicy, listPolicies, movePolicy, readPolicy, type PolicyInput } from '../../db/routing/policies.ts';
import { checkReach } from '../../db/routing/reach.ts';
import type { ApiDeps } from '../deps.ts';
import { headOffice } from '../network/head-office.ts';
import { actorOf } from '../plugins/auth.ts';
import { PolicySchema } from '../routing/schema.ts';
import { Code, Nullable, OneOf, problemResponses, Text, Timestamp } from '../schemas/common.ts';

const tags = ['routing'];
const params = Type.Object({ code: Code, version: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }) });
const View = Type.Object({
  policy: PolicySchema, hash: Type.String({ description: 'sha256 of its canonical JSON' }), status: OneOf(['draft', 'active', 'retired']), author: Type.String(), comment: Nullable(Type.String()),
  effectiveAt: Timestamp, createdAt: Timestamp, activatedAt: Nullable(Timestamp), retiredAt: Nullable(Timestamp),
});
const answers = { 200: View, ...problemResponses };

/** Routing policies: data with versions, fixed once they have been active. */
export const policyRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { writer, pool, network } }) => {
  app.post('/v1/routing/policies', {
    config: { scope: 'network:write' }, onRequest: headOffice,
    schema: {
      summary: 'Draft a routing policy', tags, response: answers,
      description: 'Again with the same content and time it is the same draft. Allows 12 shipments at most. `effectiveAt`: from when it rules once it is active; absent: at once. Of the active ones the newest whose time has come rules.',
      body: Type.Object({ policy: PolicySchema, comment: Type.Optional(Text(1000)), effectiveAt: Type.Optional(Timestamp) }, { additionalProperties: false }),
    },
  }, (request) => draftPolicy(writer, request.body as PolicyInput, actorOf(request.apiKey)));
  app.get('/v1/routing/policies', {
    config: { scope: 'network:read' }, schema: { summary: 'List routing policies', tags, response: { 200: Type.Object({ items: Type.Array(View), inEffect: Type.Object({ code: Type.String(), version: Type.Integer() }) }), ...problemResponses } },
  }, async () => {
    const { policy } = network.policyAt(writer.clock());
    return { items: await listPolicies(pool), inEffect: { code: policy.code, version: policy.version } };
  });
  app.get('/v1/routing/policies/:code/:version', { config: { scope: 'network:read' }, schema: { summary: 'Read a routing policy', tags, params, response: answers } },
    (request) => readPolicy(pool, request.params.code, request.params.version));
  for (const [word, to] of [['activate', 'active'], ['retire', 'retired']] as const) {
    app.post(`/v1/routing/policies/:code/:version/${word}`, {
      config: { scope: 'network:write' }, onRequest: headOffice,
      schema: {
        summary: word === 'activate' ? 'Activate a routing policy' : 'Retire a routing policy', tags, params, response: answers,
        description: word === 'activate' ? 'From then on it does not change. Safe to repeat.' : 'It rules no more; the last one in effect stays. Safe to repeat.',
      },
    }, async (request) => {
      // Read again first: it is judged by the network of now.
      await network.reload();
      const { policy, status } = await readPolicy(pool, request.params.code, request.params.version);
      if (to === 'active' && status === 'draft') checkReach(network, policy);
      const moved = await movePolicy(writer, request.params.code, request.params.version, to);
      await network.reload();
      return moved;
    });
  }
  return Promise.resolve();
};

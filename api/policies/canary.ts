import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { promoteCanary, rollBackCanary } from '../../db/routing/canary/end.ts';
import { readCanary } from '../../db/routing/canary/read.ts';
import { readPolicy } from '../../db/routing/policies.ts';
import { checkReach } from '../../db/routing/reach.ts';
import { startCanary } from '../../db/routing/canary/start.ts';
import type { ApiDeps } from '../deps.ts';
import { headOffice } from '../network/head-office.ts';
import { actorOf } from '../plugins/auth.ts';
import { Code, Nullable, OneOf, problemResponses, Reason, Timestamp } from '../schemas/common.ts';

const tags = ['routing'];
const version = Type.Integer({ minimum: 1, maximum: 2_147_483_647 });
const params = Type.Object({ code: Code, version });
const Guard = Type.Object({
  minOrders: Type.Integer({ minimum: 30, maximum: 1_000_000, default: 200, description: 'in each arm, before anything is judged' }),
  costWorse: Type.Integer({ minimum: 0, maximum: 10_000, default: 0, description: 'per mille by which an order may cost more than in the control arm' }),
  lateWorse: Type.Integer({ minimum: 0, maximum: 1000, default: 0, description: 'per mille points by which more orders may be late' }),
  confidence: Type.Integer({ minimum: 800, maximum: 999, default: 950, description: 'per mille: how rarely a canary that is not worse is rolled back, over all looks together' }),
}, { additionalProperties: false });
const DEFAULT_GUARD = { minOrders: 200, costWorse: 0, lateWorse: 0, confidence: 950 };
const Policy = Type.Object({ code: Type.String(), version: Type.Integer() });
const Arm = Type.Object({
  orders: Type.Integer(), routed: Type.Integer(), costPerOrder: Type.Number({ description: 'minor units, as it is paid' }), costVariance: Type.Number(), late: Type.Integer({ description: 'late or not routable' }), unroutable: Type.Integer(),
});
const View = Type.Object({
  id: Type.String(), policy: Policy, control: Policy, share: Type.Integer(), startsAt: Timestamp, endsAt: Timestamp, guard: Type.Object({ minOrders: Type.Integer(), costWorse: Type.Integer(), lateWorse: Type.Integer(), confidence: Type.Integer() }),
  status: OneOf(['running', 'rolled_back', 'promoted', 'ended']), startedBy: Type.String(), endedAt: Nullable(Timestamp), endedBy: Nullable(Type.String()), reason: Nullable(Type.String()), looks: Type.Integer(),
  nextLookAt: Nullable(Timestamp), arms: Type.Object({ canary: Arm, control: Arm }), events: Type.Array(Type.Object({ type: Type.String(), at: Timestamp, actor: Type.String() })),
});
const response = { 200: View, ...problemResponses };
const url = '/v1/routing/policies/:code/:version/canary';
const write = { config: { scope: 'network:write' }, onRequest: headOffice } as const;

/** A draft tried on a share of the orders, against the policy in effect. */
export const canaryRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { writer, pool, network } }) => {
  app.post(url, {
    ...write, schema: {
      summary: 'Try a draft on a share of the orders', tags, params, response,
      body: Type.Object({ share: Type.Integer({ minimum: 1, maximum: 500, description: 'per mille of the orders, by a stable hash of their id' }), endsAt: Timestamp, guard: Type.Optional(Guard) }, { additionalProperties: false }),
      description: 'From now until `endsAt`; one canary at a time. Both arms are measured 48 times; where the canary is worse than the guard allows it is rolled back by itself. Safe to repeat.',
    },
  }, async ({ params: { code, version: v }, body: { share, endsAt, guard }, apiKey }) => {
    checkReach(network, (await readPolicy(pool, code, v)).policy);
    await startCanary(writer, network, code, v, { share, endsAt, guard: { ...DEFAULT_GUARD, ...guard } }, actorOf(apiKey));
    return readCanary(pool, code, v, writer.clock());
  });
  app.get(url, { config: { scope: 'network:read' }, onRequest: headOffice, schema: { summary: 'Read the newest canary of a policy with the figures of both arms', tags, params, response } },
    ({ params: { code, version: v } }) => readCanary(pool, code, v, writer.clock()));
  app.post(`${url}/promote`, { ...write, schema: { summary: 'Make the canary\'s policy active for all orders', tags, params, response, description: 'While it runs, or after it has ended well. Safe to repeat.' } },
    async ({ params: { code, version: v }, apiKey }) => {
      await promoteCanary(writer, code, v, actorOf(apiKey));
      await network.reload();
      return readCanary(pool, code, v, writer.clock());
    });
  app.post(`${url}/rollback`, { ...write, schema: { summary: 'Roll a canary back', tags, params, response, body: Type.Object({ reason: Reason }, { additionalProperties: false }), description: 'From this commit on all orders take the policy in effect. Safe to repeat.' } },
    async ({ params: { code, version: v }, body: { reason }, apiKey }) => {
      await rollBackCanary(writer, code, v, reason, actorOf(apiKey));
      return readCanary(pool, code, v, writer.clock());
    });
  return Promise.resolve();
};

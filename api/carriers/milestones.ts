import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { listMilestoneRules, putMilestoneRule, TOLD_MILESTONES } from '../../db/carriers/milestone-messages.ts';
import { WAYS } from '../../domain/messages/message.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { headOffice } from '../network/head-office.ts';
import { actorOf } from '../plugins/auth.ts';
import { Code, OneOf, problemResponses, Timestamp } from '../schemas/common.ts';

const tags = ['carriers'];
const rule = { milestones: Type.Array(OneOf(TOLD_MILESTONES), { uniqueItems: true, maxItems: 20 }), ways: Type.Array(OneOf(WAYS), { uniqueItems: true, minItems: 1, maxItems: 3, description: 'in order of preference' }) };
const View = Type.Object({ channel: Type.String(), ...rule, changedBy: Type.String(), changedAt: Timestamp });

/** Which milestones of a parcel are told to its receiver. */
export const milestoneRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { pool, network, writer } }) => {
  app.get('/v1/milestone-messages', { config: { scope: 'network:read' }, schema: { summary: 'Which milestones are told to receivers', tags, response: { 200: Type.Object({ items: Type.Array(View) }), ...problemResponses } } },
    async () => ({ items: await listMilestoneRules(pool) }));

  app.put('/v1/milestone-messages/:channel', {
    config: { scope: 'network:write' }, onRequest: headOffice,
    schema: {
      summary: 'Say which milestones of a channel\'s parcels are told to their receivers', tags, body: Type.Object(rule, { additionalProperties: false }), response: { 200: View, ...problemResponses },
      params: Type.Object({ channel: Type.Unsafe<string>({ ...Code, description: 'a channel, or `default` for all that have no rule of their own' }) }),
      description: 'Each is one message, in the transaction in which it is reached; the words are the template `parcel.{milestone}`. Orders of a platform\'s shop are told by the platform, never by this.',
    },
  }, async (request) => {
    const { channel } = request.params;
    const id = channel === 'default' ? 0 : network.channels.get(channel)?.id;
    if (id === undefined) throw new Problem('unknown_channel', `channel "${channel}" is not known; make it with PUT /v1/channels/${channel}`, '/channel');
    await putMilestoneRule(pool, id, request.body, actorOf(request.apiKey), writer.clock());
    const found = (await listMilestoneRules(pool)).find((r) => r.channel === channel);
    if (!found) throw new Error('unreachable: the rule was written');
    return found;
  });
  return Promise.resolve();
};

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { putLadder, readLadder } from '../../db/promise/ladders.ts';
import { Problem } from '../../domain/problem.ts';
import { ANSWERS, type Ladder } from '../../domain/promising/ladder.ts';
import type { ApiDeps } from '../deps.ts';
import { headOffice } from '../network/head-office.ts';
import { actorOf } from '../plugins/auth.ts';
import { Code, Minor, Nullable, OneOf, problemResponses } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;
const Minutes = Type.Integer({ minimum: 1, maximum: 43_200, description: 'minutes' });
const LadderSchema = Type.Object({
  atRiskMinutes: Type.Integer({ minimum: 0, maximum: 1_440, description: 'how long before its hand-over an order that is not packed counts as missing it' }),
  newsMinutes: Type.Optional(Type.Integer({ minimum: 0, maximum: 43_200, description: 'how long after the promised date a carrier may still tell of a delivery in time: until then what has left, and is silent, is not late; absent: a day' })),
  reSource: Type.Optional(Type.Object({ latenessPerDay: Type.Unsafe<number>({ ...Minor, description: 'what a day less may cost, minor units' }), waitMinutes: Minutes }, closed)),
  upgrade: Type.Optional(Type.Object({ maxExtraCost: Type.Unsafe<number>({ ...Minor, description: 'what a faster carrier may cost more, minor units' }), waitMinutes: Minutes }, closed)),
  ask: Type.Optional(Type.Object({ options: Type.Array(OneOf(ANSWERS), { minItems: 1, maxItems: 4 }), answerMinutes: Minutes, otherwise: OneOf(['wait', 'cancel'], 'what counts as answered when nobody answers') }, closed)),
  compensate: Type.Optional(Type.Object({
    kind: OneOf(['refund', 'voucher']), percent: Type.Integer({ minimum: 1, maximum: 100, description: 'of what was paid for the late units' }), atMost: Minor,
    lateMinutes: Type.Integer({ minimum: 0, maximum: 43_200, description: 'from how late on' }),
  }, closed)),
}, closed);
const params = Type.Object({ code: Code });
const response = { 200: Type.Object({ channel: Type.String(), version: Type.Integer({ description: '0: there never was one' }), ladder: Nullable(LadderSchema), author: Nullable(Type.String()), createdAt: Nullable(Type.String()) }), ...problemResponses };

/** How a channel keeps its promises. */
export const ladderRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { network, pool, writer } }) => {
  app.addHook('onRequest', headOffice);
  const channelOf = (code: string) => {
    const channel = network.channels.get(code);
    if (!channel) throw new Problem('not_found', `channel "${code}" does not exist`);
    return channel;
  };
  app.get('/v1/channels/:code/promise-ladder', { config: { scope: 'network:read' }, schema: { summary: "Read a channel's promise ladder", tags: ['routing'], params, response } },
    (request) => readLadder(pool, channelOf(request.params.code)));
  app.put('/v1/channels/:code/promise-ladder', {
    config: { scope: 'network:write' },
    schema: {
      summary: "Set a channel's promise ladder", tags: ['routing'], params, response,
      description: 'At risk → re-source → faster carrier → ask the customer → compensate (docs/promise.md). A rung that is left out is passed over; `null`: no promise is looked at any more. Each change is a version; an order goes on with the one it began with.',
      body: Type.Object({ ladder: Nullable(LadderSchema) }, closed),
    },
  }, async (request) => {
    const channel = channelOf(request.params.code);
    await putLadder(writer, channel, request.body.ladder as Ladder | null, actorOf(request.apiKey));
    await network.reload(false);
    return readLadder(pool, channel);
  });
  return Promise.resolve();
};

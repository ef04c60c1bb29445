import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { answerQuestion } from '../../db/promise/answer.ts';
import { listAtRisk, readPromise, type AtRisk } from '../../db/promise/read.ts';
import { settleCompensation } from '../../db/promise/settle-compensation.ts';
import { ownOrderId } from '../../db/read/own-orders.ts';
import { Problem } from '../../domain/problem.ts';
import { decodeId, encodeId } from '../../domain/ids.ts';
import { ANSWERS, RUNGS } from '../../domain/promising/ladder.ts';
import type { ApiDeps } from '../deps.ts';
import { OrderParams } from '../orders/schema.ts';
import { actorOf } from '../plugins/auth.ts';
import { Code, Nullable, OneOf, problemResponses, Text } from '../schemas/common.ts';
import { Next, paging } from '../schemas/paging.ts';

const At = Type.String({ format: 'date-time' });
const LineUnits = Type.Object({ line: Type.Integer(), quantity: Type.Integer() });
const OfferSchema = Type.Union([
  Type.Object({ answer: Type.Literal('wait'), by: Nullable(At) }),
  Type.Object({ answer: Type.Literal('split'), lines: Type.Array(LineUnits, { description: 'what comes later' }), by: Nullable(At) }),
  Type.Object({ answer: Type.Literal('substitute'), lines: Type.Array(Type.Object({ line: Type.Integer(), sku: Type.String(), substitute: Type.String() })) }),
  Type.Object({ answer: Type.Literal('cancel') }),
]);
const View = Type.Object({
  promisedBy: Nullable(At), expectedBy: Type.Unsafe<string | null>({ ...Nullable(At), description: 'as far as anybody can say now; null: nobody knows' }), rung: OneOf(RUNGS), until: Nullable(At), atRiskSince: Nullable(At), brokenAt: Nullable(At), nextLook: Nullable(At),
  history: Type.Array(Type.Object({ at: At, promisedBy: At, reason: Type.String(), actor: Type.String() })),
  questions: Type.Array(Type.Object({ askedAt: At, answerBy: At, options: Type.Array(OfferSchema), answer: Nullable(Type.String()), answeredAt: Nullable(At), answeredBy: Nullable(Type.String()), moot: Type.Boolean({ description: 'it needed no answer any more' }) })),
  compensation: Nullable(Type.Object({ kind: Type.String(), amount: Type.Integer(), currency: Type.String(), lateMinutes: Type.Integer(), status: Type.String({ description: 'due, settled, or void: the news that the goods had come in time was late' }), settlementReference: Nullable(Type.String()) })),
});
const Risk = Type.Object({
  order: Type.String(), channel: Type.String(), externalId: Type.String(), status: Type.String(), promisedBy: At, expectedBy: Nullable(At), rung: OneOf(RUNGS), until: Nullable(At), since: Nullable(At), locations: Type.Array(Type.String()),
});
const closed = { additionalProperties: false } as const;

/** The promises of orders: how they stand, what customers answer. */
export const orderPromiseRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { network, pool, writer } }) => {
  app.get('/v1/orders/:id/promise', {
    config: { scope: 'orders:read' }, schema: { summary: 'Read the promise of an order', tags: ['orders'], params: OrderParams, description: 'With every date that it had, what the customer was asked, and what is owed for being late.', response: { 200: View, ...problemResponses } },
  }, async (request) => {
    const id = await ownOrderId(pool, request.params.id, request.apiKey.locationId);
    return readPromise(pool, id);
  });
  app.post('/v1/orders/:id/promise/answer', {
    config: { scope: 'orders:write' },
    schema: {
      summary: 'Give the customer\'s answer', tags: ['orders'], params: OrderParams, body: Type.Object({ answer: OneOf(ANSWERS) }, closed),
      description: 'To the open question of `GET /v1/orders/{id}/promise`: only what was offered. The same answer again is told as it was; another one is a conflict.',
      response: { 200: Type.Object({ answer: OneOf(ANSWERS), status: Type.String(), promisedBy: Nullable(At), split: Nullable(Type.String({ description: 'the order with what comes later' })) }), ...problemResponses },
    },
  }, async (request) => {
    const id = await ownOrderId(pool, request.params.id, request.apiKey.locationId);
    return answerQuestion(writer, network, id, request.body.answer, actorOf(request.apiKey));
  });
  app.post('/v1/orders/:id/promise/compensation/settle', {
    config: { scope: 'orders:operate' },
    schema: {
      summary: 'Say that a compensation was paid', tags: ['orders'], params: OrderParams, body: Type.Object({ reference: Text(200, 1, { description: 'of the payment or voucher' }) }, closed), response: { 204: Type.Null(), ...problemResponses },
    },
  }, async (request, reply) => {
    const id = await ownOrderId(pool, request.params.id, request.apiKey.locationId);
    await settleCompensation(writer, id, request.body.reference, actorOf(request.apiKey));
    return reply.code(204).send(null);
  });
  app.get('/v1/promises/at-risk', {
    config: { scope: 'orders:read' },
    schema: {
      summary: 'List promises at risk', tags: ['orders'], description: 'The earliest promised first. `exhausted`: the ladder has nothing left, somebody must decide.',
      querystring: Type.Object({ channel: Type.Optional(Code), rung: Type.Optional(OneOf(RUNGS)), ...paging }, closed), response: { 200: Type.Object({ promises: Type.Array(Risk), next: Next }), ...problemResponses },
    },
  }, async (request) => {
    const { channel = null, rung = null, after, limit = 50 } = request.query;
    const rows = await listAtRisk(pool, { channel, rung, after: after === undefined ? null : cursorOf(after), limit: limit + 1, onlyLocation: request.apiKey.locationId });
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return { promises: rows.slice(0, limit), next: last ? nextOf(last) : null };
  });
  return Promise.resolve();
};

const nextOf = (last: AtRisk): string => `${Date.parse(last.promisedBy)}-${encodeId('ord', last.uuid)}`;

function cursorOf(after: string): { promisedBy: Date; uuid: string } {
  const [, ms, id] = /^(\d{1,15})-(\w{1,60})$/.exec(after) ?? [];
  const uuid = id === undefined ? null : decodeId('ord', id);
  if (ms === undefined || uuid === null) throw new Problem('invalid', 'after must be the `next` of an earlier page of this list', '/querystring/after');
  return { promisedBy: new Date(Number(ms)), uuid };
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { cancelLines } from '../../db/orders/cancel-lines.ts';
import { cancelMember } from '../../db/orders/cancel-member.ts';
import { changeAddress } from '../../db/orders/change-address.ts';
import { erasePerson } from '../../db/orders/erase-person.ts';
import { holdOrder, releaseOrder } from '../../db/orders/hold-order.ts';
import { payOrder } from '../../db/orders/pay-order.ts';
import { requestRefund } from '../../db/orders/refund-request.ts';
import { ownOrderId } from '../../db/read/own-orders.ts';
import type { ShipTo } from '../../db/vault.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { actorOf } from '../plugins/auth.ts';
import { OneOf, problemResponses, Quantity, Reason, Text } from '../schemas/common.ts';
import { OrderParams, ShipToSchema } from './schema.ts';

const closed = { additionalProperties: false } as const;
const LineUnits = Type.Object({ line: Type.Integer({ minimum: 1, maximum: 1_000_000 }), quantity: Quantity }, closed);
const WithReason = Type.Object({ reason: Reason }, closed);
const StatusAnswer = Type.Object({ status: Type.String({ description: "the order's status now" }) });
const answers = { 200: StatusAnswer, ...problemResponses };

/** What can be done to an order; each is guarded by its state (409 `conflict` names it) and safe to send again. */
export const orderCommandRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  const { writer, pool, vault } = store;

  app.post('/v1/orders/:id/cancel', {
    config: { scope: 'orders:write' },
    schema: {
      summary: 'Cancel an order', tags: ['orders'], params: OrderParams, body: WithReason,
      description: '200 `cancelled`: nothing had been told to a location. 202 `asked`: the locations that work on it decide; what they have packed goes on. Of an order that was merged into another one its own units are cancelled; of the one that stays, all.',
      response: { 200: Type.Object({ status: Type.Literal('cancelled') }), 202: Type.Object({ status: Type.Literal('asked') }), ...problemResponses },
    },
  }, async (request, reply) => {
    const id = await ownOrderId(pool, request.params.id, request.apiKey.locationId);
    const status = await cancelMember(writer, store.network, id, request.body.reason, actorOf(request.apiKey), { all: true });
    return status === 'asked' ? reply.code(202).send({ status }) : reply.code(200).send({ status });
  });

  app.post('/v1/orders/:id/cancel-lines', {
    config: { scope: 'orders:write' },
    schema: {
      summary: 'Cancel units of lines', tags: ['orders'], params: OrderParams,
      description: 'Only what is not packed is planned anew; a fulfillment order without these units stays as it is. `waiting`: units of fulfillment orders (`asked`) whose locations decide. One `reference` is one cancellation.',
      body: Type.Object({ reference: Text(200), reason: Reason, lines: Type.Array(LineUnits, { minItems: 1, maxItems: 500 }) }, closed),
      response: { 200: Type.Object({ status: Type.String(), cancelled: Type.Array(LineUnits), waiting: Type.Array(LineUnits), asked: Type.Array(Type.String()) }), ...problemResponses },
    },
  }, async (request) => {
    const id = await ownOrderId(pool, request.params.id, request.apiKey.locationId);
    return cancelLines(writer, id, request.body, actorOf(request.apiKey));
  });

  app.post('/v1/orders/:id/hold', {
    config: { scope: 'orders:operate' },
    schema: { summary: 'Hold an order', tags: ['orders'], description: 'Until a location knows of it.', params: OrderParams, body: WithReason, response: answers },
  }, async (request) => {
    const id = await ownOrderId(pool, request.params.id, request.apiKey.locationId);
    return { status: await holdOrder(writer, id, request.body.reason, actorOf(request.apiKey)) };
  });

  app.post('/v1/orders/:id/release', {
    config: { scope: 'orders:operate' },
    schema: {
      summary: 'Release a held order', tags: ['orders'], description: 'Releases every hold, or the one of `holdId`; audit rules that placed one are overruled for this order.',
      params: OrderParams, body: Type.Object({ note: Type.Optional(Reason), holdId: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: '`id` of a hold of the order' })) }, closed), response: answers,
    },
  }, async (request) => {
    const id = await ownOrderId(pool, request.params.id, request.apiKey.locationId);
    return { status: await releaseOrder(writer, id, request.body.note ?? null, actorOf(request.apiKey), request.body.holdId ?? null) };
  });

  app.post('/v1/orders/:id/address', {
    config: { scope: 'orders:write' },
    schema: {
      summary: 'Change where an order goes', tags: ['orders'], description: 'What is not packed yet is checked and routed anew. `asked`: fulfillment orders whose locations are asked to give them back; `kept`: those that go on to the old address, being packed or on their way. 409 when that is all of it.',
      params: OrderParams, body: Type.Object({ shipTo: ShipToSchema }, closed),
      response: { 200: Type.Object({ ...StatusAnswer.properties, asked: Type.Optional(Type.Array(Type.String())), kept: Type.Optional(Type.Array(Type.String())) }), ...problemResponses },
    },
  }, async (request) => {
    const id = await ownOrderId(pool, request.params.id, request.apiKey.locationId);
    return changeAddress(writer, store.network, vault, id, request.body.shipTo as ShipTo, actorOf(request.apiKey));
  });

  app.post('/v1/orders/:id/payment', {
    config: { scope: 'orders:write' },
    schema: {
      summary: 'Report that an order has been paid', tags: ['orders'], params: OrderParams,
      body: Type.Object({ status: OneOf(['paid']), reference: Type.Optional(Text(200, 1, { description: "the payment's number, nothing personal" })) }, closed),
      response: { 200: Type.Object({ paymentStatus: Type.Literal('paid') }), ...problemResponses },
    },
  }, async (request) => {
    const id = await ownOrderId(pool, request.params.id, request.apiKey.locationId);
    await payOrder(writer, store.network, id, request.body.reference ?? null, actorOf(request.apiKey));
    return { paymentStatus: 'paid' as const };
  });

  app.post('/v1/orders/:id/refund-requests', {
    config: { scope: 'orders:write' },
    schema: {
      summary: 'Ask for the money back', tags: ['orders'], params: OrderParams, body: WithReason,
      description: 'What has not left is cancelled at once, what is on its way is intercepted, what has arrived must come back as a return, what is lost is refunded. One open request an order.',
      response: { 200: Type.Object({ id: Type.String(), status: OneOf(['refunded', 'intercepting', 'awaiting_return']), cancelledUnits: Type.Integer() }), ...problemResponses },
    },
  }, async (request) => {
    const id = await ownOrderId(pool, request.params.id, request.apiKey.locationId);
    return requestRefund(writer, id, request.body.reason, actorOf(request.apiKey));
  });

  app.post('/v1/orders/:id/erase-person', {
    config: { scope: 'network:write' }, // the head office's: no other scope is only theirs
    schema: {
      summary: 'Erase the person of an order', tags: ['orders'], params: OrderParams,
      description: 'Destroys the key to all that was written about them, on every order of theirs. 409 while `openOrders` of their orders are open. Again gives the same answer.',
      response: { 200: Type.Object({ erasedAt: Type.String({ description: 'ISO 8601, UTC' }) }), ...problemResponses },
    },
  }, async (request) => {
    const { apiKey } = request;
    if (apiKey.locationId !== null || apiKey.carrier !== null) throw new Problem('forbidden', 'this key is bound to a location or carrier: only the head office erases people');
    return { erasedAt: (await erasePerson(writer, vault, await ownOrderId(pool, request.params.id, null), actorOf(apiKey))).toISOString() };
  });
  return Promise.resolve();
};

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { readOrder } from '../../db/read/order-detail.ts';
import { countOrders, listOrders } from '../../db/read/order-list.ts';
import { ownOrderId } from '../../db/read/own-orders.ts';
import { ORDER_STATUSES } from '../../domain/order/status.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { Code, OneOf, problemResponses, Text, Timestamp } from '../schemas/common.ts';
import { cursor, Next, paging } from '../schemas/paging.ts';
import { OrderDetailSchema, OrderHeadSchema, SummarySchema } from './read-schema.ts';
import { OrderParams } from './schema.ts';

function moment(text: string | undefined, field: string): { at: Date } | null {
  if (text === undefined) return null;
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) throw new Problem('invalid', `${field} is no such moment: ISO 8601 with offset`, `/querystring/${field}`);
  return { at };
}

/** Orders as they are. A key bound to a location sees only those it took or had a part of. */
export const orderReadRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store, knex }) => {
  app.get('/v1/orders/summary', {
    config: { scope: 'orders:read' },
    schema: { summary: 'Count orders by status', tags: ['orders'], response: { 200: SummarySchema, ...problemResponses } },
  }, async (request) => ({ counts: await countOrders(knex, request.apiKey.locationId) }));

  app.get('/v1/orders', {
    config: { scope: 'orders:read' },
    schema: {
      summary: 'List orders', tags: ['orders'], description: 'Newest first. `location`: took the order or has a fulfillment order of it. `capturedTo` is not included.',
      querystring: Type.Object({
        status: Type.Optional(OneOf(ORDER_STATUSES)), channel: Type.Optional(Code), externalId: Type.Optional(Text(128)), location: Type.Optional(Code),
        capturedFrom: Type.Optional(Timestamp), capturedTo: Type.Optional(Timestamp), ...paging,
      }, { additionalProperties: false }),
      response: { 200: Type.Object({ orders: Type.Array(OrderHeadSchema), next: Next }), ...problemResponses },
    },
  }, async (request) => {
    const { status, externalId, limit = 50, ...q } = request.query;
    const channel = q.channel === undefined ? undefined : store.network.channels.get(q.channel);
    if (q.channel !== undefined && !channel) throw new Problem('unknown_channel', `channel "${q.channel}" is not known`, '/querystring/channel');
    const location = q.location === undefined ? undefined : store.network.locations.get(q.location);
    if (q.location !== undefined && !location) throw new Problem('unknown_location', `location "${q.location}" is not known`, '/querystring/location');
    const after = cursor('ord', q.after);
    const from = moment(q.capturedFrom, 'capturedFrom');
    const to = moment(q.capturedTo, 'capturedTo');
    return listOrders(knex, {
      limit, onlyLocation: request.apiKey.locationId,
      ...(status === undefined ? {} : { status }), ...(channel ? { channelId: channel.id } : {}), ...(externalId === undefined ? {} : { externalId }),
      ...(location ? { locationId: location.id } : {}), ...(from ? { capturedFrom: from.at } : {}), ...(to ? { capturedTo: to.at } : {}), ...(after === null ? {} : { after }),
    });
  });

  app.get('/v1/orders/:id', {
    config: { scope: 'orders:read' },
    schema: {
      summary: 'Read an order with all that belongs to it', tags: ['orders'], description: 'All parts are of one moment. `contact` only for keys with personal:read.',
      params: OrderParams, response: { 200: OrderDetailSchema, ...problemResponses },
    },
  }, async (request) => {
    const { locationId, scopes } = request.apiKey;
    return readOrder(store.pool, store.vault, await ownOrderId(store.pool, request.params.id, locationId), { onlyLocation: locationId, personal: scopes.has('personal:read') });
  });
  return Promise.resolve();
};

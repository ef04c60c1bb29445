import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { capabilitiesOf } from '../../channels/channel.ts';
import { storeHints } from '../../db/channels/hints.ts';
import { releaseHeld } from '../../db/channels/listings.ts';
import { channelReports, heldOrders } from '../../db/channels/read.ts';
import { resendReport } from '../../db/channels/refusals.ts';
import { decideAfterSale } from '../../db/channels/decide-after-sale.ts';
import type { ApiDeps } from '../deps.ts';
import { ShopBook } from '../../db/channels/shops.ts';
import { unbound } from './unbound.ts';
import { OneOf, problemResponses, Reason, Text } from '../schemas/common.ts';
import { ChannelParams, HeldView, ReportsView } from './schema.ts';
import { kindOf } from './shops.ts';

const tags = ['channels'];
const closed = { additionalProperties: false } as const;

/** Platform orders that wait for somebody, what platforms were told, and orders to be read again. */
export const channelOrderRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { pool, network, vault, writer } }) => {
  const of = (code: string) => kindOf(network.channels.get(code), code);

  app.get('/v1/channels/:code/held', {
    config: { scope: 'orders:read' }, onRequest: unbound,
    schema: {
      summary: 'List platform orders that are held', tags, params: ChannelParams, response: { 200: HeldView, ...problemResponses },
      querystring: Type.Object({ after: Type.Optional(Type.String({ maxLength: 200 })), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })) }),
    },
  }, async (request) => ({ items: await heldOrders(pool, of(request.params.code).channel.id, request.query.after ?? '', request.query.limit ?? 100) }));

  app.post('/v1/channels/:code/held/release', {
    config: { scope: 'orders:operate' }, onRequest: unbound,
    schema: {
      summary: 'Read held platform orders again', tags, params: ChannelParams, body: Type.Object({ key: Type.Optional(Text(250)) }, closed), description: 'All of the shop, or those that `key` holds. An order that was changed on the platform (`changed_on_platform`), or of which a change came too late here (`conflict`), goes on by its own key only, as our order is: see to the change first.',
      response: { 200: Type.Object({ released: Type.Integer() }), ...problemResponses },
    },
  }, async (request) => ({ released: await releaseHeld(pool, network, of(request.params.code).channel.id, request.body.key ?? null, writer.clock()) }));

  app.post('/v1/channels/:code/refresh', {
    config: { scope: 'orders:operate' }, onRequest: unbound,
    schema: {
      summary: 'Read platform orders again', tags, params: ChannelParams, body: Type.Object({ externalIds: Type.Array(Text(200), { minItems: 1, maxItems: 1000 }) }, closed),
      response: { 202: Type.Object({ accepted: Type.Integer() }), ...problemResponses },
    },
  }, async (request, reply) => {
    const { channel } = of(request.params.code);
    const now = writer.clock();
    const accepted = await storeHints(pool, request.body.externalIds.map((externalId) => ({
      channelId: channel.id, channelCode: channel.code, key: `refresh:${externalId}:${now.getTime()}`, subject: 'order', topic: 'refresh', externalId, version: null,
    })), 'replay', now);
    return reply.code(202).send({ accepted });
  });

  app.get('/v1/channels/:code/reports', {
    config: { scope: 'orders:read' }, onRequest: unbound,
    schema: {
      summary: 'List what a platform was told of orders', tags, params: ChannelParams, response: { 200: ReportsView, ...problemResponses },
      querystring: Type.Object({ open: Type.Optional(Type.Boolean({ description: 'only what has not arrived or was refused' })), before: Type.Optional(Type.Integer({ minimum: 1 })), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })) }),
    },
  }, async (request) => ({ items: await channelReports(pool, of(request.params.code).channel.id, request.query.open ?? false, request.query.before ?? Number.MAX_SAFE_INTEGER, request.query.limit ?? 100) }));

  app.post('/v1/channels/:code/reports/:id/resend', {
    config: { scope: 'orders:operate' }, onRequest: unbound,
    schema: {
      summary: 'Tell a platform again what it refused', tags, params: Type.Object({ code: ChannelParams.properties.code, id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) }),
      description: 'Safe to repeat: a report that waits goes at once, one that has arrived stays as it is. PUT /v1/channels/{code}/shop has all that was refused told again.',
      response: { 200: Type.Object({ id: Type.Integer(), state: OneOf(['waiting', 'done']) }), ...problemResponses },
    },
  }, async (request) => ({ id: request.params.id, state: await resendReport(pool, of(request.params.code).channel, request.params.id, writer.clock()) }));

  app.post('/v1/channels/:code/after-sales/:afterSaleId/decision', {
    config: { scope: 'orders:operate' }, onRequest: unbound,
    schema: {
      summary: 'Agree to or refuse an after-sale of a platform', tags, params: Type.Object({ code: ChannelParams.properties.code, afterSaleId: Text(200) }),
      body: Type.Object({ externalId: Text(200, 1, { description: "the platform's order" }), approved: Type.Boolean(), reason: Reason }, closed),
      description: 'Told to the platform once; another decision on the same request is a conflict. One that the buyer asks for anew after a decision was told is decided anew.', response: { 202: Type.Object({ accepted: Type.Boolean() }), ...problemResponses },
    },
  }, async (request, reply) => {
    const { channel, kind } = of(request.params.code);
    const shop = await new ShopBook(pool, network, vault).find(request.params.code);
    await decideAfterSale(writer, channel, capabilitiesOf(kind, shop?.settings ?? {}).afterSale === 'decide', { ...request.body, afterSaleId: request.params.afterSaleId });
    return reply.code(202).send({ accepted: true });
  });
  return Promise.resolve();
};

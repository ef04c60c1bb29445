import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { mapListing } from '../../db/channels/listings.ts';
import { listings } from '../../db/channels/read.ts';
import { putPublishRule, switchListing } from '../../db/channels/rules.ts';
import type { ApiDeps } from '../deps.ts';
import { unbound } from './unbound.ts';
import { actorOf } from '../plugins/auth.ts';
import { toProblem } from '../plugins/problems.ts';
import { problemResponses } from '../schemas/common.ts';
import { ChannelParams, ListingParams, ListingsView, MappingAnswer, MappingBody, MappingsAnswer, MappingsBody, PublishBody, SwitchBody } from './schema.ts';
import { kindOf } from './shops.ts';

const tags = ['channels'];
const moreOf = ({ itemId, priceFloor }: { itemId?: string; priceFloor?: number | null }) => ({ ...(itemId === undefined ? {} : { itemId }), ...(priceFloor === undefined ? {} : { priceFloor }) });

/** What a platform sells under its own SKUs, and how much of our stock it is told. */
export const listingRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { pool, network, writer } }) => {
  const channelOf = (code: string) => kindOf(network.channels.get(code), code).channel;

  app.get('/v1/channels/:code/listings', {
    config: { scope: 'network:read' }, onRequest: unbound,
    schema: {
      summary: "List a shop's listings", tags, params: ChannelParams, response: { 200: ListingsView, ...problemResponses },
      querystring: Type.Object({ unmapped: Type.Optional(Type.Boolean()), after: Type.Optional(Type.String({ maxLength: 200, description: 'the last platformSku of the page before' })), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })) }),
    },
  }, async (request) => ({ items: await listings(pool, channelOf(request.params.code).id, request.query.unmapped ?? false, request.query.after ?? '', request.query.limit ?? 100) }));

  app.put('/v1/channels/:code/listings/:platformSku', {
    config: { scope: 'network:write' }, onRequest: unbound,
    schema: { summary: 'Say what a listing sells', tags, params: ListingParams, body: MappingBody, description: 'A new version of its mapping; orders held for it are released at once.', response: { 200: MappingAnswer, ...problemResponses } },
  }, (request) => mapListing(pool, network, channelOf(request.params.code).id, request.params.platformSku, request.body.components, actorOf(request.apiKey), writer.clock(), request.body.version ?? null, moreOf(request.body)));

  app.post('/v1/channels/:code/listings', {
    config: { scope: 'network:write' }, onRequest: unbound,
    schema: { summary: 'Say what many listings sell', tags, params: ChannelParams, body: MappingsBody, description: 'Each one by itself: what is wrong is reported, the others go on.', response: { 200: MappingsAnswer, ...problemResponses } },
  }, async (request) => {
    const { id } = channelOf(request.params.code);
    const results = [];
    for (const m of request.body.mappings) {
      try {
        results.push({ platformSku: m.platformSku, status: 200, ...await mapListing(pool, network, id, m.platformSku, m.components, actorOf(request.apiKey), writer.clock(), m.version ?? null, moreOf(m)) });
      } catch (error) {
        const problem = toProblem(error as Error);
        results.push({ platformSku: m.platformSku, status: problem.status, problem: { code: problem.code, detail: problem.message, ...(problem.field === null ? {} : { field: problem.field }) } });
      }
    }
    return { results };
  });

  app.put('/v1/channels/:code/publishing', {
    config: { scope: 'network:write' }, onRequest: unbound,
    schema: { summary: 'Say how much of the stock a shop is told', tags, params: ChannelParams, body: PublishBody, description: 'For the shop or one SKU: on, zero or stopped, a share, a buffer, a cap. Told anew at once.', response: { 204: Type.Null(), ...problemResponses } },
  }, async (request, reply) => {
    const { sku, ...rule } = request.body;
    await putPublishRule(pool, network, channelOf(request.params.code), sku ?? null, { mode: 'on', sharePercent: 100, buffer: 0, cap: null, urgentBelow: 10, ...rule }, writer.clock());
    return reply.code(204).send(null);
  });

  app.put('/v1/channels/:code/listings/:platformSku/publishing', {
    config: { scope: 'network:write' }, onRequest: unbound,
    schema: { summary: 'Stop or zero one listing', tags, params: ListingParams, body: SwitchBody, response: { 204: Type.Null(), ...problemResponses } },
  }, async (request, reply) => {
    await switchListing(pool, channelOf(request.params.code), request.params.platformSku, request.body.mode, writer.clock());
    return reply.code(204).send(null);
  });
  return Promise.resolve();
};

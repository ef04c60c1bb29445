import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { blockSku, endPause, readStopsOf, unblockSku } from '../../db/network-admin/stops.ts';
import type { ApiKey, Location, Network, Sku } from '../../db/network.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { actorOf } from '../plugins/auth.ts';
import { Code, Nullable, openResponses, problemResponses, Text, Timestamp } from '../schemas/common.ts';

const tags = ['network'];
const config = { scope: 'fulfillment:write' } as const;
const params = Type.Object({ code: Code });
const skuParams = Type.Object({ code: Code, sku: Code });
const View = Type.Object({
  location: Type.String(), pause: Nullable(Type.Object({ reason: Type.String(), since: Timestamp, until: Timestamp }, { description: 'given nothing new: it rejected as no_capacity or closed' })),
  blocks: Type.Array(Type.Object({ sku: Type.String(), reason: Type.String(), blockedAt: Timestamp, blockedBy: Type.String(), until: Nullable(Timestamp) })),
});
const response = { 200: View, ...problemResponses };

function locationFor(network: Network, key: ApiKey, code: string): Location {
  const location = network.locations.get(code);
  if (!location || key.carrier !== null || (key.locationId !== null && key.locationId !== location.id)) throw new Problem('not_found', `location "${code}" does not exist`);
  return location;
}

async function skuOf(network: Network, code: string): Promise<Sku> {
  await network.loadSkus([code]);
  const sku = network.knownSku(code);
  if (!sku) throw new Problem('not_found', `SKU "${code}" does not exist`);
  return sku;
}

/** What a location takes no orders for: the SKUs that it blocks itself, and its pause after a rejection. */
export const stopRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { pool, network, writer } }) => {
  app.get('/v1/locations/:code/blocks', {
    config, schema: { summary: 'Read what a location takes no orders for', tags, params, response, description: 'A key bound to a location sees its own; another location is 404.' },
  }, (request) => readStopsOf(pool, locationFor(network, request.apiKey, request.params.code), writer.clock()));
  app.put('/v1/locations/:code/blocks/:sku', {
    config,
    schema: {
      summary: 'Block a SKU at a location', tags, params: skuParams, response,
      description: 'No order is given these units: not sold from there, not routed there. What the location has been given already stays with it. Without `until` it holds until it is taken away.',
      body: Type.Object({ reason: Text(200), until: Type.Optional(Timestamp) }, { additionalProperties: false }),
    },
  }, async (request) => {
    const location = locationFor(network, request.apiKey, request.params.code);
    const sku = await skuOf(network, request.params.sku);
    const until = request.body.until === undefined ? null : new Date(request.body.until);
    if (until && Number.isNaN(until.getTime())) throw new Problem('invalid', `"${request.body.until ?? ''}" is no time`, '/until');
    await blockSku(writer, location.id, sku.id, { reason: request.body.reason, until }, actorOf(request.apiKey));
    await network.reload(false);
    return readStopsOf(pool, location, writer.clock());
  });
  app.delete('/v1/locations/:code/blocks/:sku', { config, schema: { summary: 'End the block of a SKU', tags, params: skuParams, response: openResponses } }, async (request, reply) => {
    const location = locationFor(network, request.apiKey, request.params.code);
    await unblockSku(writer, location.id, (await skuOf(network, request.params.sku)).id);
    await network.reload(false);
    return reply.code(204).send(null);
  });
  app.delete('/v1/locations/:code/pause', {
    config, schema: { summary: 'End the pause of a location', tags, params, response: openResponses, description: 'It has hands again, or is open again, before the time that its rejection set.' },
  }, async (request, reply) => {
    await endPause(writer, locationFor(network, request.apiKey, request.params.code).id);
    return reply.code(204).send(null);
  });
  return Promise.resolve();
};

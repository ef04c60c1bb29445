import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { adjustStock, type Adjustment } from '../../db/stock/adjustments.ts';
import { setBuffer } from '../../db/stock/buffers/put-buffers.ts';
import { listLevels } from '../../db/stock/levels.ts';
import { receiveStock, type Receipt } from '../../db/stock/receipts.ts';
import type { ApiKey, Location, Network } from '../../db/network.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { actorOf } from '../plugins/auth.ts';
import { Code, OneOf, openResponses, Quantity, Reason, Text } from '../schemas/common.ts';

const tags = ['stock'];
const closed = { additionalProperties: false } as const;
const line = {
  sku: Code, condition: Type.Optional(OneOf(['sellable', 'damaged', 'quarantine', 'display'])),
  lot: Type.Optional(Type.Object({ code: Text(64), expiresOn: Type.Optional(Type.String({ format: 'date', pattern: '^[12]' })) }, closed)),
};

/** The location a key may touch; another one is as unknown as none. */
function locationFor(network: Network, key: ApiKey, code: string, field = '/location'): Location {
  const location = network.locations.get(code);
  if (!location || (key.locationId !== null && key.locationId !== location.id)) throw new Problem(key.locationId === null ? 'unknown_location' : 'not_found', `location "${code}" is not known`, field);
  return location;
}

export const stockRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  const { network, writer, pool } = store;
  app.post('/v1/stock/receipts', {
    config: { scope: 'stock:write' },
    schema: {
      summary: 'Book goods in', tags, description: 'Idempotent by location and reference. Orders that wait for the SKUs go on.', response: openResponses,
      body: Type.Object({ reference: Text(128), location: Code, lines: Type.Array(Type.Object({ ...line, quantity: Quantity }, closed), { minItems: 1, maxItems: 2_000 }) }, closed),
    },
  }, (request) => {
    const body = request.body as Receipt;
    return receiveStock(writer, network, locationFor(network, request.apiKey, body.location).id, body);
  });
  app.post('/v1/stock/adjustments', {
    config: { scope: 'stock:write' },
    schema: {
      summary: 'Correct stock after a count or loss', tags, response: openResponses,
      description: 'Idempotent by location and reference. A loss below what is reserved makes the youngest reservations short (`shortened` units); their orders are served first when stock comes.',
      body: Type.Object({
        reference: Text(128), location: Code, reason: Reason,
        lines: Type.Array(Type.Object({ ...line, delta: Type.Integer({ minimum: -1_000_000, maximum: 1_000_000 }) }, closed), { minItems: 1, maxItems: 2_000 }),
      }, closed),
    },
  }, (request) => {
    const body = request.body as Adjustment;
    return adjustStock(writer, network, locationFor(network, request.apiKey, body.location).id, body, actorOf(request.apiKey));
  });
  app.put('/v1/stock/buffers', {
    config: { scope: 'stock:write' },
    schema: { summary: 'Keep units from sale', tags, response: openResponses, body: Type.Object({ location: Code, sku: Code, buffer: Type.Integer({ minimum: 0, maximum: 1_000_000 }) }, closed) },
  }, async (request) => {
    const location = locationFor(network, request.apiKey, request.body.location);
    await network.loadSkus([request.body.sku]);
    const sku = network.knownSku(request.body.sku);
    if (!sku) throw new Problem('unknown_sku', `SKU "${request.body.sku}" is not known`, '/sku');
    if (sku.lotTracked) throw new Problem('unprocessable', `SKU "${sku.code}" is tracked by lot, and a buffer is kept from stock without lots only`, '/sku');
    await setBuffer(writer, location.id, sku.id, request.body.buffer);
    return { location: location.code, sku: sku.code, buffer: request.body.buffer };
  });
  app.get('/v1/stock/levels', {
    config: { scope: 'stock:read' },
    schema: {
      summary: 'List stock levels', tags,
      querystring: Type.Object({ location: Type.Optional(Code), sku: Type.Optional(Code), after: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 }), limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }) }),
    },
  }, async (request) => {
    const { location, sku = null, after, limit } = request.query;
    const locationId = location === undefined ? request.apiKey.locationId : locationFor(network, request.apiKey, location, '/querystring/location').id;
    const rows = await listLevels(pool, { locationId, sku, after, limit });
    return { items: rows.map(({ id: _id, ...r }) => r), next: rows.length === limit ? rows.at(-1)?.id ?? null : null };
  });
  return Promise.resolve();
};

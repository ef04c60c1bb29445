import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { quoteCart, type CartLine } from '../../db/routing/quote.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { PlanSchema } from '../routing/schema.ts';
import { Code, Minor, Nullable, OneOf, problemResponses, Quantity, Text } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;
const Body = Type.Object({
  channel: Code,
  destination: Type.Optional(Type.Object({ country: Type.String({ pattern: '^[A-Z]{2}$' }), province: Text(100), city: Text(100) }, { ...closed, description: 'where it would be shipped to' })),
  pickup: Type.Optional(Type.Unsafe<string>({ ...Code, description: 'the shop where it would be fetched: quotes pickup and ship-to-store' })),
  lines: Type.Array(Type.Object({ sku: Text(64), quantity: Quantity, unitPrice: Type.Optional(Minor) }, closed), { minItems: 1, maxItems: 100 }),
}, closed);
const At = Nullable(Type.String({ format: 'date-time' }));
const OptionSchema = Type.Object({
  way: OneOf(['ship', 'pickup', 'ship_to_store']), location: Nullable(Type.String()), by: At, handOver: At, cost: Nullable(Type.Number({ description: 'minor units; what it costs us, docs/routing.md' })),
  missing: Type.Array(Type.Object({ sku: Type.String(), quantity: Type.Integer() }), { description: 'what this way cannot give now; then it has no date' }), plan: Nullable(PlanSchema),
});

/** What can be promised for a cart, before it is an order. */
export const promiseRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  const { network, projection, pool, writer } = store;
  app.post('/v1/promise', {
    config: { scope: 'stock:read' },
    schema: {
      summary: 'Quote a cart by way: date, cost and plan', tags: ['routing'], body: Body,
      description: 'From what is there now, by the policy in effect, the locations\' cut-offs, calendars and capacity, and the carriers\' transit by zone. Nothing is reserved: capture is the judge (`asOf`, `lagMs`).',
      response: { 200: Type.Object({ asOf: Type.String({ format: 'date-time' }), lagMs: Type.Integer(), options: Type.Array(OptionSchema) }), ...problemResponses },
    },
  }, async (request) => {
    const { channel: code, destination, pickup, lines } = request.body;
    const channel = network.channels.get(code);
    if (!channel?.active) throw new Problem('unknown_channel', `channel "${code}" is not known or not active`, '/channel');
    if (!destination && pickup === undefined) throw new Problem('unprocessable', 'say where it is shipped to (destination) or where it is fetched (pickup)', '/destination');
    const shop = pickup === undefined ? null : network.locations.get(pickup) ?? null;
    if (pickup !== undefined && !shop?.active) throw new Problem('unknown_location', `location "${pickup}" is not known or not active`, '/pickup');
    const known = destination && network.known(destination.country, destination.province, destination.city);
    if (known?.unknown) throw new Problem('unprocessable', `province "${destination?.province ?? ''}" is not known in ${destination?.country ?? ''}: ${known.like === null ? 'give one of its provinces' : `is it ${known.like}?`}`, '/destination/province');
    const onlyAt = request.apiKey.locationId;
    if (onlyAt !== null && shop?.id !== onlyAt) throw new Problem('forbidden', 'this key is bound to a location: it quotes pickups there', '/pickup');
    await network.loadSkus(lines.map((l) => l.sku));
    const cart = lines.map((l, i): CartLine => {
      const sku = network.knownSku(l.sku);
      if (!sku?.active) throw new Problem('unknown_sku', `SKU "${l.sku}" is not known or not active`, `/lines/${i}/sku`);
      if (network.components(sku.id).length > 0) throw new Problem('unprocessable', `SKU "${l.sku}" is a bundle: ask for its components`, `/lines/${i}/sku`);
      return { sku, quantity: l.quantity, unitPrice: l.unitPrice ?? 0 };
    });
    const options = await quoteCart({ network, projection, pool }, {
      channel, destination: destination ? network.place(destination.country, destination.province, destination.city) : null, pickup: shop, lines: cart,
    }, writer.clock());
    return {
      asOf: new Date(projection.asOf).toISOString(), lagMs: Math.max(0, Math.round(Date.now() - projection.asOf)),
      options: options.map((o) => ({ ...o, by: o.by?.toISOString() ?? null, handOver: o.handOver?.toISOString() ?? null })),
    };
  });
  return Promise.resolve();
};

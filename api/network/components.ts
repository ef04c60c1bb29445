import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { putComponents, readComponents, type ComponentInput } from '../../db/network-admin/components.ts';
import type { ApiDeps } from '../deps.ts';
import { Code, Nullable, problemResponses } from '../schemas/common.ts';
import { headOffice } from './head-office.ts';

const closed = { additionalProperties: false } as const;
const params = Type.Object({ code: Code });
const sku = { sku: Code, quantity: Type.Integer({ minimum: 1, maximum: 1_000, description: 'units in one bundle' }) };
const ComponentsBody = Type.Object({
  components: Type.Array(Type.Object({
    ...sku, priceShare: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'its weight in the price, for all components or for none; none: by cost, where the cost of all is known, else equal parts' })),
  }, closed), { maxItems: 50, description: 'empty: no bundle any more' }),
}, closed);
const ComponentsSchema = Type.Object({ sku: Type.String(), components: Type.Array(Type.Object({ ...sku, priceShare: Nullable(Type.Integer()) })) });
const response = { 200: ComponentsSchema, ...problemResponses };

/** Bundles: SKUs that are sold as one and are stock of others. */
export const componentRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { pool, network } }) => {
  app.addHook('onRequest', headOffice);
  const view = async (code: string) => ({ sku: code, components: await readComponents(pool, code) });

  app.get('/v1/skus/:code/components', {
    config: { scope: 'network:read' }, schema: { summary: 'Read what a bundle consists of', tags: ['network'], params, response },
  }, (request) => view(request.params.code));
  app.put('/v1/skus/:code/components', {
    config: { scope: 'network:write' },
    schema: {
      summary: 'Say what a bundle consists of', tags: ['network'], params, body: ComponentsBody, response,
      description: 'In place of what was said before. From then on an order line of this SKU becomes one line for each component: quantities multiplied, price and discounts divided to the minor unit. A component cannot be a bundle.',
    },
  }, async (request) => {
    await putComponents(pool, request.params.code, request.body.components as ComponentInput[]);
    await network.reload();
    return view(request.params.code);
  });
  return Promise.resolve();
};

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { putSubstitutes, readSubstitutes } from '../../db/network-admin/substitutes.ts';
import type { ApiDeps } from '../deps.ts';
import { Code, problemResponses } from '../schemas/common.ts';
import { headOffice } from './head-office.ts';

const params = Type.Object({ code: Code });
const response = { 200: Type.Object({ sku: Type.String(), substitutes: Type.Array(Type.String()) }), ...problemResponses };

/** What a customer may be offered in place of a SKU that comes late. */
export const substituteRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { pool, writer } }) => {
  app.addHook('onRequest', headOffice);
  const view = async (code: string) => ({ sku: code, substitutes: await readSubstitutes(pool, code) });
  app.get('/v1/skus/:code/substitutes', { config: { scope: 'network:read' }, schema: { summary: 'Read the substitutes of a SKU', tags: ['network'], params, response } }, (request) => view(request.params.code));
  app.put('/v1/skus/:code/substitutes', {
    config: { scope: 'network:write' },
    schema: {
      summary: 'Say what may stand in for a SKU', tags: ['network'], params, response, description: 'Best first, in place of what was said before; at the price of the line that it replaces.',
      body: Type.Object({ substitutes: Type.Array(Code, { maxItems: 50 }) }, { additionalProperties: false }),
    },
  }, async (request) => {
    await putSubstitutes(writer, request.params.code, request.body.substitutes);
    return view(request.params.code);
  });
  return Promise.resolve();
};

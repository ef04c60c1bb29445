import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { createApiKey, listApiKeys, revokeApiKey, SCOPES, type ApiKeyView, type Scope } from '../../db/api-keys.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import type { ApiKey } from '../../db/network.ts';
import { Code, OneOf, openResponses, Text } from '../schemas/common.ts';

const tags = ['api keys'];

/** Keys are hashed and shown once. A key hands out only what it has itself. */
export const keyRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  const { network, pool } = store;
  /** What a bound key may know of: keys with the same bonds. A key keeps its bonds for life, so this may be asked before the change. */
  const visible = async (own: ApiKey): Promise<ApiKeyView[]> =>
    (await listApiKeys(pool)).filter((k) => (own.locationId === null || k.locationId === own.locationId) && (own.carrier === null || k.carrier === own.carrier));
  app.post('/v1/api-keys', {
    config: { scope: 'keys:write' },
    schema: {
      summary: 'Make an API key', tags, description: 'The key is in this answer and never again. `location` or `carrier` binds it: it then sees and touches only what is theirs.', response: openResponses,
      body: Type.Object({ name: Text(100), scopes: Type.Array(OneOf(SCOPES), { minItems: 1, uniqueItems: true }), location: Type.Optional(Code), carrier: Type.Optional(Code) }, { additionalProperties: false }),
    },
  }, async (request, reply) => {
    const { name, scopes, location, carrier } = request.body as { name: string; scopes: Scope[]; location?: string; carrier?: string };
    const own = request.apiKey;
    const beyond = scopes.findIndex((s) => !own.scopes.has(s));
    if (beyond >= 0) throw new Problem('forbidden', `this key lacks the scope ${scopes[beyond] ?? ''} and cannot hand it out`, `/scopes/${beyond}`);
    if (location !== undefined && !network.locations.has(location)) throw new Problem('unknown_location', `location "${location}" is not known`, '/location');
    if (carrier !== undefined && !network.carriers.has(carrier)) throw new Problem('unknown_carrier', `carrier "${carrier}" is not known`, '/carrier');
    if (own.locationId !== null && network.locations.get(location ?? '')?.id !== own.locationId) throw new Problem('forbidden', 'a bound key makes keys of its own location only', '/location');
    if (own.carrier !== null && carrier !== own.carrier) throw new Problem('forbidden', 'a bound key makes keys of its own carrier only', '/carrier');
    const made = await createApiKey(pool, { name, scopes, ...(location === undefined ? {} : { locationCode: location }), ...(carrier === undefined ? {} : { carrierCode: carrier }) });
    await network.reload();
    return reply.code(201).send(made);
  });
  app.get('/v1/api-keys', { config: { scope: 'keys:write' }, schema: { summary: 'List API keys, without the keys', tags } }, async (request) => ({
    items: (await visible(request.apiKey)).map(({ locationId: _l, ...k }) => k),
  }));
  app.delete('/v1/api-keys/:id', { config: { scope: 'keys:write' }, schema: { summary: 'Revoke an API key', tags, params: Type.Object({ id: Type.Integer({ minimum: 1, maximum: 999_999_999 }) }), response: openResponses } }, async (request, reply) => {
    const { params: { id }, apiKey } = request;
    if (!(await visible(apiKey)).some((k) => k.id === id) || !(await revokeApiKey(pool, id, apiKey.locationId))) throw new Problem('not_found', 'no such key');
    await network.reload();
    return reply.code(204).send(null);
  });
  return Promise.resolve();
};

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { listRecounts } from '../../db/reconciliation/read.ts';
import { confirmRecount } from '../../db/reconciliation/recounts.ts';
import { putRule, putUnit, ruleOf, type ReconciliationRule } from '../../db/reconciliation/rules.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { actorOf } from '../plugins/auth.ts';
import { Code, Nullable, OneOf, openResponses, Text, Timestamp } from '../schemas/common.ts';
import { locationFor } from './location.ts';
import { LIST } from './schema.ts';

const tags = ['reconciliation'];
const closed = { additionalProperties: false } as const;
const Rule = Type.Object({
  toleranceUnits: Type.Integer({ minimum: 0, maximum: 1_000_000 }), tolerancePercent: Type.Number({ minimum: 0, maximum: 100, description: 'of the expected units' }),
  windowS: Type.Integer({ minimum: 0, maximum: 86_400, description: 'movements this close to the count may be in it or not' }),
  pullEveryS: Nullable(Type.Integer({ minimum: 60, maximum: 31_536_000, description: 'how often the partner is asked for its stock; null: never' })),
}, closed);

/** What people answer and set: recounts, tolerances, units of measure. */
export const recountRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  const { network, writer, pool } = store;
  app.get('/v1/recounts', {
    config: { scope: 'stock:read' },
    schema: {
      summary: 'List what is to be counted again', tags, description: 'The oldest first; `next` is the `after` of the following page.',
      querystring: Type.Object({ location: Type.Optional(Code), status: Type.Optional(OneOf(['open', 'done'])), after: Type.Optional(LIST.after), limit: LIST.limit }, closed),
    },
  }, (request) => {
    const { location, status = null, after = 0, limit } = request.query;
    const locationId = location === undefined ? request.apiKey.locationId : locationFor(network, request.apiKey, location, '/querystring/location').id;
    return listRecounts(pool, { locationId, status, after, limit });
  });
  app.post('/v1/recounts/:id', {
    config: { scope: 'stock:write' },
    schema: {
      summary: 'Answer a recount', tags, response: openResponses,
      description: 'The book takes the figure (in base units), as of `countedAt` or of now. Reserved units that are gone make the youngest reservations short. The same figure again gives the same answer, another one is a 409.',
      params: Type.Object({ id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) }),
      body: Type.Object({ counted: Type.Integer({ minimum: 0, maximum: 1_000_000_000 }), countedAt: Type.Optional(Timestamp) }, closed),
    },
  }, (request) => confirmRecount(writer, request.params.id, request.apiKey.locationId, request.body, actorOf(request.apiKey)));

  app.get('/v1/reconciliation/rule', {
    config: { scope: 'stock:read' }, schema: { summary: 'Read how counts are judged', tags, querystring: Type.Object({ location: Type.Optional(Code) }, closed) },
  }, (request) => {
    const { location } = request.query;
    return ruleOf(pool, location === undefined ? request.apiKey.locationId : locationFor(network, request.apiKey, location, '/querystring/location').id);
  });
  app.put('/v1/reconciliation/rule', {
    config: { scope: 'stock:write' },
    schema: {
      summary: 'Set how counts are judged', tags, response: openResponses, body: Rule, querystring: Type.Object({ location: Type.Optional(Code) }, closed),
      description: 'A difference is booked when it is inside one of the tolerances; otherwise it is to be counted again. Without a location: for all that have no rule of their own.',
    },
  }, async (request) => {
    const { location } = request.query;
    if (location === undefined && request.apiKey.locationId !== null) throw new Problem('forbidden', 'this key belongs to one location: name it', '/querystring/location');
    const found = location === undefined ? null : locationFor(network, request.apiKey, location, '/querystring/location');
    await putRule(writer, found, request.body as ReconciliationRule);
    return { location: found?.code ?? null, ...(request.body as ReconciliationRule) };
  });
  app.put('/v1/skus/:code/units/:unit', {
    config: { scope: 'stock:write' },
    schema: {
      summary: 'Set a unit of measure', tags: ['stock'], response: openResponses, description: 'How many base units make one: counts may be in it, and a count that is off by just this factor is known as such.',
      params: Type.Object({ code: Code, unit: Text(64) }), body: Type.Object({ factor: Type.Integer({ minimum: 1, maximum: 1_000_000 }) }, closed),
    },
  }, async (request) => {
    const { code, unit } = request.params;
    if (request.apiKey.locationId !== null) throw new Problem('forbidden', 'units of measure are for all locations, and this key belongs to one');
    await network.loadSkus([code]);
    const sku = network.knownSku(code);
    if (!sku) throw new Problem('unknown_sku', `SKU "${code}" is not known`, '/params/code');
    await putUnit(pool, sku.id, unit, request.body.factor);
    return { sku: code, unit, factor: request.body.factor };
  });
  return Promise.resolve();
};

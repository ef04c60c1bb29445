import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { readPreferences } from '../../db/demand/preferences.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { headOffice } from '../network/head-office.ts';
import { OneOf, problemResponses } from '../schemas/common.ts';

const Day = Type.String({ format: 'date', description: 'business day, inclusive' });
const Row = Type.Object({
  value: Type.String(), group: Type.String(), units: Type.Number(), share: Type.Number({ description: 'of the group\'s units' }), expectedShare: Type.Number({ description: 'of all units' }),
  index: Type.Number({ description: 'share ÷ expected share' }), z: Type.Number({ description: 'adjusted residual; 0 where too few units were to be expected' }), p: Type.Number(), significant: Type.Boolean(),
});

/** What regions and channels prefer. Figures of the whole network. */
export const preferenceRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { pool } }) => {
  app.get('/v1/preferences', {
    config: { scope: 'stock:read' }, onRequest: headOffice,
    schema: {
      summary: 'What regions or channels prefer', tags: ['planning'],
      description: 'The share of each category or attribute value in a region (country/province) or channel against its share in all, with significance (adjusted residuals, overdispersed by baskets; Benjamini–Hochberg over all cells). The surest first; at most 2,000.',
      querystring: Type.Object({
        from: Day, to: Day, by: OneOf(['region', 'channel']), of: Type.String({ pattern: '^(category|attribute:[A-Za-z][A-Za-z0-9_]{0,39})$', description: 'category, or attribute:NAME' }),
        rate: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 0.5, default: 0.05, description: 'false discovery rate' })), significant: Type.Optional(Type.Boolean({ description: 'only those' })),
      }, { additionalProperties: false }),
      response: { 200: Type.Object({ units: Type.Number(), dispersion: Type.Number(), items: Type.Array(Row) }), ...problemResponses },
    },
  }, async (request) => {
    const { from, to, by, of, rate = 0.05, significant = false } = request.query;
    if (request.apiKey.locationId !== null) throw new Problem('forbidden', 'this key is bound to a location: these are figures of the whole network');
    if (to < from) throw new Problem('invalid', 'the days end before they begin', '/querystring/to');
    const answer = await readPreferences(pool, { from, to, by, of: of === 'category' ? { kind: 'category' } : { kind: 'attribute', name: of.slice('attribute:'.length) }, rate });
    return { ...answer, items: answer.items.filter((i) => !significant || i.significant).slice(0, 2_000) };
  });
  return Promise.resolve();
};

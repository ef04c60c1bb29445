import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { listShortages, type ShortageFilter, type ShortageView } from '../../db/read/shortages.ts';
import { Problem } from '../../domain/problem.ts';
import { SHORTAGE_ACTORS } from '../../domain/stock/shortage.ts';
import type { ApiDeps } from '../deps.ts';
import { Nullable, OneOf, problemResponses } from '../schemas/common.ts';
import { Next, paging } from '../schemas/paging.ts';

const At = Type.String({ format: 'date-time' });
const Shortage = Type.Object({
  id: Type.Integer(), order: Type.String(), channel: Type.String(), externalId: Type.String(), line: Type.Integer(), sku: Type.String({ description: 'as it was ordered' }), units: Type.Integer(),
  cause: Type.String({ description: 'unknown_sku, no_stock, stock_loss, short_pick, rejected:…, recalled, supply_variance, supply_cancelled, replaced, gift, resend' }),
  acts: OneOf(SHORTAGE_ACTORS, 'who can end it'), deadline: Type.Unsafe<string>({ ...At, description: 'until when the units are waited for' }), shipBy: Nullable(At), createdAt: At,
});

/** What is sold and not there. */
export const shortageRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { pool } }) => {
  app.get('/v1/shortages', {
    config: { scope: 'orders:read' },
    schema: {
      summary: 'List open shortages', tags: ['stock'], description: 'The nearest deadline first. New stock serves them before new sales, by promise date.',
      querystring: Type.Object({ sku: Type.Optional(Type.String({ maxLength: 64 })), acts: Type.Optional(OneOf(SHORTAGE_ACTORS)), ...paging }, { additionalProperties: false }),
      response: { 200: Type.Object({ shortages: Type.Array(Shortage), next: Next }), ...problemResponses },
    },
  }, async (request) => {
    const { sku = null, acts = null, after, limit = 50 } = request.query;
    const rows = await listShortages(pool, { sku, acts, after: after === undefined ? null : cursorOf(after), limit: limit + 1, onlyLocation: request.apiKey.locationId });
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return { shortages: page, next: rows.length > limit && last ? nextOf(last) : null };
  });
  return Promise.resolve();
};

const nextOf = (last: ShortageView): string => `${Date.parse(last.deadline)}-${last.id}`;

function cursorOf(after: string): NonNullable<ShortageFilter['after']> {
  const [, ms, id] = /^(\d{1,15})-(\d{1,15})$/.exec(after) ?? [];
  if (ms === undefined || id === undefined) throw new Problem('invalid', 'after must be the `next` of an earlier page of this list', '/querystring/after');
  return { deadline: new Date(Number(ms)), id: Number(id) };
}

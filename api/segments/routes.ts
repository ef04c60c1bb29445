import type { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { csvMembers, ndjsonMembers } from './rows.ts';
import { importMembers } from '../../db/segments/import.ts';
import { listSegments } from '../../db/segments/read.ts';
import { MEMBER_COLUMNS } from '../../domain/segment/member.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { Code, openResponses } from '../schemas/common.ts';

const tags = ['campaigns'];
const closed = { additionalProperties: false } as const;

/** Segments of members (会员分群) that campaigns write to. */
export const segmentRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { writer, vault, pool } }) => {
  // The body is read by the handler, however long it is.
  app.addContentTypeParser(['application/x-ndjson', 'text/csv'], (_request, payload, done) => { done(null, payload); });

  app.post('/v1/segments/:code/members', {
    bodyLimit: Number.MAX_SAFE_INTEGER, config: { scope: 'orders:operate' },
    schema: {
      summary: 'Import members of a segment', tags, consumes: ['text/csv', 'application/x-ndjson'], response: openResponses, params: Type.Object({ code: Code }),
      description: `CSV with a header, or one JSON object a line: ${MEMBER_COLUMNS.join(', ')}; one of phone, email and wecom is needed, \`consent\` (yes or no) is to offers. Lines that cannot be used are counted, the first 100 `
        + 'with their reason, and the others go on. The same list again adds nobody. Members are sealed in the vault and shown to nobody.',
    },
  }, async (request) => {
    if (request.apiKey.locationId !== null) throw new Problem('forbidden', 'this key is bound to a location: the head office keeps members');
    const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
    if (type !== 'application/x-ndjson' && type !== 'text/csv') throw new Problem('unsupported_media_type', 'send text/csv or application/x-ndjson', '/headers/Content-Type');
    const body = request.body as Readable;
    return importMembers(writer, vault, request.params.code, type === 'text/csv' ? csvMembers(body) : ndjsonMembers(body));
  });

  app.get('/v1/segments', {
    config: { scope: 'orders:read' },
    schema: {
      summary: 'List segments and how many members they have', tags, response: openResponses,
      querystring: Type.Object({ after: Type.Optional(Code), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })) }, closed),
    },
  }, async (request) => {
    const { after = null, limit = 50 } = request.query;
    const items = await listSegments(pool, after, limit);
    return { items, next: items.length === limit ? items.at(-1)?.code ?? null : null };
  });
  return Promise.resolve();
};

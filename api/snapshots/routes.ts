import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { bodyHash } from '../../db/capture/prepare.ts';
import type { LocationKind } from '../../db/network.ts';
import { readAccuracy, readSnapshot, listSnapshots } from '../../db/reconciliation/read.ts';
import { stageSnapshot, type SnapshotHead } from '../../db/reconciliation/stage-snapshot.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { Code, OneOf, openResponses, Timestamp } from '../schemas/common.ts';
import { locationFor } from './location.ts';
import { csvRows, ndjsonRows, SNAPSHOT_COLUMNS } from './rows.ts';
import { LIST, SnapshotId, SnapshotLines, Source } from './schema.ts';

const tags = ['reconciliation'];
const closed = { additionalProperties: false } as const;
/** Who usually counts at a location of each kind. */
const SOURCE: Record<LocationKind, SnapshotHead['source']> = { warehouse: 'wms', store: 'pos', dealer: 'dealer', third_party: 'third_party', vendor: 'third_party' };
const REFUSALS = 'The same id with the same body gives the same answer; another body is a 409, and so is a snapshot taken before the last full one that was processed. One from the future is a 422.';

export const snapshotRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  const { network, writer, pool } = store;
  // The body is read by the handler, however long it is.
  app.addContentTypeParser(['application/x-ndjson', 'text/csv'], (_request, payload, done) => { done(null, payload); });

  app.post('/v1/snapshots', {
    config: { scope: 'stock:write' },
    schema: {
      summary: 'Tell what a location has counted', tags, response: openResponses,
      description: `Up to 2,000 lines. \`full\` tells of all SKUs of the location (what is missing counts as 0, in the conditions that it tells of), \`delta\` only of some. ${REFUSALS}`,
      body: Type.Object({ location: Code, id: SnapshotId, kind: OneOf(['full', 'delta']), takenAt: Timestamp, source: Type.Optional(Source), lines: SnapshotLines }, closed),
    },
  }, async (request) => {
    const { location: code, id, kind, takenAt, source, lines } = request.body;
    const location = locationFor(network, request.apiKey, code, '/location');
    const rows = Readable.from(lines.map((l, i) => ({ line: i + 1, sku: l.sku, condition: l.condition ?? 'sellable' as const, quantity: l.quantity, unit: l.unit ?? null, lot: l.lot ?? null })));
    const head: SnapshotHead = { locationId: location.id, location: location.code, id, kind, source: source ?? SOURCE[location.kind], origin: 'api', takenAt: new Date(takenAt) };
    return stageSnapshot(writer, head, { rows, hash: () => bodyHash(request.body), strict: true });
  });

  app.post('/v1/snapshots/import', {
    bodyLimit: Number.MAX_SAFE_INTEGER, config: { scope: 'stock:write' },
    schema: {
      summary: 'Upload a snapshot of any length', tags, consumes: ['text/csv', 'application/x-ndjson'], response: openResponses,
      description: `CSV with a header, or one JSON object a line: ${SNAPSHOT_COLUMNS.join(', ')}; \`sku\` and \`quantity\` are needed. Lines that cannot be used are counted, the first 100 with their reason, and the others go on; `
        + `a full snapshot with such lines does not take missing SKUs for 0. ${REFUSALS}`,
      querystring: Type.Object({ location: Code, id: SnapshotId, kind: OneOf(['full', 'delta']), takenAt: Timestamp, source: Type.Optional(Source) }, closed),
    },
  }, async (request) => {
    const { location: code, id, kind, takenAt, source } = request.query;
    const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
    if (type !== 'application/x-ndjson' && type !== 'text/csv') throw new Problem('unsupported_media_type', 'send text/csv or application/x-ndjson', '/headers/Content-Type');
    const location = locationFor(network, request.apiKey, code, '/querystring/location');
    const hash = createHash('sha256').update(type);
    const body = Readable.from(hashed(request.body as Readable, (chunk) => hash.update(chunk)));
    const head: SnapshotHead = { locationId: location.id, location: location.code, id, kind, source: source ?? SOURCE[location.kind], origin: 'import', takenAt: new Date(takenAt) };
    return stageSnapshot(writer, head, { rows: type === 'text/csv' ? csvRows(body) : ndjsonRows(body), hash: () => hash.digest(), strict: false });
  });

  app.get('/v1/snapshots', {
    config: { scope: 'stock:read' },
    schema: {
      summary: 'List snapshots', tags, description: 'The newest first; `next` is the `before` of the following page. `counts` says the lines and units of each class once it is done.',
      querystring: Type.Object({ location: Type.Optional(Code), status: Type.Optional(OneOf(['staged', 'comparing', 'refused', 'done'])), before: Type.Optional(LIST.after), limit: LIST.limit }, closed),
    },
  }, (request) => {
    const { location, status = null, before = null, limit } = request.query;
    const locationId = location === undefined ? request.apiKey.locationId : locationFor(network, request.apiKey, location, '/querystring/location').id;
    return listSnapshots(pool, { locationId, status, before, limit });
  });

  app.get('/v1/snapshots/:location/:id', {
    config: { scope: 'stock:read' },
    schema: {
      summary: 'Read a snapshot and its variances', tags, description: 'Lines that are no match, or those of one class; `next` is the `after` of the following page.',
      params: Type.Object({ location: Code, id: SnapshotId }),
      querystring: Type.Object({
        class: Type.Optional(OneOf(['match', 'timing', 'in_flight', 'unit_of_measure', 'unknown_sku', 'superseded', 'loss', 'gain'])), after: Type.Integer({ minimum: 0, maximum: 2_147_483_647, default: 0 }), limit: LIST.limit,
      }, closed),
    },
  }, async (request) => {
    const { params: { location: code, id }, query: { class: of = null, after, limit } } = request;
    const location = locationFor(network, request.apiKey, code, '/params/location');
    const snapshot = await readSnapshot(pool, location.id, id, { class: of, after, limit });
    if (!snapshot) throw new Problem('not_found', `snapshot "${id}" of location "${code}" is not known`, '/params/id');
    return { ...snapshot, accuracy: await readAccuracy(pool, location.id) };
  });
  return Promise.resolve();
};

async function* hashed(stream: Readable, update: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    update(chunk);
    yield chunk;
  }
}


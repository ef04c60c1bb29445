import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type } from '@sinclair/typebox';
import type { ApiKey, Location } from '../../db/network.ts';
import { bookReceipt, type TillReceipt } from '../../db/tills/book-receipt.ts';
import { tillReceipts } from '../../db/tills/read.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { actorOf } from '../plugins/auth.ts';
import { fieldOf, reasonOf, toProblem } from '../plugins/problems.ts';
import { Code, problemResponses, Timestamp } from '../schemas/common.ts';
import { readTillCsv, TILL_COLUMNS } from './csv.ts';
import { ImportAnswer, ReceiptsAnswer, ReceiptsBody, ReceiptsView, TillReceiptSchema } from './schema.ts';

const tags = ['tills'];
type Result = { status: number; receiptNo?: string; voided?: boolean; unbacked?: number; shortened?: number; unknown?: { line: number; sku: string }[]; problem?: { code: string; detail: string; field?: string } };
type Validate = ((value: unknown) => boolean) & { errors?: Parameters<typeof fieldOf>[0][] | null };

/** Sales of shops' tills: facts that have happened, booked with their stock. */
export const tillRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store, logger }) => {
  const { network, writer, pool } = store;
  app.addContentTypeParser('text/csv', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body); });

  function locationOf(key: ApiKey, code: string): Location {
    const location = network.locations.get(code);
    if (!location || (key.locationId !== null && key.locationId !== location.id)) throw new Problem('unknown_location', `location "${code}" is not known`, '/location');
    return location;
  }

  /** One receipt by itself: what is wrong with it is its answer, and the others go on. */
  async function book(request: FastifyRequest, given: unknown, validate: Validate): Promise<Result> {
    const receiptNo = typeof given === 'object' && given !== null && 'receiptNo' in given && typeof given.receiptNo === 'string' ? { receiptNo: given.receiptNo } : {};
    try {
      if (!validate(given)) {
        const first = validate.errors?.[0];
        throw new Problem('invalid', first ? reasonOf(first) : 'the receipt is wrong', first ? fieldOf(first) : null);
      }
      const receipt = given as TillReceipt;
      const { repeated, ...answer } = await bookReceipt(writer, network, locationOf(request.apiKey, receipt.location).id, receipt, actorOf(request.apiKey));
      return { status: repeated ? 200 : 201, ...receiptNo, ...answer };
    } catch (error) {
      const problem = toProblem(error as Error);
      if (problem.code === 'internal') logger.error({ err: error }, 'a till receipt failed');
      return { status: problem.status, ...receiptNo, problem: { code: problem.code, detail: problem.message, ...(problem.field === null ? {} : { field: problem.field }) } };
    }
  }
  const validator = (request: FastifyRequest): Validate => request.compileValidationSchema(TillReceiptSchema, 'body') as unknown as Validate;

  app.post('/v1/tills/receipts', {
    config: { scope: 'stock:write' },
    schema: {
      summary: 'Book receipts of tills', tags, body: ReceiptsBody, response: { 200: ReceiptsAnswer, ...problemResponses },
      description: 'Sales, returns and voids that have happened. Each by itself, in the order given; once by location, till and receiptNo, however often and late it comes. Stock of the shop is posted with it.',
    },
  }, async (request) => {
    const validate = validator(request);
    const results: Result[] = [];
    for (const receipt of request.body.receipts) results.push(await book(request, receipt, validate));
    return { results };
  });

  app.post('/v1/tills/receipts/import', {
    bodyLimit: 32 * 1_048_576, config: { scope: 'stock:write' },
    schema: {
      summary: 'Book receipts of tills from a CSV file', tags, consumes: ['text/csv'], response: { 200: ImportAnswer, ...problemResponses },
      description: `One line of a receipt a row, rows of one receipt together; columns ${TILL_COLUMNS.join(', ')}. UTF-8, money in minor units. Wrong rows are reported and the others go on; a file sent again books nothing twice.`,
    },
  }, async (request) => {
    if (!Buffer.isBuffer(request.body)) throw new Problem('unsupported_media_type', 'send text/csv', '/headers/Content-Type');
    const validate = validator(request);
    const counts = { rows: 0, receipts: 0, booked: 0, repeated: 0, failed: 0 };
    const results: (Result & { row: number })[] = [];
    for (const record of await readTillCsv(request.body)) {
      const result: Result = record.wrong === null ? await book(request, record.receipt, validate) : { status: 400, problem: { code: 'malformed', detail: record.wrong } };
      counts.rows += record.rows;
      counts.receipts += 1;
      counts[result.status === 201 ? 'booked' : result.status === 200 ? 'repeated' : 'failed'] += 1;
      if (result.problem || (result.unbacked ?? 0) > 0 || (result.shortened ?? 0) > 0 || (result.unknown ?? []).length > 0) results.push({ row: record.row, ...result });
    }
    return { ...counts, results };
  });

  app.get('/v1/tills/receipts', {
    config: { scope: 'stock:read' },
    schema: {
      summary: "List a shop's receipts", tags, response: { 200: ReceiptsView, ...problemResponses },
      querystring: Type.Object({
        location: Code, since: Type.Unsafe<string>({ ...Timestamp }), open: Type.Optional(Type.Boolean({ description: 'only those with units that were not on hand or SKUs that are not known' })),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
      }),
    },
  }, async (request) => {
    const { location, since, open, limit } = request.query;
    const rows = await tillReceipts(pool, locationOf(request.apiKey, location).id, new Date(since), open ?? false, limit ?? 100);
    return { items: rows.map((r) => ({ ...r, soldAt: r.soldAt.toISOString() })) };
  });
  return Promise.resolve();
};

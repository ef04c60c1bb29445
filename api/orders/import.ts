import { PassThrough, type Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Store } from '../../db/store.ts';
import type { ApiKey } from '../../db/network.ts';
import type { OrderIntake } from '../../domain/order/intake.ts';
import { Problem } from '../../domain/problem.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { ApiDeps } from '../deps.ts';
import { fieldOf, reasonOf, toProblem } from '../plugins/problems.ts';
import { captureOne } from './capture.ts';
import { CSV_COLUMNS, readCsv } from './import-csv.ts';
import { readNdjson, type ImportRecord } from './import-lines.ts';
import { OrderIntakeSchema } from './schema.ts';

/** Orders on their way to the database at once: a few full batches. */
const IN_FLIGHT = 400;
const PROGRESS_EVERY = 1_000;
const PROGRESS_MS = 1_000;

type Invalid = Parameters<typeof fieldOf>[0];
type Validate = ((order: unknown) => boolean) & { errors?: Invalid[] | null };
type Counts = { lines: number; orders: number; captured: number; repeated: number; failed: number };

/** Captures every record, reports each bad one with its line; writes NDJSON to `out` and waits where the reader is slow. */
async function runImport(store: Store, key: ApiKey, records: AsyncIterable<ImportRecord>, validate: Validate, out: PassThrough, logger: Logger): Promise<void> {
  const counts: Counts = { lines: 0, orders: 0, captured: 0, repeated: 0, failed: 0 };
  const say = async (message: Record<string, unknown>): Promise<void> => {
    // A client that has left reads no more: nothing would ever drain.
    if (out.destroyed || out.write(`${JSON.stringify(message)}\n`)) return;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        out.off('drain', go).off('close', go);
        resolve();
      };
      out.on('drain', go).on('close', go);
    });
  };
  const fail = (line: number, reason: string, code: string, field: string | null): Promise<void> => {
    counts.failed++;
    return say({ type: 'error', line, code, reason, ...(field === null ? {} : { field }) });
  };
  const capture = async (line: number, intake: OrderIntake, before: Promise<void> | undefined): Promise<void> => {
    await before;
    try {
      const outcome = await captureOne(store, key, intake, null);
      if ('problem' in outcome) await fail(line, outcome.problem.message, outcome.problem.code, outcome.problem.field);
      else if (outcome.repeated) counts.repeated++;
      else counts.captured++;
    } catch (error) {
      const problem = toProblem(error as Error);
      if (problem.code === 'internal') logger.error({ err: error, line }, 'an imported order failed');
      await fail(line, problem.message, problem.code, problem.field);
    }
  };
  // Of two bodies for one order the earlier one in the file is captured: the later waits for it.
  const under = new Map<string, Promise<void>>();
  const one = async (record: ImportRecord): Promise<void> => {
    if ('error' in record) return fail(record.line, record.error, 'malformed', null);
    if (!validate(record.order)) {
      const first = validate.errors?.[0];
      return fail(record.line, first ? reasonOf(first) : 'the order is wrong', 'invalid', first ? fieldOf(first) : null);
    }
    const intake = record.order as OrderIntake;
    const name = `${intake.channel}\n${intake.externalId}`;
    const work = capture(record.line, intake, under.get(name));
    under.set(name, work);
    await work;
    if (under.get(name) === work) under.delete(name);
  };
  const running = new Set<Promise<void>>();
  let said = performance.now();
  try {
    for await (const record of records) {
      counts.lines += record.lines;
      counts.orders += 1;
      const work: Promise<void> = one(record).finally(() => running.delete(work));
      running.add(work);
      if (running.size >= IN_FLIGHT) await Promise.race(running);
      if (counts.orders % PROGRESS_EVERY !== 0 && performance.now() - said < PROGRESS_MS) continue;
      said = performance.now();
      await say({ type: 'progress', ...counts });
    }
  } finally {
    // Also where the upload breaks off: what is on its way is told before the end.
    await Promise.all(running);
  }
  await say({ type: 'summary', ...counts });
}

export const importRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store, logger }) => {
  // The body is read by the handler, however long it is.
  app.addContentTypeParser(['application/x-ndjson', 'text/csv'], (_request, payload, done) => { done(null, payload); });
  app.post('/v1/orders/import', {
    bodyLimit: Number.MAX_SAFE_INTEGER, config: { scope: 'orders:write' },
    schema: {
      summary: 'Import orders of any number', tags: ['orders'], consumes: ['application/x-ndjson', 'text/csv'], produces: ['application/x-ndjson'],
      description: `NDJSON: one order (as for POST /v1/orders) a line. CSV: one order line a row, rows of one order together; columns ${CSV_COLUMNS.join(', ')}. `
        + 'Rows after the first may leave out what is said of the whole order, but not say otherwise. UTF-8, a line up to 1 MiB. The answer is NDJSON while it runs: `error` for each bad line (line, code, reason, field), `progress` now and then, `summary` at the end. Good lines go on. Sending a file again captures nothing twice.',
    },
  }, async (request, reply) => {
    const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
    if (type !== 'application/x-ndjson' && type !== 'text/csv') throw new Problem('unsupported_media_type', 'send application/x-ndjson or text/csv', '/headers/Content-Type');
    const body = request.body as Readable;
    const validate = request.compileValidationSchema(OrderIntakeSchema, 'body') as unknown as Validate;
    const out = new PassThrough();
    runImport(store, request.apiKey, type === 'text/csv' ? readCsv(body) : readNdjson(body), validate, out, logger).then(() => out.end(), (error: Error) => {
      logger.error({ err: error, requestId: request.id }, 'import broken off');
      out.end(`${JSON.stringify({ type: 'error', code: toProblem(error).code, reason: 'the import was broken off; send the file again: nothing is captured twice' })}\n`);
    });
    return reply.type('application/x-ndjson').send(out);
  });
  return Promise.resolve();
};

import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { decodeSecret, verify } from './signing.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** False on the routes that nobody signs: control, and the hand-over of a parcel. */
    signed?: boolean;
  }
}

/** An error with the status and code it is answered with. */
export class HttpError extends Error {
  readonly statusCode: number;
  readonly code: string;
  constructor(statusCode: number, code: string, message: string) {
    super(message);
    this.statusCode = statusCode;
    this.code = code;
  }
}

/**
 * A Fastify server that takes every body as raw bytes, checks the signature over them (401), and parses only then (400).
 * Routes with `config: {signed: false}` are not checked. Errors answer `{code, message}`.
 * @param secret `whsec_BASE64`
 * @throws {Error} when the secret cannot be read.
 */
export function createServer(secret: string): FastifyInstance {
  const key = decodeSecret(secret);
  const app = Fastify({
    logger: false,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 500 },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false, allowUnionTypes: true } },
  });

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  app.addHook('preValidation', async (request) => {
    if (request.is404) return;
    const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    if (request.routeOptions.config.signed !== false) checkSignature(request, raw);
    if (request.method !== 'GET') request.body = raw.length === 0 ? {} : parse(raw);
  });

  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, _request, reply) => {
    const status = error.statusCode ?? 500;
    void reply.status(status).send({ code: error.code ?? 'internal_error', message: error.message });
  });
  app.setNotFoundHandler((_request, reply) => {
    void reply.status(404).send({ code: 'not_found', message: 'no such route' });
  });
  app.get('/_control/health', { config: { signed: false } }, () => ({ status: 'ok' }));
  return app;

  function checkSignature(request: FastifyRequest, raw: Buffer): void {
    const verdict = verify(
      key,
      {
        id: header(request, 'webhook-id'),
        timestamp: header(request, 'webhook-timestamp'),
        signature: header(request, 'webhook-signature'),
      },
      raw,
      Math.floor(Date.now() / 1000),
    );
    if (!verdict.ok) throw new HttpError(401, 'bad_signature', verdict.reason);
  }
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function parse(raw: Buffer): unknown {
  try {
    return JSON.parse(raw.toString('utf8')) as unknown;
  } catch {
    throw new HttpError(400, 'bad_json', 'the body is not JSON');
  }
}

import { pino, stdSerializers } from 'pino';
import type { DestinationStream, Logger } from 'pino';

export type { Logger } from 'pino';

/** Keys whose values never reach a log: credentials, and what identifies a person (DESIGN 3: people live in the vault). */
const hidden = new Set([
  'authorization', 'cookie', 'set-cookie', 'x-api-key', 'apikey', 'secret', 'password', 'token', 'vaultkey', 'webhook-signature',
  'phone', 'mobile', 'email', 'street', 'postcode', 'shipto', 'billto', 'recipient', 'address', 'party', 'person', 'customer',
  'firstname', 'lastname', 'fullname', 'buyerremark', 'sellerremark', 'identitynumber',
]);
const censored = '[redacted]';
const maxDepth = 8;

/** A copy of plain data with hidden keys censored at any depth; class instances stay as they are (serializers see to them). */
function redact(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > maxDepth) return '[deep]';
  if (Array.isArray(value)) return value.map((entry) => redact(entry, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, hidden.has(key.toLowerCase()) ? censored : redact(entry, depth + 1)]),
  );
}

/** PostgreSQL repeats the offending row in `detail` and `where`, and drivers keep parameters: those may hold a person. */
const unsafeErrorFields = ['detail', 'where', 'parameters', 'bindings', 'query', 'internalQuery'];

function serializeError(error: Error): unknown {
  const { raw: _raw, ...plain } = stdSerializers.err(error) as unknown as Record<string, unknown>;
  for (const field of unsafeErrorFields) delete plain[field];
  return redact(plain, 0);
}

/** A query string can hold a phone number that was searched for, so only the path is logged. */
function serializeRequest(request: { id?: unknown; method?: unknown; url?: unknown }): unknown {
  const url = typeof request.url === 'string' ? request.url.split('?', 1)[0] : undefined;
  return { id: request.id, method: request.method, url };
}

/**
 * A pino logger writing JSON lines to stdout (or `destination`); credentials and personal fields are censored.
 * @param name the process: `api`, `worker`, …
 */
export function createLogger(name: string, level = 'info', destination?: DestinationStream): Logger {
  const options = {
    name,
    level,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (entry: Record<string, unknown>) => redact(entry, 0) as Record<string, unknown>,
    },
    serializers: { err: serializeError, error: serializeError, req: serializeRequest },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

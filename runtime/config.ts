import { Type } from '@sinclair/typebox';
import type { Static, TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';

const port = (fallback: number, what: string) =>
  Type.Integer({ minimum: 0, maximum: 65535, default: fallback, description: `${what}, a port from 0 (any free one) to 65535` });
const count = (fallback: number, minimum: number, maximum: number, what: string) =>
  Type.Integer({ minimum, maximum, default: fallback, description: `${what}, a whole number from ${minimum} to ${maximum}` });

/** Every setting of the API and the worker, by the name of its environment variable. */
export const settingsSchema = Type.Object({
  DATABASE_URL: Type.String({ pattern: '^postgres(ql)?://.+', secret: true, description: 'the PostgreSQL connection, postgres://user:password@host:port/database' }),
  TEMPORAL_ADDRESS: Type.String({ pattern: '^[^\\s/]+:\\d{1,5}$', default: '127.0.0.1:7233', description: "Temporal's frontend, host:port" }),
  TEMPORAL_NAMESPACE: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]+$', default: 'tributary', description: 'a Temporal namespace' }),
  TASK_QUEUE: Type.String({ pattern: '^\\S+$', default: 'orders', description: 'the task queue of the order workflows' }),
  API_HOST: Type.String({ pattern: '^\\S+$', default: '127.0.0.1', description: 'the address the API listens on' }),
  API_PORT: port(8080, 'where the API listens'),
  WORKER_METRICS_PORT: port(9464, 'where the worker serves its metrics'),
  LOG_LEVEL: Type.Union(
    (['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const).map((level) => Type.Literal(level)),
    { default: 'info', description: 'one of fatal, error, warn, info, debug, trace, silent' },
  ),
  VAULT_KEY: Type.String({ pattern: '^[A-Za-z0-9+/]{43}=$', secret: true, description: 'the key of the personal-data vault: base64 of exactly 32 bytes' }),
  WRITER_BATCH: count(200, 1, 5000, 'how many captures share one transaction'),
  DB_POOL: count(10, 1, 500, 'database connections of this process'),
  RELAY_POLL_MS: count(1000, 10, 60_000, 'milliseconds between two looks at the outbox when nothing woke it'),
  BODY_LIMIT: count(1_048_576, 1024, 268_435_456, 'largest request body in bytes'),
  MAX_CACHED_WORKFLOWS: count(500, 2, 100_000, 'workflows a worker keeps in memory'),
  BUILD_ID: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$', description: 'the version of this code as Temporal knows it; without it workers are not versioned' })),
  DEPLOYMENT_NAME: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$', default: 'tributary', description: 'the worker deployment whose versions the build ids are' }),
  WEBHOOK_NETWORK: Type.Union([Type.Literal('public'), Type.Literal('any')], { default: 'public', description: 'where webhooks may go: public (https to public addresses) or any (http and inner addresses too: tests and closed networks)' }),
  PUBLIC_URL: Type.Optional(Type.String({ pattern: '^https?://\\S+$', description: 'the address partners reach the API under, http(s)://…' })),
});

type Settings = Static<typeof settingsSchema>;

/** The settings of one process; names follow the environment variables. */
export interface Config {
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly temporalNamespace: string;
  readonly taskQueue: string;
  readonly apiHost: string;
  readonly apiPort: number;
  readonly workerMetricsPort: number;
  readonly logLevel: Settings['LOG_LEVEL'];
  /** 32 bytes, decoded. */
  readonly vaultKey: Buffer;
  readonly writerBatch: number;
  readonly dbPool: number;
  readonly relayPollMs: number;
  readonly bodyLimit: number;
  readonly maxCachedWorkflows: number;
  readonly buildId?: string;
  readonly deploymentName: string;
  readonly webhookNetwork: Settings['WEBHOOK_NETWORK'];
  readonly publicUrl?: string;
}

/** Settings are missing or wrong; the message has one line for each, without the values of secrets. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** An environment variable is text: whole numbers are read where the schema wants them; empty means not set. */
function read(schema: TSchema, raw: string | undefined): unknown {
  const text = raw?.trim();
  if (text === undefined || text === '') return schema.default;
  return schema['type'] === 'integer' && /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}

/**
 * Reads and checks all settings from environment variables.
 * @throws ConfigError naming every setting that is missing or wrong, not just the first.
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const settings: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, schema] of Object.entries<TSchema>(settingsSchema.properties)) {
    const value = read(schema, env[name]);
    if (value !== undefined) {
      settings[name] = value;
      if (Value.Check(schema, value)) continue;
      const shown = schema['secret'] === true ? 'its value' : JSON.stringify(value);
      problems.push(`${name}: ${shown} is not ${schema.description ?? 'valid'}`);
    } else if ((settingsSchema.required as readonly string[] | undefined)?.includes(name) === true) {
      problems.push(`${name} is missing: ${schema.description ?? 'required'}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  const s = Value.Decode(settingsSchema, settings);
  return Object.freeze({
    databaseUrl: s.DATABASE_URL,
    temporalAddress: s.TEMPORAL_ADDRESS,
    temporalNamespace: s.TEMPORAL_NAMESPACE,
    taskQueue: s.TASK_QUEUE,
    apiHost: s.API_HOST,
    apiPort: s.API_PORT,
    workerMetricsPort: s.WORKER_METRICS_PORT,
    logLevel: s.LOG_LEVEL,
    vaultKey: Buffer.from(s.VAULT_KEY, 'base64'),
    writerBatch: s.WRITER_BATCH,
    dbPool: s.DB_POOL,
    relayPollMs: s.RELAY_POLL_MS,
    bodyLimit: s.BODY_LIMIT,
    maxCachedWorkflows: s.MAX_CACHED_WORKFLOWS,
    deploymentName: s.DEPLOYMENT_NAME,
    webhookNetwork: s.WEBHOOK_NETWORK,
    ...(s.BUILD_ID === undefined ? {} : { buildId: s.BUILD_ID }),
    ...(s.PUBLIC_URL === undefined ? {} : { publicUrl: s.PUBLIC_URL }),
  });
}

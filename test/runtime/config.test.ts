import { expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../runtime/config.ts';

const key = Buffer.alloc(32, 7).toString('base64');
const required = { DATABASE_URL: 'postgres://u:p@127.0.0.1:5432/tributary', VAULT_KEY: key };

it('fills in the defaults', () => {
  const config = loadConfig(required);
  expect(config).toEqual({
    databaseUrl: required.DATABASE_URL, temporalAddress: '127.0.0.1:7233', temporalNamespace: 'tributary', taskQueue: 'orders',
    apiHost: '127.0.0.1', apiPort: 8080, workerMetricsPort: 9464, logLevel: 'info', vaultKey: Buffer.alloc(32, 7),
    writerBatch: 200, dbPool: 10, relayPollMs: 1000, bodyLimit: 1_048_576, maxCachedWorkflows: 500, deploymentName: 'tributary', webhookNetwork: 'public',
  });
  expect(Object.isFrozen(config)).toBe(true);
});

it('reads what is set; empty and blank mean not set', () => {
  expect(loadConfig({ ...required, API_PORT: '0', LOG_LEVEL: 'debug', PUBLIC_URL: 'https://oms.example/', DB_POOL: '  ', TASK_QUEUE: '' }))
    .toMatchObject({ apiPort: 0, logLevel: 'debug', publicUrl: 'https://oms.example/', dbPool: 10, taskQueue: 'orders' });
});

it('names every missing setting', () => {
  const read = (): unknown => loadConfig({});
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(`The configuration is not usable:
  - DATABASE_URL is missing: the PostgreSQL connection, postgres://user:password@host:port/database
  - VAULT_KEY is missing: the key of the personal-data vault: base64 of exactly 32 bytes`);
});

it('names every wrong setting, and no secret value', () => {
  let problems: readonly string[] = [];
  try {
    loadConfig({ DATABASE_URL: 'mysql://u:hunter2@h/d', VAULT_KEY: 'c2hvcnQ=', API_PORT: '80.5', DB_POOL: '0', LOG_LEVEL: 'loud', TEMPORAL_ADDRESS: 'nowhere', BODY_LIMIT: '1e9' });
  } catch (error) {
    problems = (error as ConfigError).problems;
  }
  expect(problems).toEqual([
    'DATABASE_URL: its value is not the PostgreSQL connection, postgres://user:password@host:port/database',
    'TEMPORAL_ADDRESS: "nowhere" is not Temporal\'s frontend, host:port',
    'API_PORT: "80.5" is not where the API listens, a port from 0 (any free one) to 65535',
    'LOG_LEVEL: "loud" is not one of fatal, error, warn, info, debug, trace, silent',
    'VAULT_KEY: its value is not the key of the personal-data vault: base64 of exactly 32 bytes',
    'DB_POOL: 0 is not database connections of this process, a whole number from 1 to 500',
    'BODY_LIMIT: "1e9" is not largest request body in bytes, a whole number from 1024 to 268435456',
  ]);
});

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createApiKey, hashApiKey, SCOPES } from '../../db/api-keys.ts';
import type { Scope } from '../../db/api-keys.ts';
import { migrate } from '../../db/migrate.ts';
import { createPool } from '../../db/pool.ts';
import { PLATFORMS, type PlatformName } from '../demo/network.ts';
import { bootstrapTemporal } from '../../runtime/temporal-bootstrap.ts';
import { demoState, KeptPorts, newPartnerSecret, readKeys, setDemoState, vaultKey, writeKeys } from './kept.ts';
import type { DemoState, Keys } from './kept.ts';
import { startPostgres } from './postgres.ts';
import { signal } from './process.ts';
import { stopOrphans, supervise } from './supervisor.ts';
import type { SupervisedChild } from './supervisor.ts';
import { findTemporal, startTemporal } from './temporal.ts';

/** The whole system stops in this order, whatever the order it came up in. */
const stopOrder = ['API', 'worker', 'simulators', 'Temporal', 'PostgreSQL'] as const;
type Part = (typeof stopOrder)[number];
/** Partners of the demo that keep their state between runs. */
const SIMULATORS = ['wms', 'carrier', ...PLATFORMS] as const;
/** How much faster than they would platforms push again what was not acknowledged: five minutes are five seconds. */
const PUSHES_SPEED = '60';

export interface SystemOptions {
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly tell: (message: string) => void;
}

export interface PartnerUrls {
  readonly wmsUrl: string;
  readonly carrierUrl: string;
  /** where the platforms of the demo's channels are */
  readonly platformUrls: Readonly<Record<PlatformName, string>>;
}

/** The stop was asked for while the system was still coming up. */
export class Interrupted extends Error {}

/** PostgreSQL, Temporal, worker, API and simulators of one data directory, as `npm start` runs them. */
export class System {
  readonly #options: SystemOptions;
  readonly #ports: KeptPorts;
  readonly #running: { part: Part; stop: () => Promise<void>; force: () => void }[] = [];
  #stopping = false;
  #keys: Keys = {};
  apiUrl = '';
  uiUrl: string | undefined;
  /** The database had neither locations nor orders when we came. */
  isEmpty = false;
  databaseUrl = '';

  constructor(options: SystemOptions) {
    this.#options = options;
    this.#ports = new KeptPorts(options.dataDir, options.env, options.tell);
  }

  get adminKey(): string {
    return this.#keys.adminKey ?? '';
  }

  get partnerSecret(): string {
    return this.#keys.partnerSecret ?? '';
  }

  get demo(): DemoState {
    return demoState(this.#options.dataDir);
  }

  set demo(state: DemoState) {
    setDemoState(this.#options.dataDir, state);
  }

  /** PostgreSQL → Temporal → bootstrap → migrate → worker and API; resolves when the API answers. */
  async start(): Promise<void> {
    const { dataDir, env } = this.#options;
    await stopOrphans(join(dataDir, 'children'), this.#options.tell);
    const databaseUrl = await this.#startDatabase();
    this.#continue();
    const address = await this.#startTemporal();
    this.#continue();
    const namespace = env['TEMPORAL_NAMESPACE']?.trim() || 'tributary';
    await bootstrapTemporal(address, namespace);
    this.#continue();
    this.databaseUrl = databaseUrl;
    await migrate(databaseUrl);
    await this.#prepareKeys(databaseUrl);
    this.#continue();
    const apiPort = await this.#ports.take('api');
    const metricsPort = await this.#ports.take('workerMetrics');
    this.apiUrl = `http://localhost:${apiPort}`;
    const settings = {
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: namespace,
      VAULT_KEY: env['VAULT_KEY']?.trim() || vaultKey(dataDir),
      API_PORT: String(apiPort),
      WORKER_METRICS_PORT: String(metricsPort),
      PUBLIC_URL: env['PUBLIC_URL']?.trim() || this.apiUrl,
    };
    this.#child('worker', 'worker', 'workers/main.ts', settings);
    const api = this.#child('API', 'api', 'api/main.ts', settings);
    await this.#answers(api, `${this.apiUrl}/docs`);
  }

  /** The partners' servers, on the same ports and with their state files as in the run before. */
  async startSimulators(): Promise<PartnerUrls> {
    const url = async (name: 'wms' | 'carrier', key: string, more: Record<string, string> = {}): Promise<string> => {
      const port = await this.#ports.take(name);
      const child = this.#child('simulators', `simulator-${name}`, `simulators/${name}/main.ts`, {
        PORT: String(port), TRIBUTARY_URL: this.apiUrl, API_KEY: key, SECRET: this.partnerSecret,
        SPEED: this.#options.env['SPEED']?.trim() || '6000', SEED: this.#options.env['SEED']?.trim() || '1',
        STATE_FILE: this.#stateFile(name), ...more,
      });
      await this.#answers(child, `http://localhost:${port}/_control/health`);
      return `http://localhost:${port}`;
    };
    const platform = async (name: PlatformName): Promise<readonly [PlatformName, string]> => {
      const port = await this.#ports.take(name);
      const child = this.#child('simulators', `simulator-${name}`, `simulators/${name}/main.ts`, {
        PORT: String(port), SETTINGS: readFileSync(new URL(`../../simulators/${name}/account.json`, import.meta.url), 'utf8'), SPEED: PUSHES_SPEED, STATE_FILE: this.#stateFile(name),
      });
      await this.#answers(child, `http://localhost:${port}/_control/state`);
      return [name, `http://localhost:${port}`];
    };
    const parcels = async (): Promise<{ wmsUrl: string; carrierUrl: string }> => {
      const carrierUrl = await url('carrier', this.#keys.carrierKey ?? '');
      // The location hands parcels over to the carrier, so it must know where that is.
      return { wmsUrl: await url('wms', this.#keys.locationKey ?? '', { CARRIER_URL: carrierUrl }), carrierUrl };
    };
    const [urls, platforms] = await Promise.all([parcels(), Promise.all(PLATFORMS.map(platform))]);
    return { ...urls, platformUrls: Object.fromEntries(platforms) as PartnerUrls['platformUrls'] };
  }

  /** From now on `start()` goes no further; call `stop()` when it has settled. */
  interrupt(): void {
    this.#stopping = true;
  }

  /** API → worker → simulators → Temporal → PostgreSQL, each waited for; goes on when one fails, and throws at the end. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const failures: unknown[] = [];
    for (const part of stopOrder) {
      const results = await Promise.allSettled(this.#running.filter((entry) => entry.part === part).map((entry) => entry.stop()));
      for (const result of results) if (result.status === 'rejected') failures.push(result.reason);
    }
    this.#running.length = 0;
    if (failures.length > 0) throw new AggregateError(failures, `not everything stopped: ${failures.map(String).join('; ')}`);
  }

  /** At once and without waiting. PostgreSQL recovers at its next start. */
  force(): void {
    this.#stopping = true;
    for (const entry of this.#running) entry.force();
  }

  #stateFile(name: (typeof SIMULATORS)[number]): string {
    return join(this.#options.dataDir, `simulator-${name}.ndjson`);
  }

  #continue(): void {
    if (this.#stopping) throw new Interrupted();
  }

  async #startDatabase(): Promise<string> {
    const { dataDir, env, tell } = this.#options;
    const given = env['DATABASE_URL']?.trim();
    if (given !== undefined && given !== '') return given;
    const server = await startPostgres({ dataDir: join(dataDir, 'postgres'), port: this.#ports.preferred('postgres'), onMessage: tell });
    this.#running.push({ part: 'PostgreSQL', stop: () => server.stop(), force: () => {
      signal(server.pid, 'SIGQUIT');
    } });
    this.#ports.keep('postgres', server.port);
    tell(`PostgreSQL ${server.adopted ? 'was running' : 'runs'} on port ${server.port}`);
    return server.url;
  }

  async #startTemporal(): Promise<string> {
    const { dataDir, env, tell } = this.#options;
    const found = await findTemporal({ env, localDirectory: join(dataDir, 'bin'), onMessage: tell });
    if (found.kind === 'running') return found.address;
    const server = await startTemporal({
      binary: found.path, dataDir: join(dataDir, 'temporal'), onMessage: tell,
      port: this.#ports.preferred('temporal'), uiPort: this.#ports.preferred('temporalUi'),
    });
    this.#running.push({ part: 'Temporal', stop: () => server.stop(), force: () => {
      signal(server.pid, 'SIGKILL');
    } });
    this.#ports.keep('temporal', Number(server.address.split(':')[1]));
    this.uiUrl = server.uiUrl;
    if (server.uiUrl !== undefined) this.#ports.keep('temporalUi', Number(new URL(server.uiUrl).port));
    tell(`Temporal ${server.adopted ? 'was running' : `runs (${found.how})`} on ${server.address}`);
    return server.address;
  }

  /** Keys are kept in `keys.json`, but a new database doesn't know them: then they, and the demo's state, start over. */
  async #prepareKeys(databaseUrl: string): Promise<void> {
    const { dataDir } = this.#options;
    const pool = createPool(databaseUrl, 1);
    try {
      const keys = readKeys(dataDir);
      const known = async (key: string | undefined): Promise<boolean> =>
        key !== undefined && (await pool.query(`select from api_keys where key_hash = decode($1, 'hex')`, [hashApiKey(key)])).rowCount === 1;
      const make = async (name: string, scopes: readonly Scope[]): Promise<string> => (await createApiKey(pool, { name, scopes })).key;
      const found = await pool.query<{ empty: boolean }>('select not exists (select from locations) and not exists (select from orders) as empty');
      this.isEmpty = found.rows[0]?.empty ?? false;
      if (this.isEmpty && this.demo === 'loaded') {
        this.demo = 'none';
        for (const name of SIMULATORS) rmSync(this.#stateFile(name), { force: true });
      }
      if (!(await known(keys.adminKey))) keys.adminKey = await make('admin', SCOPES);
      if (!(await known(keys.locationKey))) keys.locationKey = await make('location simulator', ['fulfillment:write']);
      if (!(await known(keys.carrierKey))) keys.carrierKey = await make('carrier simulator', ['tracking:write']);
      keys.partnerSecret ??= newPartnerSecret();
      writeKeys(dataDir, keys);
      this.#keys = keys;
    } finally {
      await pool.end();
    }
  }

  #child(part: Part, name: string, script: string, env: Record<string, string>): SupervisedChild {
    this.#continue();
    const { dataDir, tell } = this.#options;
    const child = supervise({ name, script, env, logDirectory: join(dataDir, 'logs'), recordDirectory: join(dataDir, 'children'), onMessage: tell });
    this.#running.push({ part, stop: () => child.stop(), force: () => {
      child.kill();
    } });
    return child;
  }

  /** Until the child answers anything; it is restarted as often as it takes, so only a stop ends the wait early. */
  async #answers(child: SupervisedChild, url: string): Promise<void> {
    let slow = 0;
    for (;;) {
      this.#continue();
      const status = await fetch(url, { signal: AbortSignal.timeout(5000), redirect: 'manual' }).then((response) => response.status, () => 0);
      if (status > 0 && status < 500) return;
      slow += 1;
      if (slow % 300 === 0) this.#options.tell(`${child.name} does not answer yet at ${url}; its log is ${join(this.#options.dataDir, 'logs', `${child.name}.log`)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

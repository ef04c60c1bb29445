import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { PlatformName } from '../demo/network.ts';
import { freePort, readJson, writeFileAtomic } from './process.ts';

/** What `npm start` keeps about its demo between runs, in `keys.json` (mode 600). */
export interface Keys {
  adminKey?: string;
  locationKey?: string;
  carrierKey?: string;
  /** `whsec_BASE64` shared with the simulators. */
  partnerSecret?: string;
}

export function readKeys(dataDir: string): Keys {
  return readJson<Keys>(join(dataDir, 'keys.json')) ?? {};
}

export function writeKeys(dataDir: string, keys: Keys): void {
  writeFileAtomic(join(dataDir, 'keys.json'), `${JSON.stringify(keys, null, 2)}\n`);
}

export const newPartnerSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/** The vault's key, base64 of 32 bytes: made once. Without it the personal data of this data directory cannot be read. */
export function vaultKey(dataDir: string): string {
  const path = join(dataDir, 'vault.key');
  if (!existsSync(path)) writeFileAtomic(path, `${randomBytes(32).toString('base64')}\n`);
  chmodSync(path, 0o600);
  return readFileSync(path, 'utf8').trim();
}

/** How far the demo is, in `demo.json`: `loading` after an interrupted load, which is then repeated. */
export type DemoState = 'none' | 'loading' | 'loaded';

export function demoState(dataDir: string): DemoState {
  return readJson<{ state: DemoState }>(join(dataDir, 'demo.json'))?.state ?? 'none';
}

export function setDemoState(dataDir: string, state: DemoState): void {
  writeFileAtomic(join(dataDir, 'demo.json'), `${JSON.stringify({ state })}\n`);
}

export type PortName = 'api' | 'temporalUi' | 'temporal' | 'postgres' | 'workerMetrics' | 'wms' | 'carrier' | PlatformName;

/** The environment variable and the default of each port; 0: any free one. */
const ports: Record<PortName, { variable: string; fallback: number }> = {
  api: { variable: 'API_PORT', fallback: 8080 },
  temporalUi: { variable: 'TEMPORAL_UI_PORT', fallback: 8233 },
  temporal: { variable: 'TEMPORAL_PORT', fallback: 7233 },
  postgres: { variable: 'POSTGRES_PORT', fallback: 0 },
  workerMetrics: { variable: 'WORKER_METRICS_PORT', fallback: 9464 },
  wms: { variable: 'WMS_PORT', fallback: 0 },
  carrier: { variable: 'CARRIER_PORT', fallback: 0 },
  douyin: { variable: 'DOUYIN_PORT', fallback: 0 },
  kuaishou: { variable: 'KUAISHOU_PORT', fallback: 0 },
  shopify: { variable: 'SHOPIFY_PORT', fallback: 0 },
};

/** The ports of this data directory, kept in `ports.json` so that links, and partners' callbacks, stay true. */
export class KeptPorts {
  readonly #path: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #kept: Partial<Record<PortName, number>>;
  readonly #tell: (message: string) => void;

  constructor(dataDir: string, env: NodeJS.ProcessEnv, tell: (message: string) => void) {
    this.#path = join(dataDir, 'ports.json');
    this.#env = env;
    this.#tell = tell;
    this.#kept = readJson(this.#path) ?? {};
  }

  /** The port to try first: the environment's, the kept one, or the default. @throws Error when the variable is no port */
  preferred(name: PortName): number {
    const { variable, fallback } = ports[name];
    const text = this.#env[variable]?.trim();
    if (text === undefined || text === '') return this.#kept[name] ?? fallback;
    const port = Number(text);
    if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error(`${variable}: ${JSON.stringify(text)} is no port`);
    return port === 0 ? (this.#kept[name] ?? 0) : port;
  }

  /** Notes the port that was really taken, and tells when it is not the wanted one. */
  keep(name: PortName, port: number): number {
    const wanted = this.preferred(name);
    if (wanted !== 0 && wanted !== port) this.#tell(`port ${wanted} is taken: ${name} uses ${port} (set ${ports[name].variable} to choose)`);
    this.#kept[name] = port;
    writeFileAtomic(this.#path, `${JSON.stringify(this.#kept, null, 2)}\n`);
    return port;
  }

  /** A free port, the preferred one if possible. */
  async take(name: PortName): Promise<number> {
    return this.keep(name, await freePort(this.preferred(name)));
  }
}

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { settingsSchema } from '../../runtime/config.ts';

type Service = {
  image?: string;
  build?: unknown;
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  init?: boolean;
  healthcheck?: { test?: string[]; disable?: boolean };
  deploy?: { replicas?: number };
  configs?: { source: string }[];
  depends_on?: Record<string, { condition: string }>;
};
type Compose = { services: Record<string, Service>; volumes: Record<string, unknown>; configs: Record<string, unknown> };

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const text = readFileSync(at('../../docker-compose.yml'), 'utf8');
const compose = parse(text, { merge: true }) as Compose;
const services = Object.entries(compose.services);
const service = (name: string): Service => compose.services[name] as Service;

/** The image's tag; '' without one, which would mean `latest`. */
const tag = (image: string): string => /:([^:/]+)$/.exec(image)?.[1] ?? '';
/** Compares dotted versions; negative when `a` is the older one. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

test('the file follows the Compose Specification', () => {
  // `deprecated` and formats are remarks of the schema's authors, not rules.
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  const validate = ajv.compile(JSON.parse(readFileSync(at('compose-spec.json'), 'utf8')) as object);
  validate(compose);
  expect(validate.errors).toBeNull();

  expect(validate({ ...compose, services: { ...compose.services, api: { ...service('api'), port: ['8080'] } } })).toBe(false);
});

test('what a service depends on exists, and says when it is ready', () => {
  for (const [name, { depends_on }] of services) {
    for (const [needed, { condition }] of Object.entries(depends_on ?? {})) {
      const other = compose.services[needed];
      expect(other, `${name} → ${needed}`).toBeDefined();
      if (condition === 'service_healthy') expect(other?.healthcheck?.test, `${name} → ${needed} has a health check`).toBeDefined();
      if (condition === 'service_completed_successfully') expect(other?.deploy?.replicas, `${name} → ${needed} runs once`).toBeUndefined();
    }
  }
  for (const name of ['api', 'worker']) {
    expect(service(name).depends_on).toEqual({
      migrate: { condition: 'service_completed_successfully' },
      'temporal-bootstrap': { condition: 'service_completed_successfully' },
      postgres: { condition: 'service_healthy' },
      temporal: { condition: 'service_healthy' },
    });
  }
});

test('dependencies have no cycle', () => {
  const visit = (name: string, path: string[]): void => {
    expect(path, `${path.join(' → ')} → ${name}`).not.toContain(name);
    for (const needed of Object.keys(compose.services[name]?.depends_on ?? {})) visit(needed, [...path, name]);
  };
  for (const [name] of services) visit(name, []);
});

test('every image has a fixed version', () => {
  for (const [name, { image }] of services) {
    expect(tag(image ?? ''), name).toMatch(/^\d+(\.\d+)*$/);
  }
  expect(service('postgres').image).toMatch(/^postgres:18(\.\d+)?$/);
  expect(service('temporal-postgres').image).toBe(service('postgres').image);
});

test('the Temporal server is new enough, made by hand, and its schema is of the same version', () => {
  const { image = '' } = service('temporal');
  expect(image).toMatch(/^temporalio\/server:/);
  expect(compareVersions(tag(image), '1.30.4')).toBeGreaterThanOrEqual(0);
  expect(service('temporal-schema').image).toBe(`temporalio/admin-tools:${tag(image)}`);
  expect(text).not.toContain('auto-setup');
  expect(service('temporal').depends_on?.['temporal-schema']).toEqual({ condition: 'service_completed_successfully' });
  const script = service('temporal-schema').command?.[0] ?? '';
  expect(script.match(/^prepare .*$/gm)).toEqual(['prepare temporal temporal', 'prepare temporal_visibility visibility']);
});

test('versions are compared by number', () => {
  expect(compareVersions('1.30.4', '1.30.4')).toBe(0);
  expect(compareVersions('1.30.10', '1.30.4')).toBeGreaterThan(0);
  expect(compareVersions('1.9.9', '1.30.4')).toBeLessThan(0);
  expect(compareVersions('2', '1.30.4')).toBeGreaterThan(0);
});

test('our processes get every setting they need, under its right name', () => {
  const required = ['DATABASE_URL', 'TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE', 'VAULT_KEY', 'API_HOST', 'API_PORT', 'WORKER_METRICS_PORT'];
  for (const name of ['api', 'worker']) {
    const environment = service(name).environment ?? {};
    expect(Object.keys(environment)).toEqual(expect.arrayContaining(required));
    expect(Object.keys(settingsSchema.properties)).toEqual(expect.arrayContaining(Object.keys(environment)));
    expect(environment).toMatchObject({
      TEMPORAL_ADDRESS: 'temporal:7233', TEMPORAL_NAMESPACE: 'tributary', API_HOST: '0.0.0.0', API_PORT: '8080', WORKER_METRICS_PORT: '9464',
    });
    expect(environment['DATABASE_URL']).toMatch(/^postgres:\/\/tributary:\$\{POSTGRES_PASSWORD:\?[^}]+\}@postgres:5432\/tributary$/);
  }
  expect(Object.keys(service('migrate').environment ?? {})).toEqual(['DATABASE_URL']);
  expect(Object.keys(service('temporal-bootstrap').environment ?? {}).sort()).toEqual(['TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE']);
});

test('secrets come from the environment, and their absence is an error', () => {
  for (const [name, { environment }] of services) {
    for (const [key, value] of Object.entries(environment ?? {})) {
      if (/PASSWORD|PWD|SECRET|_KEY$/.test(key)) expect(value, `${name} ${key}`).toMatch(/^\$\{[A-Z_]+:\?[^}]+\}$/);
    }
  }
});

test('only the API and the UI are published, on the loopback', () => {
  expect(Object.fromEntries(services.filter(([, s]) => s.ports).map(([name, s]) => [name, s.ports]))).toEqual({
    'temporal-ui': ['127.0.0.1:8233:8080'],
    api: ['127.0.0.1:8080-8081:8080'],
  });
});

test('our processes: their entries exist, two of each, an init process, a health check', () => {
  const commands: Record<string, string> = {
    migrate: 'bin/migrate.ts', 'temporal-bootstrap': 'bin/bootstrap-temporal.ts', worker: 'workers/main.ts', promote: 'bin/promote.ts', api: 'api/main.ts',
  };
  expect(services.filter(([, s]) => s.build).map(([name]) => name).sort()).toEqual(Object.keys(commands).sort());
  for (const [name, entry] of Object.entries(commands)) {
    expect(service(name).command).toEqual(['node', '--import', 'tsx', entry]);
    expect(existsSync(at(`../../${entry}`)), entry).toBe(true);
    expect(service(name).init, name).toBe(true);
  }
  expect([service('api').deploy?.replicas, service('worker').deploy?.replicas]).toEqual([2, 2]);
  expect(service('api').healthcheck?.test?.join(' ')).toContain("'http://127.0.0.1:8080/readyz'");
  expect(service('worker').healthcheck?.test?.join(' ')).toContain("'http://127.0.0.1:9464/metrics'");
});

test('what is kept lies in named volumes, where PostgreSQL 18 keeps it', () => {
  const mounts = services.flatMap(([name, { volumes }]) => (volumes ?? []).map((volume) => `${name} ${volume}`));
  expect(mounts).toEqual(['postgres postgres-data:/var/lib/postgresql', 'temporal-postgres temporal-postgres-data:/var/lib/postgresql']);
  expect(Object.keys(compose.volumes).sort()).toEqual(['postgres-data', 'temporal-postgres-data']);
  expect(services.flatMap(([, { configs }]) => (configs ?? []).map((c) => c.source))).toEqual(Object.keys(compose.configs));
});

test('the image: glibc, production packages only, not root, nothing private copied', () => {
  const dockerfile = readFileSync(at('../../Dockerfile'), 'utf8');
  expect(dockerfile.match(/^FROM \S+/gm)).toEqual(['FROM node:24-slim', 'FROM node:24-slim']);
  expect(dockerfile).toContain('npm ci --omit=dev');
  expect(dockerfile.match(/^USER .*$/gm)).toEqual(['USER node']);
  expect(dockerfile).toMatch(/^HEALTHCHECK /m);
  const ignored = readFileSync(at('../../.dockerignore'), 'utf8').split('\n');
  expect(ignored).toEqual(expect.arrayContaining(['.git', '.data', '.env*', 'node_modules', 'test']));
});

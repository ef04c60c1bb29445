import { chmodSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startPostgres } from '../../../bin/embedded/postgres.ts';
import type { RunningPostgres } from '../../../bin/embedded/postgres.ts';
import { isAlive, signal, waitUntil } from '../../../bin/embedded/process.ts';
import { runDirectory } from '../../support/shared-server.ts';
import { startProgram } from '../../support/processes.ts';

let home: string;
let running: RunningPostgres[];

async function start(options: { port?: number; fsync?: boolean } = {}): Promise<RunningPostgres> {
  const server = await startPostgres({ dataDir: join(home, 'data'), fsync: false, ...options });
  running.push(server);
  return server;
}

async function query<T extends pg.QueryResultRow>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

beforeEach(() => {
  home = mkdtempSync(join(runDirectory(), 'own-postgres-'));
  chmodSync(home, 0o711); // as root, PostgreSQL's user must get through
  running = [];
});
afterEach(async () => {
  for (const server of running) await server.stop();
  rmSync(home, { recursive: true, force: true });
});

it('starts on the loopback only with a password of its own, and stops without a trace', async () => {
  const server = await start();
  expect(server.adopted).toBe(false);
  const shown = await query(server.url, `select current_setting('listen_addresses') as listen, current_setting('server_encoding') as encoding,
    current_setting('unix_socket_directories') as sockets, current_setting('TimeZone') as zone, current_setting('server_version_num')::int / 10000 as major,
    (select datlocprovider::text || ' ' || datlocale from pg_database where datname = current_database()) as locale`);
  expect(shown).toEqual([{ listen: '127.0.0.1', encoding: 'UTF8', sockets: '', zone: 'UTC', major: 18, locale: 'b C.UTF-8' }]);
  expect(statSync(join(home, 'data.password')).mode & 0o777).toBe(0o600);
  await expect(query(server.url.replace(/:[^:@/]+@/, ':wrong@'), 'select 1')).rejects.toThrow(/password authentication failed/);
  await server.stop();
  expect(isAlive(server.pid)).toBe(false);
  expect(existsSync(join(home, 'data', 'postmaster.pid'))).toBe(false);
});

it('writes to disk safely unless a test says otherwise', async () => {
  const { url } = await startPostgres({ dataDir: join(home, 'data') }).then((server) => {
    running.push(server);
    return server;
  });
  expect(await query(url, `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit`)).toEqual([{ fsync: 'on', commit: 'on' }]);
});

it('adopts a server an earlier run left, with its data and port', async () => {
  const first = await start();
  await query(first.url, 'create table kept as select 1 as id');
  const second = await start();
  expect(second).toMatchObject({ adopted: true, pid: first.pid, port: first.port, url: first.url });
  expect(await query(second.url, 'select id from kept')).toEqual([{ id: 1 }]);
  await second.stop();
  expect(isAlive(first.pid)).toBe(false);
});

it('recovers after kill -9 and keeps the committed', async () => {
  const first = await start();
  await query(first.url, 'create table kept as select 1 as id');
  signal(first.pid, 'SIGKILL');
  expect(await waitUntil(() => !isAlive(first.pid), 10_000)).toBe(true);
  const second = await start({ port: first.port });
  expect(second.adopted).toBe(false);
  expect(await query(second.url, 'select id from kept')).toEqual([{ id: 1 }]);
});

it('removes a pid file whose number belongs to another program by now', async () => {
  const first = await start();
  const pidFile = join(home, 'data', 'postmaster.pid');
  const lines = readFileSync(pidFile, 'utf8').split('\n');
  await first.stop();
  const other = startProgram('sleep', { args: ['600'] });
  try {
    writeFileSync(pidFile, [String(other.pid), ...lines.slice(1)].join('\n'));
    const second = await start();
    expect(second.adopted).toBe(false);
    expect(isAlive(other.pid)).toBe(true);
  } finally {
    await other.kill();
  }
});

it('begins anew after an interrupted initdb, and takes another port when its own is busy', async () => {
  const first = await start();
  const staging = join(home, 'other.init');
  writeFileSync(staging, 'half a cluster');
  const second = await startPostgres({ dataDir: join(home, 'other'), fsync: false, port: first.port });
  running.push(second);
  expect(second.port).not.toBe(first.port);
  expect(existsSync(staging)).toBe(false);
});

it('names the reason when it cannot start', async () => {
  await expect(startPostgres({ dataDir: join(home, 'data'), fsync: false, settings: { shared_buffers: 'plenty' } }))
    .rejects.toThrow(/PostgreSQL did not start \(exit code 1\):[\s\S]*invalid value for parameter "shared_buffers": "plenty"/);
});

it('works below a directory that is closed to everybody else, also as root', async () => {
  chmodSync(home, 0o700);
  const first = await start();
  await query(first.url, 'create table kept as select 1 as id');
  await first.stop();
  const second = await start();
  expect(await query(second.url, 'select id from kept')).toEqual([{ id: 1 }]);
  await second.stop();
  const place = realpathSync(join(home, 'data'));
  const isRoot = process.getuid?.() === 0;
  expect(place === join(realpathSync(home), 'data')).toBe(!isRoot);
  if (isRoot) rmSync(dirname(place), { recursive: true });
});

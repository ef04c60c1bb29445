import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPostgres } from '../../../bin/embedded/postgres.ts';
import { migrate } from '../../../db/migrate.ts';
import { decodeId } from '../../../domain/ids.ts';
import { createTemporalClient } from '../../../runtime/temporal-client.ts';
import { ORDER_WORKFLOW, orderWorkflowId } from '../../../workflows/contract/ids.ts';
import { startNode } from '../../support/processes.ts';
import { devServer } from '../../support/temporal.ts';
import { Seeded, type Clone } from './seeded.ts';

/** Nothing listens there. */
const NOWHERE = '127.0.0.1:1';
const leftOut = (reason: string): string => `left out: workflow (${reason}); checked in its place: captured-forgotten`;
const UNREACHED = leftOut(`Temporal does not answer at ${NOWHERE} (tried for 2 s)`);
let seeded: Seeded;
let clone: Clone;
beforeAll(async () => {
  seeded = await Seeded.create();
  clone = await seeded.clone();
  // The program knows only the real clock: in it the world's payment window may be long over.
  await clone.pool.query('update reservations set expires_at = null');
});
afterAll(async () => {
  await clone.drop();
  await seeded.drop();
});

async function audit(env: Record<string, string | undefined>, ...args: string[]): Promise<{ code: number | null; lines: string[] }> {
  const run = startNode('bin/audit.ts', { args, env: { DATABASE_URL: clone.url, TEMPORAL_ADDRESS: NOWHERE, TEMPORAL_NAMESPACE: undefined, ...env } });
  const { code } = await run.exited;
  return { code, lines: run.output().trim().split('\n') };
}

/** Total numbers of the clone, as the last line says them. */
async function summary(violations: number): Promise<string> {
  const { rows } = await clone.pool.query<{ movements: number; orders: number }>('select (select count(*) from stock_movements) movements, (select count(*) from orders) orders');
  return `${violations} violations in ${rows[0]!.movements} movements, ${rows[0]!.orders} orders`;
}

test('ends with 0 where all is well, and says that Temporal could not be asked', async () => {
  expect(await audit({})).toEqual({ code: 0, lines: [UNREACHED, await summary(0)] });
});

test('a violation is named and ends it with 1; a database that is not there with 2', async () => {
  const id = seeded.orders.captured;
  await clone.pool.query('update orders set freight_amount = 900 where id = $1', [decodeId('ord', id)]);
  const { code, lines } = await audit({});
  await clone.pool.query('update orders set freight_amount = 800 where id = $1', [decodeId('ord', id)]);
  expect([code, lines.slice(1)]).toEqual([1, [`order-money: ${id}: list 2000 - discounts 0 + freight 900, total 2800; its lines make 2800`, await summary(1)]]);
  expect((await audit({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' })).code).toBe(2);
});

test('--repair puts a planted orphan right, with its movement and the reason, and then all is well; what it cannot repair ends it with 1', async () => {
  await clone.pool.query(`with level as (update stock_levels set reserved = reserved + 2 where id = (select max(id) from stock_levels where on_hand - reserved >= 2) returning id),
    movement as (insert into stock_movements (command_id, leg, level_id, d_on_hand, d_reserved, cause) select uuidv7(), 0, id, 0, 2, 'planted' from level)
    insert into reservations (order_id, line_no, seq, level_id, quantity, status) select uuidv7(), 1, 0, id, 2, 'held' from level`);
  const found = await audit({});
  expect([found.code, found.lines[1]?.split(':')[0], found.lines.length]).toEqual([1, 'orphan-reservations', 3]);
  const repaired = await audit({}, '--repair');
  expect([repaired.code, repaired.lines.slice(2)]).toEqual([0, [
    expect.stringMatching(/^repaired: orphan-reservations: level \d+: 1 reservations of 2 units belong to nothing: taken away$/) as string, await summary(0)]]);
  expect((await clone.pool.query(`select m.d_reserved, m.cause, r.what from audit_repairs r join stock_movements m on m.command_id = r.command_id`)).rows).toEqual([{ d_reserved: -2, cause: 'repair', what: 'orphan-reservations' }]);
  expect(await audit({}, '--repair')).toEqual({ code: 0, lines: [UNREACHED, await summary(0)] });
  const id = seeded.orders.captured;
  await clone.pool.query('update orders set freight_amount = 900 where id = $1', [decodeId('ord', id)]);
  const left = await audit({}, '--repair');
  await clone.pool.query('update orders set freight_amount = 800 where id = $1', [decodeId('ord', id)]);
  expect([left.code, left.lines.slice(2)]).toEqual([1, [expect.stringMatching(/^still: order-money: /) as string, await summary(1)]]);
});

test('asks Temporal for the workflow of an order; a foreign server is not taken at its word', async () => {
  const { address, namespace } = await devServer();
  const temporal = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace };
  const id = seeded.orders.captured;
  await clone.pool.query('delete from outbox where order_id = $1', [decodeId('ord', id)]);
  const without = { code: 1, lines: [`workflow: ${id} is not over and has neither a workflow nor an outbox row`, await summary(1)] };
  expect(await audit(temporal)).toEqual(without);
  const { client, connection } = await createTemporalClient(address, namespace);
  try {
    const handle = await client.workflow.start(ORDER_WORKFLOW, { workflowId: orderWorkflowId(id), taskQueue: `audit-${randomUUID()}`, args: [{ v: 1, orderId: id }] });
    expect(await audit(temporal)).toEqual({ code: 0, lines: [await summary(0)] });
    await handle.terminate('a workflow that ended does not look after its order');
    expect(await audit(temporal)).toEqual(without);
  } finally {
    await connection.close();
  }
  // What Temporal would have told, the database tells in part.
  await clone.pool.query(`update orders set captured_at = now() - interval '1 hour' where id = $1`, [decodeId('ord', id)]);
  const foreign = await audit({ ...temporal, TEMPORAL_NAMESPACE: 'somebody-elses' });
  expect([foreign.code, foreign.lines[0], foreign.lines.slice(2)]).toEqual(
    [1, expect.stringContaining(`left out: workflow (Temporal at ${address} does not know the namespace somebody-elses`), [await summary(1)]]);
  expect(foreign.lines[1]).toMatch(new RegExp(`^captured-forgotten: ${id} was captured at `));
});

test('the embedded database is started for the audit and stopped after it', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tributary-audit-'));
  try {
    const env = { DATABASE_URL: undefined, TRIBUTARY_DATA: dataDir };
    expect(await audit(env)).toEqual({ code: 2, lines: [`no database: DATABASE_URL is not set and ${join(dataDir, 'postgres')} does not exist (npm start makes it)`] });
    const server = await startPostgres({ dataDir: join(dataDir, 'postgres'), fsync: false });
    try {
      await migrate(server.url);
      expect((await audit(env)).lines.at(-1)).toBe('0 violations in 0 movements, 0 orders');
      expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(true); // it was not ours to stop
    } finally {
      await server.stop();
    }
    expect((await audit(env)).lines.slice(1)).toEqual(['left out: stale-hold (the system is down, so nothing expires)', '0 violations in 0 movements, 0 orders']);
    expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
    expect(existsSync(join(dataDir, 'start.lock'))).toBe(false);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

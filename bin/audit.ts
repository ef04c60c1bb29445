import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { runAudit } from '../db/audit/run-audit.ts';
import type { AuditOptions } from '../db/audit/run-audit.ts';
import { repairAudit } from '../db/audit/repair.ts';
import { createPool } from '../db/pool.ts';
import { StockWriter } from '../db/stock-writer.ts';
import { createTemporalClient, TemporalUnreachable } from '../runtime/temporal-client.ts';
import type { TemporalClient } from '../runtime/temporal-client.ts';
import { orderWorkflowId } from '../workflows/contract/ids.ts';
import { KeptPorts } from './embedded/kept.ts';
import { startPostgres } from './embedded/postgres.ts';
import { tryLock } from './embedded/process.ts';

const usage = `npm run audit [-- --repair]
Checks the ledger and the orders; changes nothing. Ends with 0 when all is well, 1 when something is violated, 2 when it could not look.
--repair puts right what it can: holds that belong to nothing or to what is over, levels that differ from their reservations or movements. Each repair is a
movement and a row of audit_repairs with its reason. Then it checks again, and ends with 0 when all was repaired.
Settings by environment: DATABASE_URL (default: the database in TRIBUTARY_DATA, started for the audit when it does not run),
TRIBUTARY_DATA (default .data), TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE.`;

const describeAtOnce = 20;
/** A workflow that ended this long before the audit cannot have ended with its order between the snapshot and the question. */
const clockToleranceMs = 60_000;

interface Database {
  readonly url: string;
  /** The rest of the system was down: nothing falls due in its database. */
  readonly asleep: boolean;
  close(): Promise<void>;
}

const say = (message: string): void => console.log(message);

/** The database of the environment, or the embedded one, which is started when it does not run (and stopped by `close`). */
async function openDatabase(dataDir: string): Promise<Database> {
  const given = process.env['DATABASE_URL']?.trim();
  if (given !== undefined && given !== '') return { url: given, asleep: false, close: () => Promise.resolve() };
  const cluster = join(dataDir, 'postgres');
  if (!existsSync(join(cluster, 'PG_VERSION'))) throw new Error(`no database: DATABASE_URL is not set and ${cluster} does not exist (npm start makes it)`);
  // While we have it, `npm start` cannot adopt a server that we are about to stop.
  const lock = tryLock(join(dataDir, 'start.lock'));
  const unlock = typeof lock === 'number' ? (): void => undefined : lock;
  try {
    const server = await startPostgres({ dataDir: cluster });
    const ours = !server.adopted && typeof lock !== 'number';
    return {
      url: server.url, asleep: typeof lock !== 'number',
      async close() {
        try {
          if (ours) await server.stop();
        } finally {
          unlock();
        }
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** A client of the namespace that holds the workflows, or why there is none. */
async function openTemporal(dataDir: string): Promise<TemporalClient | string> {
  const address = process.env['TEMPORAL_ADDRESS']?.trim() || `127.0.0.1:${new KeptPorts(dataDir, process.env, say).preferred('temporal')}`;
  const namespace = process.env['TEMPORAL_NAMESPACE']?.trim() || 'tributary';
  try {
    const temporal = await createTemporalClient(address, namespace, 2000);
    try {
      await temporal.connection.workflowService.describeNamespace({ namespace });
      return temporal;
    } catch (error) {
      await temporal.connection.close();
      if (isGrpcServiceError(error)) return `Temporal at ${address} does not know the namespace ${namespace} (${error.details})`;
      throw error;
    }
  } catch (error) {
    if (error instanceof TemporalUnreachable) return error.message;
    throw error;
  }
}

/** Whether the order is in somebody's hands: its workflow runs, or it has only just ended. */
async function hasWorkflow(client: Client, orderId: string, since: number): Promise<boolean> {
  try {
    const { status, closeTime } = await client.workflow.getHandle(orderWorkflowId(orderId)).describe();
    return status.name === 'RUNNING' || status.name === 'CONTINUED_AS_NEW' || (status.name === 'COMPLETED' && (closeTime?.getTime() ?? 0) >= since);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** Asks for workflows, twenty at a time. When Temporal goes away meanwhile the check is left out. */
function workflowExists(client: Client, since: number): NonNullable<AuditOptions['workflowExists']> {
  return async (orderIds) => {
    const found = new Set<string>();
    try {
      for (let from = 0; from < orderIds.length; from += describeAtOnce) {
        await Promise.all(orderIds.slice(from, from + describeAtOnce).map(async (id) => {
          if (await hasWorkflow(client, id, since)) found.add(id);
        }));
      }
      return found;
    } catch (error) {
      if (!isGrpcServiceError(error) && !(error instanceof Error && isGrpcServiceError(error.cause))) throw error;
      say(`left out: workflow (Temporal does not answer any more: ${error.message})`);
      return new Set(orderIds);
    }
  };
}

/** Returns how many violations there are (left). */
async function audit(dataDir: string, database: Database, repair: boolean): Promise<number> {
  const temporal = await openTemporal(dataDir);
  const pool = createPool(database.url, 1);
  try {
    if (typeof temporal === 'string') say(`left out: workflow (${temporal}); checked in its place: captured-forgotten`);
    if (database.asleep) say('left out: stale-hold (the system is down, so nothing expires)');
    const look = () => runAudit(pool, {
      leaveOut: database.asleep ? ['stale-hold'] : [],
      ...(typeof temporal === 'string' ? { withoutTemporal: true } : { workflowExists: workflowExists(temporal.client, Date.now() - clockToleranceMs) }),
    });
    let { violations, movements, orders } = await look();
    for (const { check, detail } of violations) say(`${check}: ${detail}`);
    if (repair && violations.length > 0) {
      const repairs = await repairAudit(new StockWriter(pool, null), { overdue: violations.some((v) => v.check === 'stale-hold') });
      for (const { what, subject, reason } of repairs) say(`repaired: ${what}: ${subject}: ${reason}`);
      ({ violations, movements, orders } = await look());
      for (const { check, detail } of violations) say(`still: ${check}: ${detail}`);
    }
    say(`${violations.length} violations in ${movements} movements, ${orders} orders`);
    return violations.length;
  } finally {
    await pool.end();
    if (typeof temporal !== 'string') await temporal.connection.close();
  }
}

async function main(): Promise<number> {
  const dataDir = resolve(process.env['TRIBUTARY_DATA'] || fileURLToPath(new URL('../.data', import.meta.url)));
  const database = await openDatabase(dataDir);
  const interrupted = new Promise<never>((_, reject) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => reject(new Error(`ended by ${name}`)));
  });
  try {
    return (await Promise.race([audit(dataDir, database, process.argv.includes('--repair')), interrupted])) === 0 ? 0 : 1;
  } finally {
    await database.close();
  }
}

if (process.argv.includes('--help')) {
  say(usage);
} else {
  main().then(
    (code) => process.exit(code),
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : String(error));
      process.exit(2);
    },
  );
}

import { TestWorkflowEnvironment } from '@temporalio/testing';
import { findTemporal, startTemporal } from '../../bin/embedded/temporal.ts';
import { addSearchAttributes, bootstrapTemporal } from '../../runtime/temporal-bootstrap.ts';
import { cacheDirectory, dataDirectory, oncePerRun } from './shared-server.ts';
import { mavenTestServer } from './time-skipping-server.ts';

export interface DevServer {
  /** host:port of the frontend */
  readonly address: string;
  /** Has the search attributes of `runtime/temporal-bootstrap.ts`. */
  readonly namespace: string;
}

/**
 * The one dev server of this test run, started by whoever needs it first. It is shared: tests use task queues and
 * workflow ids of their own.
 */
export function devServer(): Promise<DevServer> {
  return oncePerRun('temporal', async () => {
    const found = await findTemporal();
    const server = found.kind === 'running' ? found : await startTemporal({ binary: found.path, dataDir: dataDirectory('temporal'), ui: false });
    const namespace = found.kind === 'running' ? 'tributary-test' : 'tributary';
    await bootstrapTemporal(server.address, namespace);
    return { address: server.address, namespace, ...('pid' in server ? { pid: server.pid } : {}) };
  });
}

type Executable = { type: 'cached-download'; downloadDir: string } | { type: 'existing-path'; path: string };

/** Which time-skipping server works here: the SDK's download, else the one from Maven Central; found out once a run. */
async function timeSkippingExecutable(): Promise<Executable> {
  const { executable } = await oncePerRun<{ executable: Executable; pid?: number }>('time-skipping-executable', async () => {
    const download: Executable = { type: 'cached-download', downloadDir: cacheDirectory() };
    let refused: unknown;
    try {
      const probe = await TestWorkflowEnvironment.createTimeSkipping({ server: { executable: download } });
      await probe.teardown();
      return { executable: download };
    } catch (error) {
      refused = error; // no internet: the usual case on closed networks
    }
    try {
      return { executable: { type: 'existing-path', path: await mavenTestServer() } };
    } catch (error) {
      throw new Error(`no time-skipping server: neither the SDK's download (${String(refused)}) nor Maven (${String(error)})`, { cause: error });
    }
  });
  return executable;
}

/**
 * A time-skipping environment with the search attributes registered (tasks fail without end otherwise). The caller
 * tears it down. Schedules, workflow lists and children across continue-as-new don't behave there: use `devServer()`.
 */
export async function timeSkippingEnv(): Promise<TestWorkflowEnvironment> {
  const env = await started(await timeSkippingExecutable());
  await addSearchAttributes(env.connection, env.namespace ?? 'default');
  return env;
}

/** The SDK gives a server five seconds to start, which is short for a JVM on a machine that is busy with other tests: tried again. */
async function started(executable: Executable): Promise<TestWorkflowEnvironment> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
    } catch (error) {
      if (attempt === 20 || !String(error).includes('did not start within')) throw error;
    }
  }
}

import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export type Started = { port: number; process: ChildProcess; stop(): Promise<void> };

/** Starts one of our processes and waits for the log line that says it is ready. */
async function start(path: string, env: Record<string, string>, ready: RegExp): Promise<Started> {
  const child = spawn(process.execPath, [...(process.env['BENCH_NODE_ARGS']?.split(' ') ?? []), '--max-semi-space-size=64', '--import', 'tsx', fileURLToPath(new URL(`../../${path}`, import.meta.url))],
    { env: { ...process.env, NODE_ENV: 'production', ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-20_000);
      const found = ready.exec(text)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
    child.once('exit', (code) => { reject(new Error(`${path} ended with ${code}: ${text}`)); });
  });
  return {
    port, process: child,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return; // killed ones have no exit code
      const ended = new Promise((resolve) => { child.once('exit', resolve); });
      child.kill('SIGTERM');
      await ended;
    },
  };
}

export const startApi = (env: Record<string, string>): Promise<Started> => start('api/main.ts', { API_PORT: '0', ...env }, /"url":"http:\/\/[^"]*:(\d+)"/);
export const startWorker = (env: Record<string, string>): Promise<Started> => start('workers/main.ts', { WORKER_METRICS_PORT: '0', ...env }, /"metricsPort":(\d+)/);
export const startSimulator = (name: 'wms' | 'carrier', env: Record<string, string>): Promise<Started> => start(`simulators/${name}/main.ts`, { PORT: '0', ...env }, /listening on http:\/\/[^:]*:(\d+)/);
export const startProcess = (path: string, env: Record<string, string>, ready: RegExp): Promise<Started> => start(path, env, ready);

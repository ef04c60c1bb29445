import { Context } from '@temporalio/activity';
import { failSimulation, keepResult, prepareSimulation, reportProgress } from '../db/simulation/run.ts';
import { runInThread } from './simulation/run-thread.ts';
import { uuidOf, type ActivityDeps } from './deps.ts';

const ATTEMPTS = 5;
const BEAT_MS = 5_000;

/** The one activity of `simulation/<id>`; it belongs on the planning queue. */
export function createSimulations({ writer, network }: ActivityDeps) {
  return {
    /**
     * Replays the orders under each policy that has no result yet, one after the other, in a thread of its own. Killed half-way, the next attempt reads the same input and goes on with the
     * policies that are left. True: over, whichever way.
     */
    async runSimulation({ simulation }: { simulation: string }): Promise<boolean> {
      const id = uuidOf('sim', simulation);
      const current = Context.current();
      const beat = setInterval(() => { current.heartbeat(); }, BEAT_MS);
      try {
        const prepared = await prepareSimulation(writer, network, id);
        if (!prepared) return true;
        for (const { position, policy } of prepared.open) {
          const done = await runInThread({ input: prepared.input, policy }, (simulated) => reportProgress(writer.pool, id, position, simulated), current.cancellationSignal);
          current.cancellationSignal.throwIfAborted(); // a worker that stops leaves the rest to another one
          if (!done) return true; // cancelled by its owner
          await keepResult(writer, id, position, done.simulated, done.result);
        }
        return true;
      } catch (error) {
        if (current.cancellationSignal.aborted || current.info.attempt < ATTEMPTS) throw error;
        await failSimulation(writer, id, error instanceof Error ? error.message : String(error));
        return true;
      } finally {
        clearInterval(beat);
      }
    },
  };
}

import { Context } from '@temporalio/activity';
import { applyWave, failWave, keepWave, waveStatus } from '../db/routing/wave/apply.ts';
import { prepareWave } from '../db/routing/wave/prepare.ts';
import { solveInThread } from '../db/routing/wave/run-thread.ts';
import { Problem } from '../domain/problem.ts';
import { uuidOf, type ActivityDeps } from './deps.ts';

const SECONDS = 15;
const GAP = 0.01;
const ATTEMPTS = 3;

/** The one activity of `wave/<id>`; it belongs on the planning queue. */
export function createWaves({ writer, network, vault }: ActivityDeps) {
  return {
    /** Solves what waits and hands the plans to the orders. Killed half-way, the next attempt goes on; given up, the orders go alone. */
    async runWave({ wave }: { wave: string }): Promise<void> {
      const id = uuidOf('wav', wave);
      try {
        const status = await waveStatus(writer, id);
        if (status === null || status === 'done' || status === 'failed') return;
        if (status === 'queued') {
          const instance = await prepareWave(writer, network, id);
          await keepWave(writer, id, instance && await solveInThread({ wave: instance, seconds: SECONDS, gap: GAP }));
        }
        await applyWave(writer, network, vault, id);
      } catch (error) {
        // What is too much for a wave is so the next time.
        if (!(error instanceof Problem) && Context.current().info.attempt < ATTEMPTS) throw error;
        await failWave(writer, id, error instanceof Error ? error.message : String(error));
      }
    },
  };
}

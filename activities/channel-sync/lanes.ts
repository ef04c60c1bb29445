import { setTimeout as delay } from 'node:timers/promises';

/** A lane that has found nothing looks again so soon while another still works: what has changed meanwhile is not to wait for the end of a backlog. */
const AGAIN_MS = 150;

/**
 * Runs lanes side by side, each again and again, until all have found nothing to do or it is `over`. A lane returns how much it did. `fault`: whether an error is one of the outside, which
 * stops its own lane and no other; any other error is thrown when all have ended. `rest`: waits so many ms, or rejects when it is aborted.
 */
export async function sideBySide(
  lanes: readonly (() => Promise<number>)[], over: () => boolean, fault: (error: unknown) => boolean, rest: (ms: number, signal: AbortSignal) => Promise<unknown> = (ms, signal) => delay(ms, undefined, { signal }),
): Promise<void> {
  const working = new Set(lanes);
  const errors: unknown[] = [];
  const idle = new AbortController();
  /** What is resting ends at once when nobody works any more. */
  const rests = (lane: () => Promise<number>): void => {
    working.delete(lane);
    if (working.size === 0) idle.abort();
  };
  await Promise.all(lanes.map(async (lane) => {
    try {
      while (!over() && errors.length === 0) {
        working.add(lane);
        if (await lane() > 0) continue;
        rests(lane);
        if (working.size > 0) await rest(AGAIN_MS, idle.signal).catch(() => undefined); // it rejects where it is cut short, and in no other way
        if (working.size === 0) break;
      }
    } catch (error) {
      if (!fault(error)) errors.push(error);
    } finally {
      rests(lane);
    }
  }));
  if (errors.length > 0) throw errors[0];
}

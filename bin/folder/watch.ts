import { setTimeout as delay } from 'node:timers/promises';

/** Looks again and again until it is told to stop; with `once`, twice: a file must lie unchanged for one look. */
export async function watch(look: () => Promise<string[]>, everyMs: number, once: boolean): Promise<void> {
  const stopped = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { stopped.abort(); });
  for (let round = 1; !stopped.signal.aborted; round++) {
    for (const line of await look()) console.log(line);
    if (once && round === 2) break;
    await delay(everyMs, undefined, { signal: stopped.signal }).catch((error: Error) => { if (error.name !== 'AbortError') throw error; });
  }
}

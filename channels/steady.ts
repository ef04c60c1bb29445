import { PartnerUnavailable } from '../domain/http-port.ts';

const TRIES = 3;

/**
 * Something that takes several calls to read, as it is at one time: its head is read again after the rest, and all of it anew where the version has moved meanwhile. Throws
 * PartnerUnavailable when it keeps changing: it waits with that reason and is read later.
 */
export async function readSteadily<H, R>(what: string, head: () => Promise<H | null>, version: (head: H) => number, rest: (head: H) => Promise<R>): Promise<{ head: H; rest: R } | null> {
  let first = await head();
  for (let i = 0; i < TRIES; i++) {
    if (first === null) return null;
    const more = await rest(first);
    const again = await head();
    if (again !== null && version(again) === version(first)) return { head: again, rest: more };
    first = again;
  }
  throw new PartnerUnavailable(`${what} changed while it was read`);
}

/** All calls to their end before the first failure is thrown: none of them is still under way when somebody looks at what they did. */
export async function allEnded<T>(calls: readonly Promise<T>[]): Promise<T[]> {
  const ended = await Promise.allSettled(calls);
  return ended.map((e) => {
    if (e.status === 'rejected') throw e.reason;
    return e.value;
  });
}

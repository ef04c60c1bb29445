import { isDeepStrictEqual } from 'node:util';
import type { Capabilities } from '../../channels/channel.ts';
import { NotWritten } from '../../channels/not-written.ts';
import { Fault } from './fault.ts';
import type { Rig } from './rig.ts';

/**
 * One sentence of the contract. `applies`: whether a platform of these capabilities has it. `live`: it changes nothing, so that it may be run against the real platform (`only`: it
 * makes sense there alone). `run` throws a Fault where the sentence isn't true.
 */
export type Check = { title: string; applies?(capabilities: Capabilities, rig: Rig): boolean; live?: true | 'only'; run(rig: Rig): Promise<void> };

/** `unwritten`: the connector's author has not come to it; `other`: not of this platform, or not to be tried on a live one. */
export type Outcome = { title: string; result: 'good' | 'unwritten' | 'missing' | 'other'; words: string };

/** Runs one sentence; whatever is thrown is a word of what is missing. Errors are known by their names: a connector of another folder has classes of its own. */
export async function runCheck(check: Check, rig: Rig): Promise<Outcome> {
  const { title } = check;
  if (check.live === 'only' && !rig.live) return { title, result: 'other', words: 'only of a live shop (--live)' };
  if (check.applies && !check.applies(rig.capabilities, rig)) return { title, result: 'other', words: 'by its capability flags the platform has none of this' };
  if (rig.live && !check.live) return { title, result: 'other', words: 'not tried on a live shop: it would change something there' };
  try {
    await check.run(rig);
    return { title, result: 'good', words: '' };
  } catch (error) {
    const { name, message } = error as Error;
    if (name === NotWritten.name) return { title, result: 'unwritten', words: message };
    return { title, result: 'missing', words: name === 'Fault' ? message : `it threw ${name}: ${message}` };
  }
}

export function want(holds: boolean, words: string): asserts holds {
  if (!holds) throw new Fault(words);
}

/** `words` says of what; both sides are shown where they differ. */
export function same(words: string, given: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(given, wanted)) throw new Fault(`${words}: wanted ${JSON.stringify(wanted)}, got ${JSON.stringify(given)}`);
}

/** What a promise throws; a Fault where it throws nothing. */
export async function thrown(words: string, promise: Promise<unknown>): Promise<Error> {
  const error = await promise.then(() => null, (e: unknown) => e as Error);
  if (error === null) throw new Fault(`${words}, but nothing was thrown`);
  if (error.name === NotWritten.name) throw error;
  return error;
}

/** A method that the capability flags promise. */
export function method<T>(name: string, found: T | undefined): T {
  if (found === undefined) throw new Fault(`the capability flags promise it, but the connector has no ${name}`);
  return found;
}

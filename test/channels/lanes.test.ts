import { expect, test } from 'vitest';
import { sideBySide } from '../../activities/channel-sync/lanes.ts';

/** A promise that is settled from outside. */
function gate(): { open: () => void; passed: Promise<void> } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => { open = resolve; });
  return { open, passed };
}

test('a lane that was idle takes up what changes while another works off its backlog; all end together', async () => {
  const [changed, taken] = [gate(), gate()];
  let [backlog, waiting] = [3, 0];
  const done: string[] = [];
  const orders = async (): Promise<number> => {
    if (backlog === 0) return 0;
    backlog -= 1;
    done.push('order');
    // The last order of the backlog is not done before the change has been told.
    if (backlog === 1) {
      waiting = 1;
      changed.open();
    }
    if (backlog === 0) await taken.passed;
    return 1;
  };
  const stock = async (): Promise<number> => {
    await Promise.resolve();
    if (waiting === 0) return 0;
    waiting = 0;
    done.push('stock');
    taken.open();
    return 1;
  };
  await sideBySide([orders, stock], () => false, () => false);
  await changed.passed;
  // The backlog could not have ended had the change waited for its end.
  expect([...done].sort()).toEqual(['order', 'order', 'order', 'stock']);
});

test('a fault of the outside stops its lane alone; one of ours is thrown when all have ended; over means over', async () => {
  let left = 3;
  const work = (): Promise<number> => Promise.resolve(left > 0 ? left-- : 0);
  const refused = new Error('the platform is down');
  const faults: unknown[] = [];
  await sideBySide([() => Promise.reject(refused), work], () => false, (error) => { faults.push(error); return error === refused; });
  expect([left, faults]).toEqual([0, [refused]]);
  await expect(sideBySide([() => Promise.reject(new RangeError('ours'))], () => false, () => false)).rejects.toThrow('ours');
  let calls = 0;
  await sideBySide([() => Promise.resolve(calls += 1)], () => calls >= 5, () => false);
  expect(calls).toBe(5);
});

test('a lane that rests does not outlast the last one that works', async () => {
  const rested = gate();
  let rests = 0;
  const nothing = (): Promise<number> => Promise.resolve(0);
  const works = async (): Promise<number> => {
    await rested.passed;
    return 0;
  };
  // Rests for ever, unless it is told that nobody works any more.
  const rest = (_: number, signal: AbortSignal): Promise<unknown> => new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => { reject(new Error('aborted')); });
    if ((rests += 1) === 2) rested.open();
  });
  await sideBySide([nothing, nothing, works], () => false, () => false, rest);
  expect(rests).toBe(2);
});

import { describe, expect, it } from 'vitest';
import { FaultInjector, InjectedError } from '../../../simulators/shared/faults.ts';
import { TimerHeap } from '../../../simulators/shared/timer-heap.ts';

const heap = new TimerHeap();
const keys = Array.from({ length: 400 }, (_, index) => `intake fo_${index}`);

/** 'ok', 'before' (failed, work not done) or 'after' (failed, work done). */
async function outcome(faults: FaultInjector, key: string): Promise<string> {
  let worked = false;
  try {
    await faults.incoming(key, () => {
      worked = true;
    });
    return 'ok';
  } catch (error) {
    expect(error).toBeInstanceOf(InjectedError);
    return worked ? 'after' : 'before';
  }
}

async function outcomes(faults: FaultInjector): Promise<string[]> {
  const all: string[] = [];
  for (const key of keys) all.push(await outcome(faults, key));
  return all;
}

describe('FaultInjector', () => {
  it('lets everything through without faults', async () => {
    expect(new Set(await outcomes(new FaultInjector('1', heap)))).toEqual(new Set(['ok']));
  });

  it('fails a share of calls, half before and half after the work', async () => {
    const faults = new FaultInjector('1', heap);
    faults.replace({ error500: { rate: 0.5 } });
    const all = await outcomes(faults);
    const share = (what: string): number => all.filter((one) => one === what).length / all.length;
    expect(share('ok')).toBeGreaterThan(0.4);
    expect(share('ok')).toBeLessThan(0.6);
    expect(share('before')).toBeGreaterThan(0.15);
    expect(share('after')).toBeGreaterThan(0.15);
  });

  it('repeats itself with the same seed, differs with another', async () => {
    const run = async (seed: string): Promise<string[]> => {
      const faults = new FaultInjector(seed, heap);
      faults.replace({ error500: { rate: 0.5 } });
      return outcomes(faults);
    };
    expect(await run('1')).toEqual(await run('1'));
    expect(await run('1')).not.toEqual(await run('2'));
  });

  it('rolls a repeated call anew, so it gets through in the end', async () => {
    const faults = new FaultInjector('1', heap);
    faults.replace({ error500: { rate: 0.5 } });
    for (const key of keys.slice(0, 50)) {
      const tries: string[] = [];
      while (tries.at(-1) !== 'ok') tries.push(await outcome(faults, key));
      expect(tries.length).toBeLessThan(20);
    }
  });

  it('makes slow calls wait, some before and some after the work', async () => {
    const faults = new FaultInjector('1', heap);
    faults.replace({ slow: { rate: 1, ms: 30 } });
    const workedFirst = await Promise.all(
      keys.slice(0, 40).map(async (key) => {
        let worked = false;
        const call = faults.incoming(key, () => {
          worked = true;
        });
        const atOnce = worked;
        await call;
        expect(worked).toBe(true);
        return atOnce;
      }),
    );
    expect(new Set(workedFirst)).toEqual(new Set([true, false]));
  });

  it('decides the other faults by id: all, none, or the same ones each time', () => {
    const faults = new FaultInjector('1', heap);
    expect(keys.some((key) => faults.hits('silent', key))).toBe(false);
    faults.replace({ silent: { rate: 0.3 }, duplicate: { rate: 1 } });
    expect(keys.every((key) => faults.hits('duplicate', key))).toBe(true);
    const hit = keys.filter((key) => faults.hits('silent', key));
    expect(hit.length).toBeGreaterThan(80);
    expect(hit.length).toBeLessThan(160);
    expect(keys.filter((key) => faults.hits('silent', key))).toEqual(hit);
    expect(keys.some((key) => faults.hits('outOfOrder', key))).toBe(false);
  });
});

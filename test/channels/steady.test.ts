import { expect, test } from 'vitest';
import { allEnded, readSteadily } from '../../channels/steady.ts';
import { PartnerUnavailable } from '../../domain/http-port.ts';

const heads = (versions: (number | null)[]) => { let i = 0; return () => Promise.resolve(versions[Math.min(i++, versions.length - 1)] ?? null).then((v) => (v === null ? null : { v })); };
const read = (versions: (number | null)[]) => readSteadily('order 1', heads(versions), (h) => h.v, (h) => Promise.resolve(`rest of ${h.v}`));

test('one state is read whole; a change between the calls has it read anew', async () => {
  expect(await read([1, 1])).toEqual({ head: { v: 1 }, rest: 'rest of 1' });
  expect(await read([1, 2, 2])).toEqual({ head: { v: 2 }, rest: 'rest of 2' });
  expect(await read([null])).toBeNull();
  expect(await read([1, null])).toBeNull();
});

test('what keeps changing waits with its reason', async () => {
  await expect(read([1, 2, 3, 4, 5])).rejects.toThrow(new PartnerUnavailable('order 1 changed while it was read'));
});

test('no call is under way any more when the first failure is thrown', async () => {
  let ended = false;
  const slow = new Promise<number>((resolve) => { setTimeout(() => { ended = true; resolve(1); }, 20); });
  await expect(allEnded([Promise.reject(new Error('no')), slow])).rejects.toThrow('no');
  expect(ended).toBe(true);
  expect(await allEnded([Promise.resolve(1), Promise.resolve(2)])).toEqual([1, 2]);
});

import { describe, expect, it } from 'vitest';
import { uuidv7 } from '../../runtime/ids.ts';

const timeOf = (id: string): number => parseInt(id.replaceAll('-', '').slice(0, 12), 16);

describe('uuidv7', () => {
  it('has the shape, version and variant of RFC 9562', () => {
    for (let i = 0; i < 5000; i++) expect(uuidv7()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('carries the milliseconds, here those of the RFC\'s own example', () => {
    const at = 0x017f22e279b0; // 2022-02-22T19:22:22.000Z; ids never go back, so an earlier moment shows only in a fresh process
    expect(new Date(at).toISOString()).toBe('2022-02-22T19:22:22.000Z');
    const ahead = Date.now() + 86_400_000;
    expect(timeOf(uuidv7(ahead))).toBe(ahead);
  });

  it('keeps the order in which it was called: within a millisecond, over more than 4096 calls, and when the clock goes back', () => {
    const now = Date.now() + 2 * 86_400_000;
    const ids = [
      ...Array.from({ length: 10_000 }, () => uuidv7(now)), // more than the counter of one millisecond holds
      ...Array.from({ length: 10 }, (_, i) => uuidv7(now - 1000 * i)),
      uuidv7(now + 10),
    ];
    expect(ids).toEqual(ids.toSorted());
    expect(new Set(ids).size).toBe(ids.length);
    expect(timeOf(ids[0]!)).toBe(now);
    expect(timeOf(ids[9999]!)).toBe(now + 2); // 4096 a millisecond, the rest borrowed from the next
    expect(timeOf(ids.at(-1)!)).toBe(now + 10);
  });

  it('leaves 62 random bits: none is always the same', () => {
    const ids = Array.from({ length: 400 }, () => BigInt(`0x${uuidv7().replaceAll('-', '')}`));
    const ones = ids.reduce((all, id) => all | id, 0n);
    const always = ids.reduce((all, id) => all & id, (1n << 128n) - 1n);
    const random = (1n << 62n) - 1n;
    expect(ones & random).toBe(random);
    expect(always & random).toBe(0n);
  });
});

import { describe, expect, it } from 'vitest';
import { chance, hash53, spread } from '../../../simulators/shared/chance.ts';

const ids = Array.from({ length: 20_000 }, (_, index) => `fo_${index}`);

describe('chance', () => {
  it('is a function of its parts, and every part matters', () => {
    expect(chance('seed', 'reject', 'fo_1')).toBe(chance('seed', 'reject', 'fo_1'));
    expect(new Set([chance('a', 'b'), chance('b', 'a'), chance('ab'), chance('a', 'c'), chance('c', 'b')]).size).toBe(5);
  });

  it('is spread evenly: every tenth holds a tenth of 20,000 ids within 10 %', () => {
    const tenths = new Array<number>(10).fill(0);
    for (const id of ids) {
      const tenth = Math.floor(chance('1', 'reject', id) * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    expect(Math.min(...tenths)).toBeGreaterThan(1800);
    expect(Math.max(...tenths)).toBeLessThan(2200);
  });

  it('gives different numbers to different ids', () => {
    expect(new Set(ids.map((id) => hash53(id))).size).toBe(ids.length);
  });

  it('spreads within the bounds', () => {
    const values = ids.map((id) => spread(10, 20, id));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...values)).toBeLessThan(20);
  });
});

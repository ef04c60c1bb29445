import { expect, test } from 'vitest';
import { addSnapshot } from '../../../domain/stock/accuracy.ts';

test('the first snapshot is the accuracy', () => { expect(addSnapshot(null, 9, 10)).toEqual({ countedLines: 10, matchedLines: 9 }); });

test('an old snapshot weighs half after ten', () => {
  let sums = addSnapshot(null, 0, 64);
  for (let i = 0; i < 10; i++) sums = addSnapshot(sums, 0, 0);
  expect(sums.countedLines).toBeCloseTo(32, 9);
});

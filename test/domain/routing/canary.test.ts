import { expect, test } from 'vitest';
import { inCanary, judgeCanary, LOOKS, type ArmFigures } from '../../../domain/routing/canary.ts';
import { uuidv7 } from '../../../runtime/ids.ts';

const guard = { minOrders: 100, costWorse: 20, lateWorse: 10, confidence: 950 };
const arm = (changes: Partial<ArmFigures> = {}): ArmFigures => ({ orders: 1000, routed: 1000, costPerOrder: 1000, costVariance: 90_000, late: 20, unroutable: 0, ...changes });

test('the share is kept, the same order always falls to the same arm, another canary draws anew', () => {
  const ids = Array.from({ length: 20_000 }, () => uuidv7());
  const [a, b] = [ids.filter((id) => inCanary('canary-a', id, 100)), ids.filter((id) => inCanary('canary-b', id, 100))];
  // Six standard deviations: √(20000 · 0.1 · 0.9) = 42.
  for (const some of [a, b]) expect(Math.abs(some.length - 2000)).toBeLessThan(255);
  expect(Math.abs(a.filter((id) => b.includes(id)).length - 200)).toBeLessThan(90);
  expect(a.every((id) => inCanary('canary-a', id, 100) && inCanary('canary-a', id, 500))).toBe(true);
  expect(ids.some((id) => inCanary('canary-a', id, 0))).toBe(false);
});

test.each<[string, Partial<ArmFigures>, boolean, RegExp | null]>([
  ['as good', {}, false, null],
  ['dearer within the guard', { costPerOrder: 1020 }, false, null],
  ['dearer beyond it, but not for certain', { costPerOrder: 1040 }, false, null],
  ['dearer beyond it', { costPerOrder: 1080 }, true, /^an order costs 1080\.00 instead of 1000\.00, more than 20 ‰ beyond/],
  ['later beyond it', { late: 70 }, true, /^70 of 1000 orders are late or cannot be routed instead of 20 of 1000, more than 10 ‰ points beyond/],
  ['later within it', { late: 30 }, false, null],
  ['cheaper and later', { costPerOrder: 500, late: 200 }, true, /^200 of 1000/],
  ['too few orders to say', { orders: 99, routed: 99, costPerOrder: 9000, late: 99 }, false, null],
])('%s', (_what, changes, worse, reason) => {
  const verdict = judgeCanary(guard, arm(changes), arm());
  expect(verdict.worse).toBe(worse);
  if (reason) expect(verdict.reason).toMatch(reason);
  else expect(verdict.reason).toBeNull();
});

test('p-values are those of the normal law, and the error is shared among the looks', () => {
  // (1000 − 1000) / … = 0 → ½; one standard error above → 0.158655.
  const plain = { ...guard, costWorse: 0 };
  expect(judgeCanary(plain, arm(), arm()).costP).toBeCloseTo(0.5, 6);
  const error = Math.sqrt(90_000 / 1000 + 90_000 / 1000);
  expect(judgeCanary(plain, arm({ costPerOrder: 1000 + error }), arm()).costP).toBeCloseTo(0.158655, 6);
  expect(judgeCanary(plain, arm({ costPerOrder: 1000 - 2 * error }), arm()).costP).toBeCloseTo(0.97725, 5);
  const alpha = 0.05 / (2 * LOOKS); // z = 3.279
  expect([3.2, 3.35].map((z) => judgeCanary(plain, arm({ costPerOrder: 1000 + z * error }), arm()).worse)).toEqual([false, true]);
  expect(alpha).toBeCloseTo(0.00052, 5);
  expect(judgeCanary(plain, arm({ costVariance: 0, costPerOrder: 1001 }), arm({ costVariance: 0 })).worse).toBe(true);
});

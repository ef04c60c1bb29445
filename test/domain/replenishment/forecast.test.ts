import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkQuestion } from '../../../domain/replenishment/check.ts';
import { cleanHistory } from '../../../domain/replenishment/clean.ts';
import { forecast, patternOf } from '../../../domain/replenishment/forecast.ts';
import { METHODS } from '../../../domain/replenishment/methods/registry.ts';
import type { Period } from '../../../domain/replenishment/model.ts';
import { pinball, weightedQuantiles } from '../../../domain/replenishment/quantile.ts';

const sold = (units: readonly number[]): Period[] => units.map((n) => ({ units: n }));
const repeated = (cycle: readonly number[], times: number): number[] => Array.from({ length: times }, () => cycle).flat();

test('pinball loss and weighted quantiles', () => {
  expect([pinball(10, 0.9, 6), pinball(6, 0.9, 10), pinball(3, 0.5, 3)].map((n) => Math.round(n * 1e9) / 1e9)).toEqual([3.6, 0.4, 0]);
  const quantile = weightedQuantiles([5, 1, 3], [1, 1, 2]);
  expect([0.25, 0.26, 0.75, 0.76, 0.99].map(quantile)).toEqual([1, 3, 3, 5, 5]);
});

test('a stock-out is no lack of demand: it counts as what is expected beyond what was sold', () => {
  const { units, estimated } = cleanHistory([...sold([6, 5, 7, 6]), { units: 1, stockedOut: true }, { units: 9, stockedOut: true }]);
  expect(estimated).toBe(2);
  expect(units.slice(0, 4)).toEqual([6, 5, 7, 6]);
  expect(units.slice(4).map((n) => Math.round(n * 100) / 100)).toEqual([6.87, 10.32]);
  const empty = [{ units: 0, stockedOut: true }, { units: 0, stockedOut: true }];
  const bare = forecast([...sold([6, 6, 6, 6, 6, 6, 6, 6]), ...empty.map(({ units: n }) => ({ units: n }))], { horizon: 1, quantiles: [0.5] });
  const known = forecast([...sold([6, 6, 6, 6, 6, 6, 6, 6]), ...empty], { horizon: 1, quantiles: [0.5] });
  expect(known.periods[0]!.mean).toBeGreaterThan(bare.periods[0]!.mean + 0.9);
  // Nothing to learn a level from: what was sold stands, and is not called an estimate.
  expect(cleanHistory(empty)).toEqual({ units: [0, 0], estimated: 0, uplift: 1 });
});

test('promoted periods are brought to the plain level and put back where a promotion is to come', () => {
  const history: Period[] = [...sold([2, 2, 2]), { units: 6, promoted: true }, { units: 6, promoted: true }];
  expect(cleanHistory(history)).toEqual({ units: [2, 2, 2, 3, 3], estimated: 0, uplift: 2 }); // (3 + 3 + 2) ÷ 4
  const answer = forecast(history, { horizon: 2, quantiles: [0.5], promoted: [false, true] });
  expect(answer.uplift).toBe(2);
  expect(answer.periods[1]!.quantiles[0]).toBe(2 * answer.periods[0]!.quantiles[0]!);
  expect(cleanHistory([{ units: 9, promoted: true }, ...sold([1, 1, 1])]).uplift).toBe(1); // one promotion proves nothing
});

test('a strict season is found by the back-test and followed', () => {
  const answer = forecast(sold(repeated([2, 2, 3, 3, 5, 9, 8], 4)), { horizon: 7, quantiles: [0.1, 0.9], season: 7 });
  expect([answer.method, answer.pattern, answer.backtest.origins, answer.backtest.loss]).toEqual(['seasonal-naive', 'smooth', 12, 0]);
  expect(answer.periods.map((p) => p.quantiles)).toEqual([2, 2, 3, 3, 5, 9, 8].map((n) => [n, n]));
});

test('two cycles ahead the last cycle is repeated', () => {
  expect(forecast(sold(repeated([1, 5], 10)), { horizon: 4, quantiles: [0.5], season: 2 }).periods.map((p) => p.mean)).toEqual([1, 5, 1, 5]);
});

test('a constant series, a short one, one of zeros', () => {
  const constant = forecast(sold(repeated([5], 20)), { horizon: 1, quantiles: [0.5] });
  expect([constant.method, constant.periods[0]!.quantiles, constant.backtest.loss]).toEqual(['ensemble', [5], 0]);
  const short = forecast(sold([1, 2, 1, 2]), { horizon: 1, quantiles: [0.5] });
  expect([short.method, short.backtest]).toEqual(['ensemble', { origins: 0, loss: 0, methods: [] }]);
  const zeros = forecast(sold(repeated([0], 30)), { horizon: 2, quantiles: [0.5, 0.9] });
  expect([zeros.pattern, zeros.periods.map((p) => p.quantiles)]).toEqual(['none', [[0, 0], [0, 0]]]);
});

test('the level of intermittent demand: each method by its formula', () => {
  const units = repeated([0, 0, 0, 4], 5); // interval 4, chance 1/4, size 4
  const mean = (name: string): number => METHODS.find((m) => m.name === name)!.predict(units, 1, 1)[0]!.mean;
  expect(mean('croston')).toBeCloseTo(1, 10);
  expect(mean('syntetos-boylan')).toBeCloseTo(0.95, 10);
  const dead = [...units, ...repeated([0], 40)];
  const after = (name: string): number => METHODS.find((m) => m.name === name)!.predict(dead, 1, 1)[0]!.mean;
  expect(after('croston')).toBeGreaterThan(0.4); // it does not see a SKU die
  expect(after('teunter-syntetos-babai')).toBeLessThan(0.05);
});

test('patterns by interval and variation', () => {
  expect([[5, 6, 5, 6], [1, 20, 1, 20], [0, 3, 0, 3], [0, 1, 0, 0, 20], [0, 0]].map(patternOf)).toEqual(['smooth', 'erratic', 'intermittent', 'lumpy', 'none']);
});

test('quantiles rise, are never negative, and the same history gives the same answer; a period never sees the next', () => {
  fc.assert(fc.property(fc.array(fc.nat(40), { minLength: 4, maxLength: 40 }), fc.integer({ min: 1, max: 8 }), (units, season) => {
    const options = { horizon: 3, quantiles: [0.05, 0.5, 0.95], season };
    const answer = forecast(sold(units), options);
    for (const p of answer.periods) {
      expect(p.quantiles).toEqual([...p.quantiles].sort((a, b) => a - b));
      expect(p.quantiles[0]).toBeGreaterThanOrEqual(0);
      expect(Number.isFinite(p.mean)).toBe(true);
    }
    expect(forecast(sold(units), options)).toEqual(answer);
    for (const m of answer.backtest.methods) expect(m.loss).toBeGreaterThanOrEqual(0);
  }), { numRuns: 60, seed: 6 });
});

test('what no forecast can be made from is told with a pointer', () => {
  const good = { horizon: 1, quantiles: [0.5] };
  const field = (history: readonly Period[], options = good): unknown => {
    try {
      checkQuestion(history, options);
    } catch (error) {
      return (error as { field: string }).field;
    }
    return null;
  };
  expect(field(sold([1, 2, 3, 4]))).toBe(null);
  expect(field(sold([1, 2, 3]))).toBe('/history');
  expect(field(sold([1, 2, -3, 4]))).toBe('/history/2/units');
  expect(field(repeated([0], 4).map((units) => ({ units, stockedOut: true })))).toBe('/history');
  expect(field(sold([1, 2, 3, 4]), { horizon: 1, quantiles: [0.5, 1] })).toBe('/quantiles/1');
  expect(field(sold([1, 2, 3, 4]), { horizon: 1, quantiles: [0] })).toBe('/quantiles/0');
  expect(field(sold([1, 2, 3, 4]), { horizon: 1, quantiles: [0.5, 0.4] })).toBe('/quantiles/1');
});

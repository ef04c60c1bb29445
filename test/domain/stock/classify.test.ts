import { describe, expect, test } from 'vitest';
import { actionFor, classify, withinTolerance, type LineFacts } from '../../../domain/stock/classify.ts';

const TAKEN = 1_000_000_000;
const MINUTE = 60_000;
const facts = (changes: Partial<LineFacts>): LineFacts => ({ counted: 10, onHand: 10, flows: [], packed: 0, factors: [], known: true, superseded: false, ...changes });
const seen = (changes: Partial<LineFacts>): [string, number, number] => {
  const { class: of, expected, variance } = classify(facts(changes), TAKEN, 15 * MINUTE);
  return [of, expected, variance];
};
const after = (minutes: number, units: number) => ({ at: TAKEN + minutes * MINUTE, units });

describe('expected is the book as of the count', () => {
  test.each<[string, Partial<LineFacts>, [string, number, number]]>([
    ['nothing moved', {}, ['match', 10, 0]],
    ['sold since', { onHand: 7, flows: [after(60, -3)] }, ['match', 10, 0]],
    ['received since', { onHand: 15, flows: [after(60, 5)] }, ['match', 10, 0]],
    ['sold before the count', { onHand: 10, flows: [after(-60, -3)] }, ['match', 10, 0]],
    ['at the very time of the count: before it', { onHand: 10, flows: [after(0, -3)] }, ['match', 10, 0]],
    ['less', { counted: 8 }, ['loss', 10, -2]],
    ['more', { counted: 13 }, ['gain', 10, 3]],
    ['not known', { known: false, onHand: 0 }, ['unknown_sku', 0, 10]],
    ['counted later already', { counted: 2, superseded: true }, ['superseded', 10, -8]],
  ])('%s', (_, changes, outcome) => { expect(seen(changes)).toEqual(outcome); });
});

describe('why it differs', () => {
  test.each<[string, Partial<LineFacts>, string]>([
    ['booked hours after the count, which had it', { counted: 7, onHand: 7, flows: [after(120, -3)] }, 'timing'],
    ['the first two of three', { counted: 5, onHand: 4, flows: [after(90, -2), after(60, -3), after(120, -1)] }, 'timing'],
    ['one of several', { counted: 8, onHand: 5, flows: [after(60, -3), after(90, -2)] }, 'timing'],
    ['not exactly: a loss', { counted: 6, onHand: 7, flows: [after(120, -3)] }, 'loss'],
    ['booked just before, counted without it', { counted: 13, flows: [after(-10, -3)] }, 'in_flight'],
    ['only a part of it', { counted: 12, flows: [after(-10, -3)] }, 'in_flight'],
    ['more than was on its way', { counted: 14, flows: [after(-10, -3)] }, 'gain'],
    ['received just before, not put away yet', { counted: 6, flows: [after(-10, 4)] }, 'in_flight'],
    ['received an hour before', { counted: 6, flows: [after(-60, 4)] }, 'loss'],
    ['packed and off the shelf', { counted: 8, packed: 2 }, 'in_flight'],
    ['more than is packed', { counted: 7, packed: 2 }, 'loss'],
    ['packed explains no gain', { counted: 11, packed: 2 }, 'gain'],
    ['counted in boxes of 12', { counted: 2, onHand: 24, factors: [6, 12] }, 'unit_of_measure'],
    ['boxes in the book, pieces counted', { counted: 120, onHand: 10, factors: [12] }, 'unit_of_measure'],
    ['boxes, but not exactly', { counted: 2, onHand: 25, factors: [12] }, 'loss'],
    ['nothing times twelve is nothing', { counted: 0, onHand: 0, factors: [12] }, 'match'],
    ['all gone is no unit', { counted: 0, onHand: 12, factors: [12] }, 'loss'],
    ['a unit even where goods are on their way', { counted: 2, onHand: 24, packed: 24, factors: [12] }, 'unit_of_measure'],
  ])('%s', (_, changes, of) => { expect(seen(changes)[0]).toBe(of); });
});

describe('what is done', () => {
  const tolerance = { units: 2, percent: 1 };
  const loss = (variance: number, expected = 100) => ({ class: 'loss' as const, expected, variance });

  test.each<[number, number, boolean]>([[-2, 10, true], [-3, 10, false], [3, 300, true], [4, 300, false], [2, 0, true], [3, -5, false]])('%i of %i', (variance, expected, inside) => {
    expect(withinTolerance(variance, expected, tolerance)).toBe(inside);
  });

  test.each<[string, ReturnType<typeof actionFor>, Parameters<typeof actionFor>]>([
    ['inside', 'adjust', [loss(-2), tolerance, null, true]],
    ['outside', 'recount', [loss(-9), tolerance, null, true]],
    ['found again', 'adjust', [loss(-9), tolerance, -9, true]],
    ['found again, nearly', 'adjust', [loss(-9), tolerance, -8, true]],
    ['another one than before', 'recount', [loss(-9), tolerance, -5, true]],
    ['a gain now', 'recount', [{ class: 'gain', expected: 100, variance: 9 }, tolerance, -9, true]],
    ['cannot be booked', 'recount', [loss(-1), tolerance, null, false]],
    ['timing', 'none', [{ class: 'timing', expected: 100, variance: -1 }, tolerance, null, true]],
    ['superseded', 'none', [{ class: 'superseded', expected: 100, variance: -1 }, tolerance, null, true]],
  ])('%s: %s', (_, action, args) => { expect(actionFor(...args)).toBe(action); });
});

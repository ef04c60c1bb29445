import { describe, expect, test } from 'vitest';
import { compensation, nextMove, type Ladder, type PromiseState, type PromiseView } from '../../../domain/promising/ladder.ts';
import { hurried } from '../../../domain/promising/hurry.ts';
import { urgent } from '../../../domain/routing/urgent.ts';
import type { RoutingInstance } from '../../../domain/routing/model.ts';

const MIN = 60_000;
const full: Ladder = {
  atRiskMinutes: 60, reSource: { latenessPerDay: 1000, waitMinutes: 30 }, upgrade: { maxExtraCost: 500, waitMinutes: 20 },
  ask: { options: ['wait', 'cancel'], answerMinutes: 120, otherwise: 'wait' }, compensate: { kind: 'voucher', percent: 10, atMost: 2000, lateMinutes: 60 },
};
const state = (s: Partial<PromiseState> = {}): PromiseState => ({ rung: 'none', until: null, broken: false, ...s });
const view = (v: Partial<PromiseView> = {}): PromiseView => ({ promisedBy: 1000 * MIN, expectedBy: 2000 * MIN, movable: true, options: ['wait'], deliveredAt: null, over: false, lookAt: 500 * MIN, ...v });

describe('the ladder', () => {
  test('on time it rests until something may change, at least a minute', () => {
    expect(nextMove(full, state(), view({ expectedBy: 900 * MIN }), 0)).toEqual({ do: 'rest', until: 500 * MIN });
    expect(nextMove(full, state(), view({ expectedBy: 900 * MIN, lookAt: 5000 * MIN }), 0)).toEqual({ do: 'rest', until: 1060 * MIN + 1 });
    expect(nextMove(full, state(), view({ expectedBy: 900 * MIN, lookAt: 1 }), 10)).toEqual({ do: 'rest', until: 10 + MIN });
  });

  test('late it is climbed rung by rung; each waits its time', () => {
    expect(nextMove(full, state(), view(), 0)).toEqual({ do: 'enter', rung: 'at_risk', until: null });
    expect(nextMove(full, state({ rung: 'at_risk' }), view(), 0)).toEqual({ do: 'enter', rung: 're_source', until: 30 * MIN });
    expect(nextMove(full, state({ rung: 're_source', until: 30 * MIN }), view(), 10 * MIN)).toEqual({ do: 'rest', until: 30 * MIN });
    expect(nextMove(full, state({ rung: 're_source', until: 30 * MIN }), view(), 30 * MIN)).toEqual({ do: 'enter', rung: 'upgrade', until: 50 * MIN });
    expect(nextMove(full, state({ rung: 'upgrade', until: null }), view(), 30 * MIN)).toEqual({ do: 'enter', rung: 'ask', until: 150 * MIN });
    expect(nextMove(full, state({ rung: 'ask', until: 150 * MIN }), view(), 150 * MIN)).toEqual({ do: 'assume', answer: 'wait' });
    expect(nextMove(full, state({ rung: 'exhausted' }), view(), 150 * MIN)).toEqual({ do: 'rest', until: 500 * MIN });
  });

  test('what is unknown is late; rungs that are absent, or have nothing to move or to offer, are passed over', () => {
    expect(nextMove(full, state({ rung: 'at_risk' }), view({ expectedBy: null, movable: false }), 0)).toEqual({ do: 'enter', rung: 'ask', until: 120 * MIN });
    expect(nextMove(full, state({ rung: 'at_risk' }), view({ movable: false, options: [] }), 0)).toEqual({ do: 'enter', rung: 'exhausted', until: null });
    expect(nextMove({ atRiskMinutes: 0 }, state({ rung: 'at_risk' }), view(), 0)).toEqual({ do: 'enter', rung: 'exhausted', until: null });
  });

  test('on time again, it begins anew', () => {
    expect(nextMove(full, state({ rung: 'ask', until: 900 * MIN }), view({ expectedBy: 1000 * MIN }), 0)).toEqual({ do: 'recover' });
  });

  test('while something of it is in no plan it is not said to be on time again', () => {
    const late = view({ expectedBy: 1000 * MIN, unplaced: true });
    expect(nextMove(full, state({ rung: 're_source', until: 30 * MIN }), late, 0)).toEqual({ do: 'rest', until: 30 * MIN });
    expect(nextMove(full, state({ rung: 're_source', until: 30 * MIN }), late, 40 * MIN)).toEqual({ do: 'rest', until: 500 * MIN });
    expect(nextMove(full, state(), late, 0)).toEqual({ do: 'rest', until: 500 * MIN });
  });

  test('broken once, from the minute that is owed for; then closed with the goods', () => {
    expect(nextMove(full, state({ rung: 'exhausted' }), view(), 1060 * MIN)).toEqual({ do: 'rest', until: 1061 * MIN });
    expect(nextMove(full, state({ rung: 'exhausted' }), view(), 1060 * MIN + 1)).toEqual({ do: 'break', lateMinutes: 60, compensate: true });
    expect(nextMove(full, state({ rung: 'exhausted', broken: true }), view({ lookAt: 3000 * MIN }), 1061 * MIN)).toEqual({ do: 'rest', until: 3000 * MIN });
    expect(nextMove(full, state(), view({ deliveredAt: 1010 * MIN }), 1011 * MIN)).toEqual({ do: 'break', lateMinutes: 10, compensate: false });
    expect(nextMove(full, state(), view({ deliveredAt: 1100 * MIN }), 1101 * MIN)).toEqual({ do: 'break', lateMinutes: 100, compensate: true });
    expect(nextMove(full, state({ broken: true }), view({ deliveredAt: 1100 * MIN }), 1101 * MIN)).toEqual({ do: 'close' });
    expect(nextMove(full, state(), view({ deliveredAt: 1000 * MIN }), 1101 * MIN)).toEqual({ do: 'close' });
    expect(nextMove(full, state({ rung: 'ask' }), view({ over: true }), 1101 * MIN)).toEqual({ do: 'close' });
  });

  test('every way ends: from any state moves lead to rest or close', () => {
    for (const rung of ['none', 'at_risk', 're_source', 'upgrade', 'ask', 'exhausted'] as const) for (const broken of [true, false]) for (const expectedBy of [null, 1, 5000 * MIN]) for (const now of [0, 1001 * MIN, 1100 * MIN]) {
      let at = state({ rung, broken });
      for (let i = 0; ; i++) {
        expect(i).toBeLessThan(9);
        const move = nextMove(full, at, view({ expectedBy }), now);
        if (move.do === 'rest' || move.do === 'close' || move.do === 'assume') break;
        if (move.do === 'break') at = { ...at, broken: true };
        else at = move.do === 'recover' ? { ...at, rung: 'none', until: null } : { ...at, rung: move.rung, until: move.until };
      }
    }
  });

  test('a compensation is rounded down and capped', () => {
    const rule = { kind: 'refund' as const, percent: 10, atMost: 2000, lateMinutes: 0 };
    expect([compensation(rule, 1999), compensation(rule, 50_000), compensation(rule, 9)]).toEqual([199, 2000, 0]);
  });
});

test('a hurried instance weighs lateness at least so much, by the services and places that are named', () => {
  const weights = { shipping: 1000, handling: 1000, splitPenalty: 0, latenessPerDay: 50, loadBalance: 0, opportunity: 0, slowCredit: 0, settlement: 0 };
  const plain = { order: { excluded: ['B'] }, rates: [{ carrier: 'x' }, { carrier: 'x', service: 'express' }], policy: { weights } } as unknown as RoutingInstance;
  expect(urgent(plain)).toBe(plain);
  expect(urgent(hurried(plain, { latenessPerDay: 10 }))).toEqual({ ...plain, hurry: { latenessPerDay: 10 } });
  // The policy and the order's exclusions stay what they were: what hurries is told by itself.
  const hurry = { latenessPerDay: 90, services: ['express'], exclude: ['A', 'B'] };
  expect(hurried(plain, hurry)).toEqual({ ...plain, hurry });
  expect(urgent(hurried(plain, hurry))).toEqual({ order: { excluded: ['B'] }, rates: [{ carrier: 'x', service: 'express' }], policy: { weights: { ...weights, latenessPerDay: 90 } }, hurry });
});

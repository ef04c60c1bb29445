import { describe, expect, test } from 'vitest';
import type { MoveLane, MovePlan, MoveSite } from '../../../domain/redistribution/model.ts';
import { planMoves } from '../../../domain/redistribution/plan.ts';
import { explainMove } from '../../../domain/redistribution/words.ts';
import { shortProbability } from '../../../domain/replenishment/negative-binomial.ts';
import { openHighs } from '../../../runtime/highs.ts';

const highs = await openHighs();
const EFFORT = { seconds: 5, gap: 0 };
const rules = { minimumGain: 0, mostLanes: 100 };
const site = (location: string, free: number, mean: number, more: Partial<MoveSite> = {}): MoveSite => ({ sku: 'S', location, free, position: free, law: { mean, dispersion: 0 }, value: 1000, ...more });
const lane = (from: string, to: string, perTrip = 0, perUnit = 0): MoveLane => ({ from, to, perTrip, perUnit });
const brief = (p: MovePlan): string[] => p.trips.map((t) => `${t.from}>${t.to} ${t.moves.map((m) => `${m.units}${m.sku}`).join('+')}`);

describe.each([['with the solver', highs], ['without', null]] as const)('%s', (_, solve) => {
  const plan = (sites: MoveSite[], lanes: MoveLane[], more: Partial<typeof rules> = {}): MovePlan => planMoves(sites, lanes, { ...rules, ...more }, solve, EFFORT);

  test('units go where they sell, as long as each gains more than its handling', () => {
    const p = plan([site('A', 10, 0), site('B', 0, 3)], [lane('A', 'B', 200, 150)]);
    // The k-th unit sells with P(D > k − 1): 0.950, 0.801, 0.577, 0.353, 0.185 and 0.084: the sixth does not earn 150.
    expect(brief(p)).toEqual(['A>B 5S']);
    const gained = [0, 1, 2, 3, 4].reduce((sum, k) => sum + 1000 * shortProbability({ mean: 3, dispersion: 0 }, k), 0);
    expect(p.trips[0]).toMatchObject({ units: 5, gained: Math.round(gained), lost: 0, cost: 950, gain: Math.round(gained) - 950 });
    expect(p.gain).toBe(p.trips[0]?.gain);
  });

  test('what the sender would have sold counts against it', () => {
    expect(brief(plan([site('A', 4, 4), site('B', 4, 4)], [lane('A', 'B')]))).toEqual([]);
    const p = plan([site('A', 6, 4), site('B', 2, 4)], [lane('A', 'B', 0, 1)]);
    expect(brief(p)).toEqual(['A>B 2S']);
    expect(p.trips[0]!.lost).toBe(Math.round(1000 * (shortProbability({ mean: 4, dispersion: 0 }, 5) + shortProbability({ mean: 4, dispersion: 0 }, 4))));
  });

  test('a trip that does not gain the minimum is not made; several SKUs share one', () => {
    const two = [site('A', 5, 0), site('B', 0, 1), site('A', 5, 0, { sku: 'T' }), site('B', 0, 1, { sku: 'T' })];
    // Each SKU alone gains about 632 + 264 + 80 + …, less than a trip of 1500; both together more.
    expect(brief(plan(two.slice(0, 2), [lane('A', 'B', 1500)]))).toEqual([]);
    expect(plan(two, [lane('A', 'B', 1500)]).trips.map((t) => t.moves.length)).toEqual([2]);
    expect(brief(plan(two, [lane('A', 'B', 1500)], { minimumGain: 1000 }))).toEqual([]);
  });

  test('nobody gives what is reserved, and nothing comes from nowhere', () => {
    expect(brief(plan([site('A', 1, 0, { position: 9 }), site('B', 0, 9)], [lane('A', 'B')]))).toEqual(['A>B 1S']);
    expect(brief(plan([site('A', 0, 0), site('B', 0, 9)], [lane('A', 'B')]))).toEqual([]);
    expect(plan([], []).trips).toEqual([]);
  });

  test('bad input is told where it is', () => {
    expect(() => plan([site('A', -1, 0)], [])).toThrow('free stock is -1');
    expect(() => plan([site('A', 1, 0), site('A', 1, 0)], [])).toThrow('there twice');
    expect(() => plan([], [lane('A', 'A')])).toThrow('no lane to itself');
    expect(() => plan([], [lane('A', 'B', -1)])).toThrow('a trip costs -1');
    expect(() => plan([], [], { minimumGain: -1 })).toThrow('minimum gain');
  });
});

test('one optimisation beats trips one after the other: the sender that one trip would empty serves both', () => {
  // Greedy sends A\'s units to C, which gains most, and leaves B to a trip that does not pay.
  const sites = [site('A', 4, 0), site('D', 4, 0), site('B', 0, 4), site('C', 0, 5)];
  const lanes = [lane('A', 'B', 100), lane('A', 'C', 100), lane('D', 'C', 400), lane('D', 'B', 3000)];
  const [exact, simple] = [planMoves(sites, lanes, rules, highs, EFFORT), planMoves(sites, lanes, rules, null, EFFORT)];
  expect(exact.how).toBe('optimal');
  expect(exact.gain).toBeGreaterThan(simple.gain);
  expect(brief(exact)).toEqual(['D>C 4S', 'A>B 4S']);
});

test('a solver that fails leaves the simple plan; the words say why', () => {
  const broken = () => ({ optimal: false, feasible: false, objective: 0, columns: new Map<string, number>() });
  const p = planMoves([site('A', 10, 0), site('B', 0, 3)], [lane('A', 'B', 200, 150)], rules, broken, EFFORT);
  expect([p.how, brief(p)]).toEqual(['greedy', ['A>B 5S']]);
  expect(explainMove(p.trips[0]!.moves[0]!, 'A', 'B')).toBe('5 × S: the first sells with 95 % at B and 0 % at A; expected margin 28.65 there against 0.00 here');
});

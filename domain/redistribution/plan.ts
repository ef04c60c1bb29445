import { Problem } from '../problem.ts';
import { greedyTrips } from './greedy.ts';
import { candidates, type Worths } from './lanes.ts';
import { worthOf, type Worth } from './marginal.ts';
import type { Move, MoveLane, MovePlan, MoveRules, MoveSite, Solve, Trip } from './model.ts';
import { readFlows, toProgram } from './program.ts';
import type { Flow } from './shelves.ts';

/** The solver's: seconds, and the share of the gain that a better plan might still have. */
export type Effort = { seconds: number; gap: number };

/**
 * Which units of a category's SKUs to move between which locations: the trips and units of greatest expected gain, as one optimisation; every trip gains at least the minimum over its cost.
 * Without a solver, or where it ends without a plan better than the simple one, trips are taken one after the other by their gain. Pure but for the solver.
 * @throws Problem with a pointer where a site, lane or rule makes no sense
 */
export function planMoves(sites: readonly MoveSite[], lanes: readonly MoveLane[], rules: MoveRules, solve: Solve | null, effort: Effort): MovePlan {
  check(sites, lanes, rules);
  const worths = byLocation(sites);
  const { found, leftOut } = candidates(lanes, worths, rules);
  const simple = toTrips(greedyTrips(found, worths, rules), worths, rules);
  const answer = { lanes: found.length, lanesLeftOut: leftOut };
  if (!solve || found.length === 0) return { ...simple, ...answer, how: found.length === 0 ? 'optimal' : 'greedy' };
  const program = toProgram(found, worths, rules);
  const solved = solve(program.lp, { seconds: effort.seconds, gap: effort.gap });
  if (!solved.feasible) return { ...simple, ...answer, how: 'greedy' };
  const planned = toTrips(readFlows(program, found, solved.columns), worths, rules);
  const best = planned.gain >= simple.gain ? planned : simple;
  return { ...best, ...answer, how: solved.optimal ? 'optimal' : 'time' };
}

function byLocation(sites: readonly MoveSite[]): Worths {
  const found = new Map<string, Map<string, Worth>>();
  for (const site of sites) {
    const here = found.get(site.location) ?? new Map<string, Worth>();
    found.set(site.location, here.set(site.sku, worthOf(site)));
  }
  return found;
}

/**
 * Flows as trips with their reasons. Units of a SKU at a site are worth what comes before them: a sender's first trip takes the cheapest, a receiver's first brings the dearest. A trip that
 * gains less than the minimum by this count (two trips share what one alone would gain) is left out.
 */
function toTrips(flows: readonly Flow[], worths: Worths, rules: MoveRules): { trips: Trip[]; gain: number } {
  const trips = new Map<string, Trip & { perUnit: number }>();
  const [given, taken] = [new Map<string, number>(), new Map<string, number>()];
  const sumOf = (worth: Float64Array, from: number, units: number): number => worth.subarray(from, from + units).reduce((a, b) => a + b, 0);
  for (const { lane, sku, units } of flows) {
    const [from, to] = [worths.get(lane.from)?.get(sku), worths.get(lane.to)?.get(sku)];
    if (!from || !to) throw new Error(`a plan moves ${sku} between ${lane.from} and ${lane.to}, of which one is not there`);
    const [here, there] = [`${lane.from}\n${sku}`, `${lane.to}\n${sku}`];
    const [before, after] = [given.get(here) ?? 0, taken.get(there) ?? 0];
    given.set(here, before + units);
    taken.set(there, after + units);
    const move: Move = {
      sku, units, gained: sumOf(to.takes, after, units), lost: sumOf(from.gives, before, units),
      sellsThere: (to.takes[after] ?? 0) / to.site.value, sellsHere: (from.gives[before] ?? 0) / from.site.value,
    };
    const key = `${lane.from}\n${lane.to}`;
    const trip = trips.get(key) ?? { from: lane.from, to: lane.to, moves: [], units: 0, gained: 0, lost: 0, cost: lane.perTrip, gain: 0, perUnit: lane.perUnit };
    trip.moves.push(move);
    trip.units += units;
    trip.gained += move.gained;
    trip.lost += move.lost;
    trip.cost += lane.perUnit * units;
    trips.set(key, trip);
  }
  const kept = [...trips.values()].map(({ perUnit: _, ...trip }) => rounded(trip)).filter((t) => t.gain >= rules.minimumGain && t.gain > 0)
    .sort((a, b) => b.gain - a.gain || (a.from < b.from ? -1 : a.from > b.from ? 1 : a.to < b.to ? -1 : 1));
  return { trips: kept, gain: kept.reduce((sum, t) => sum + t.gain, 0) };
}

/** Money in whole minor units; the gain is that of the rounded figures, so that a reader's sum agrees. */
function rounded(trip: Omit<Trip, 'gain'>): Trip {
  const moves = trip.moves.map((m) => ({ ...m, gained: Math.round(m.gained), lost: Math.round(m.lost) })).sort((a, b) => b.gained - b.lost - (a.gained - a.lost) || (a.sku < b.sku ? -1 : 1));
  const [gained, lost, cost] = [moves.reduce((sum, m) => sum + m.gained, 0), moves.reduce((sum, m) => sum + m.lost, 0), Math.round(trip.cost)];
  return { ...trip, moves, gained, lost, cost, gain: gained - lost - cost };
}

function check(sites: readonly MoveSite[], lanes: readonly MoveLane[], rules: MoveRules): void {
  const seen = new Set<string>();
  sites.forEach((s, i) => {
    if (!Number.isSafeInteger(s.free) || s.free < 0) throw new Problem('unprocessable', `free stock is ${s.free}: a whole number, 0 or more, is needed`, `/sites/${i}/free`);
    if (!Number.isSafeInteger(s.position)) throw new Problem('unprocessable', `the position is ${s.position}: a whole number is needed`, `/sites/${i}/position`);
    if (!(s.value > 0)) throw new Problem('unprocessable', `a unit is worth ${s.value}: more than 0 is needed`, `/sites/${i}/value`);
    if (!(s.law.mean >= 0) || !(s.law.dispersion >= 0)) throw new Problem('unprocessable', 'mean and dispersion of demand are 0 or more', `/sites/${i}/law`);
    const key = `${s.sku}\n${s.location}`;
    if (seen.has(key)) throw new Problem('unprocessable', `SKU ${s.sku} at ${s.location} is there twice`, `/sites/${i}`);
    seen.add(key);
  });
  lanes.forEach((l, i) => {
    if (l.from === l.to) throw new Problem('unprocessable', `${l.from} is no lane to itself`, `/lanes/${i}/to`);
    if (!(l.perTrip >= 0)) throw new Problem('unprocessable', `a trip costs ${l.perTrip}: 0 or more is needed`, `/lanes/${i}/perTrip`);
    if (!(l.perUnit >= 0)) throw new Problem('unprocessable', `a move costs ${l.perUnit}: 0 or more is needed`, `/lanes/${i}/perUnit`);
  });
  if (!(rules.minimumGain >= 0)) throw new Problem('unprocessable', `the minimum gain is ${rules.minimumGain}: 0 or more is needed`, '/rules/minimumGain');
  if (!Number.isSafeInteger(rules.mostLanes) || rules.mostLanes < 1) throw new Problem('unprocessable', `${rules.mostLanes} lanes at most: a whole number, 1 or more, is needed`, '/rules/mostLanes');
}

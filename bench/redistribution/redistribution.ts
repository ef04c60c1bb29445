import { openHighs } from '../../runtime/highs.ts';
import { calibrateNode } from '../support/calibrate-node.ts';
import { JOURNEY, readSales, weekStart } from '../support/journey-sales.ts';
import { readGround, type Category, type Economics } from './ground.ts';
import { simulateSeason, type Moving, type Outcome, type Season } from './season.ts';

const [FIRST_WEEK, LAST_WEEK] = [27, 39];
const SKUS = 30;
/** What the set does not tell: a unit sold brings 70 % of its price more than one left at the end of the season; a trip of a category costs 0.30 within a city, 0.80 between cities, and 0.08 a unit for both ends' handling (the set is a panel of households: trips are scaled like sales); eight cities. */
const ECONOMICS: Economics = { value: 0.7, tripInCity: 30, tripBetween: 80, perUnit: 8, cities: 8 };
const RULES = { minimumGain: 20, mostLanes: 150 };
const EFFORT = { seconds: 2, gap: 0.05 };
const STAYING = [0.3, 0.4, 0.5, 0.6, 0.68, 0.75, 0.8, 0.84, 0.88, 0.91, 0.94, 0.96, 0.98, 0.99];
const MOVING = [0.6, 0.7];
const FILL = 0.9;
const round = (n: number): number => Math.round(n * 1000) / 1000;
/** `fill`: units sold ÷ asked; `net`: (margin sold − cost of moves) ÷ margin asked; `turnover`: mean stock, on hand and under way, in days of its sales. */
type Point = { service: number; fill: number; net: number; turnover: number; outcome: Outcome };

/**
 * Turnover days with and without moves between stores, at an equal fill rate net of what the moves cost, on real demand: a season of 13 weeks bought once (`turnoverRatio`), and the same stores
 * supplied every four weeks (`turnoverRatioSupplied`, with the argument `supplied`). Moves are planned by the product's own function, one program a category, every two weeks (every week where
 * supplied). Arguments: the folder of the set; how many SKUs; `supplied`.
 */
export async function redistribution(args: string[]): Promise<Record<string, unknown>> {
  const calibration = calibrateNode();
  const directory = args[0] ?? JOURNEY;
  const started = performance.now();
  const categories = readGround(readSales(directory), directory, Number(args[1] ?? SKUS), FIRST_WEEK, ECONOMICS);
  const solve = await openHighs();
  const moving: Moving = { rules: RULES, effort: EFFORT, solve };
  const [from, to] = [weekStart(FIRST_WEEK), weekStart(LAST_WEEK + 1)];
  const spots = categories.reduce((sum, c) => sum + c.spots.length, 0);
  console.log(`${categories.length} categories, ${new Set(categories.flatMap((c) => c.spots.map((s) => s.sku))).size} SKUs, ${spots} SKU × store, ${new Set(categories.flatMap((c) => c.spots.map((s) => s.store))).size} stores, days ${from}–${to - 1}`);
  const once = compare('bought once for 13 weeks', categories, { from, to, delivery: to - from, review: 14, transit: 2 }, moving);
  const supplied = args[2] === 'supplied' ? compare('supplied every 4 weeks', categories, { from, to, delivery: 28, review: 7, transit: 2 }, moving) : null;
  return {
    bench: 'redistribution', skus: new Set(categories.flatMap((c) => c.spots.map((s) => s.sku))).size, spots, netFill: FILL, turnoverRatio: round(once.ratio), turnoverDays: round(once.moved), turnoverDaysStaying: round(once.stayed),
    points: once.points, ...(supplied ? { turnoverRatioSupplied: round(supplied.ratio), suppliedPoints: supplied.points } : {}), economics: ECONOMICS, rules: RULES, seconds: Math.round((performance.now() - started) / 1000), calibration,
  };
}

function compare(name: string, categories: readonly Category[], season: Season, moving: Moving): { ratio: number; moved: number; stayed: number; points: Record<string, number>[] } {
  const run = (service: number, by: Moving | null): Point => {
    const outcome = categories.map((c) => simulateSeason(c, season, service, by)).reduce(add);
    const { asked, sold, held, marginAsked, marginSold, cost } = outcome;
    return { service, fill: sold / asked, net: (marginSold - cost) / marginAsked, turnover: held / sold, outcome };
  };
  const staying = STAYING.map((service) => run(service, null));
  const moved = MOVING.map((service) => run(service, moving));
  console.log(`${name}: quantile stocked, fill rate, net of moves, turnover days`);
  for (const p of staying) console.log(`  staying ${p.service}: ${p.fill.toFixed(3)}, ${p.net.toFixed(3)}, ${p.turnover.toFixed(1)}`);
  const points = moved.map((p) => {
    const stay = turnoverAt(staying, p.net);
    console.log(`  moving ${p.service}: ${p.fill.toFixed(3)}, ${p.net.toFixed(3)}, ${p.turnover.toFixed(1)} (staying at the same net fill: ${stay.toFixed(1)}); ${p.outcome.trips} trips, ${p.outcome.moved} units of ${p.outcome.sold} sold, cost ${(p.outcome.cost / 100).toFixed(0)}; plans ${JSON.stringify(p.outcome.plans)}`);
    return { service: p.service, fill: round(p.fill), netFill: round(p.net), turnoverDays: round(p.turnover), turnoverRatio: round(p.turnover / stay), trips: p.outcome.trips, units: p.outcome.moved, cost: p.outcome.cost };
  });
  const [ours, theirs] = [turnoverAt(moved, FILL), turnoverAt(staying, FILL)];
  console.log(`  at net fill ${FILL}: ${theirs.toFixed(1)} days staying, ${ours.toFixed(1)} moving (${(ours / theirs).toFixed(3)})`);
  return { ratio: ours / theirs, moved: ours, stayed: theirs, points };
}

const add = (a: Outcome, b: Outcome): Outcome => ({
  asked: a.asked + b.asked, sold: a.sold + b.sold, held: a.held + b.held, marginAsked: a.marginAsked + b.marginAsked, marginSold: a.marginSold + b.marginSold, moved: a.moved + b.moved, trips: a.trips + b.trips,
  cost: a.cost + b.cost, plans: { optimal: a.plans.optimal + b.plans.optimal, time: a.plans.time + b.plans.time, greedy: a.plans.greedy + b.plans.greedy },
});

/** Turnover days at a net fill rate, between the two nearest points of a curve; NaN where it does not reach it. */
function turnoverAt(curve: readonly Point[], net: number): number {
  const points = [...curve].sort((a, b) => a.net - b.net);
  const above = points.findIndex((p) => p.net >= net);
  if (above <= 0) return Number.NaN;
  const [low, high] = [points[above - 1]!, points[above]!];
  return low.turnover + ((net - low.net) / (high.net - low.net)) * (high.turnover - low.turnover);
}

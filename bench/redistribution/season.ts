import type { MovePlan, MoveRules, MoveSite, Solve } from '../../domain/redistribution/model.ts';
import { planMoves, type Effort } from '../../domain/redistribution/plan.ts';
import { cleanHistory } from '../../domain/replenishment/clean.ts';
import { demandOver } from '../../domain/replenishment/cover.ts';
import { quantileOf, type NegativeBinomial } from '../../domain/replenishment/negative-binomial.ts';
import type { Category } from './ground.ts';

/** `from` … `to` − 1 are simulated; stock comes at `from` and then every `delivery` days; moves are planned every `review` days and are `transit` days on their way. */
export type Season = { from: number; to: number; delivery: number; review: number; transit: number };
export type Moving = { rules: MoveRules; solve: Solve; effort: Effort };
/** Units asked for, sold, held (on hand and under way, summed over days), the margin of them, and what the moves took. */
export type Outcome = { asked: number; sold: number; held: number; marginAsked: number; marginSold: number; moved: number; trips: number; cost: number; plans: Record<MovePlan['how'], number> };

/**
 * One category, lost sales. Every delivery brings each spot to the quantile `service` of its demand until the next; nothing is taken back. Laws are of the weeks before the day, with weeks in which the
 * simulated shelf was empty marked as stock-outs: what a shop could not sell nobody knows. `moving` null: units stay where they came.
 */
export function simulateSeason(category: Category, season: Season, service: number, moving: Moving | null): Outcome {
  const { spots } = category;
  const out: Outcome = { asked: 0, sold: 0, held: 0, marginAsked: 0, marginSold: 0, moved: 0, trips: 0, cost: 0, plans: { optimal: 0, time: 0, greedy: 0 } };
  const stock = spots.map(() => 0);
  const seen = spots.map((s) => weeksBefore(s.daily, season.from));
  const week = spots.map(() => ({ units: 0, out: false }));
  const place = new Map(spots.map((s, i) => [`${s.store}\n${s.sku}`, i]));
  let underWay: { at: number; spot: number; units: number }[] = [];
  const law = (i: number, days: number): NegativeBinomial => demandOver(cleanHistory(seen[i]!), Math.max(1, days) / 7);
  for (let day = season.from; day < season.to; day++) {
    const sinceStart = day - season.from;
    for (const u of underWay) if (u.at === day) stock[u.spot] = stock[u.spot]! + u.units;
    underWay = underWay.filter((u) => u.at > day);
    const coming = spots.map(() => 0);
    for (const u of underWay) coming[u.spot] = coming[u.spot]! + u.units;
    const next = Math.min(season.to, season.from + (Math.floor(sinceStart / season.delivery) + 1) * season.delivery);
    if (sinceStart % season.delivery === 0) spots.forEach((_, i) => { stock[i] = Math.max(stock[i]!, quantileOf(law(i, next - day), service) - coming[i]!); });
    else if (moving && sinceStart % season.review === 0 && next - day > season.transit) {
      const sites = spots.map((s, i): MoveSite => ({ sku: s.sku, location: s.store, free: stock[i]!, position: stock[i]! + coming[i]!, law: law(i, next - day), value: s.value }));
      const plan = planMoves(sites, category.lanes, moving.rules, moving.solve, moving.effort);
      out.plans[plan.how]++;
      for (const trip of plan.trips) {
        out.trips++;
        out.cost += trip.cost;
        for (const m of trip.moves) {
          const [a, b] = [place.get(`${trip.from}\n${m.sku}`)!, place.get(`${trip.to}\n${m.sku}`)!];
          stock[a] = stock[a]! - m.units;
          underWay.push({ at: day + season.transit, spot: b, units: m.units });
          out.moved += m.units;
        }
      }
    }
    for (const u of underWay) out.held += u.units;
    spots.forEach((s, i) => {
      const want = s.daily[day]!;
      const got = Math.min(want, stock[i]!);
      stock[i] = stock[i]! - got;
      out.asked += want;
      out.sold += got;
      out.marginAsked += want * s.value;
      out.marginSold += got * s.value;
      out.held += stock[i]!;
      week[i]!.units += got;
      if (stock[i] === 0) week[i]!.out = true;
    });
    if (sinceStart % 7 === 6) spots.forEach((_, i) => {
      seen[i]!.push({ units: week[i]!.units, stockedOut: week[i]!.out });
      week[i] = { units: 0, out: false };
    });
  }
  return out;
}

function weeksBefore(daily: ArrayLike<number>, from: number): { units: number; stockedOut?: boolean }[] {
  return Array.from({ length: Math.floor((from - 1) / 7) }, (_, w) => {
    let units = 0;
    for (let d = 1 + 7 * w; d < 8 + 7 * w; d++) units += daily[d]!;
    return { units };
  });
}

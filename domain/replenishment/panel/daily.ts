import { asFrequent, cumulated, dayOf, lawOfDays, MOST, sumOf, type Probabilities } from '../compound.ts';
import { cumulatedLaw } from '../negative-binomial.ts';
import { factorOf, fitFactors, placeOf, type Observation, type Places } from './rate-factors.ts';

/** Daily units of one SKU in one location, and of the SKU in the whole chain, both from day 0 of the panel. */
export type DailySeries = { units: ArrayLike<number>; chain: ArrayLike<number> };

/** Demand over the lead time and over lead time + review, as cumulated probabilities of 0 … `SPAN` − 1 units. */
export type Cover = { lead: Float64Array; all: Float64Array };

export const SPAN = 200;
const FADE = 0.01;
const FAST = 0.05;
const LEAST_RATE = 0.01;
/** Worth of the panel's own law of a day in that of a series, in days. */
const DOUBT = 3;
const SINCE = [1, 2, 3, 4, 5, 6, 7, 8, 10, 14, 20, 30, 45];
const RATE = [0.1, 0.2, 0.35, 0.6, 1];
const CHAIN = [0.5, 0.75, 1, 1.3, 1.7, 2.5];
const TREND = [0.2, 0.45, 0.7, 1, 1.3, 1.8, 2.5];
const SIZES = [(SINCE.length + 1) * (RATE.length + 1), CHAIN.length + 1, TREND.length + 1];
/** Days before the first observation: a rate needs a past. */
const WARM_UP = 84;

/** What is known of a series before each day: nothing of that day or later. */
type State = { rate: Float64Array; places: Places[] };

/**
 * Daily demand of a panel: each series has its own law of a day (its past days, faded, with a little of the panel's law), whose frequency is moved by what the panel
 * has taught: days since its last sale, the SKU's sales in the chain since the week began against their level (a promotion shows there first), and the series' own
 * trend. The factors are fitted on the days before `known` only. Sums over days: the convolution and a negative binomial of the same moments, averaged.
 */
export class DailyPanel {
  readonly #series: readonly DailySeries[];
  readonly #states: State[];
  readonly #factors: Float64Array[];
  readonly #prior: Probabilities;

  /** @param known days that have been seen when the factors are fitted; `days` all that states are needed for; `firstOfWeek` day 0 is so many days into its week */
  constructor(series: readonly DailySeries[], options: { known: number; days: number; cover: number; dayOfWeek: number }) {
    this.#series = series;
    this.#states = series.map((s) => stateOf(s, options.days, options.dayOfWeek));
    this.#prior = priorOf(series, options.known);
    const observations: Observation[] = [];
    series.forEach((s, i) => {
      const state = this.#states[i] as State;
      for (let t = WARM_UP; t + options.cover <= options.known; t++) {
        let units = 0;
        for (let h = 0; h < options.cover; h++) units += s.units[t + h] ?? 0;
        observations.push({ places: state.places[t] as Places, expected: options.cover * (state.rate[t] as number), units });
      }
    });
    this.#factors = fitFactors(observations, SIZES);
  }

  /** Demand of series `i` from the morning of `day` on: over `lead` days, and over `lead` + `review`. */
  cover(i: number, day: number, lead: number, review: number): Cover {
    const series = this.#series[i] as DailySeries;
    const one = asFrequent(dayOf(series.units, day, FADE, this.#prior, DOUBT), factorOf(this.#factors, (this.#states[i] as State).places[day] as Places));
    let sum: Probabilities = Float64Array.of(1);
    let overLead = sum;
    for (let d = 1; d <= lead + review; d++) {
      sum = sumOf(sum, one, SPAN);
      if (d === lead) overLead = sum;
    }
    return { lead: blend(overLead, one, lead), all: blend(sum, one, lead + review) };
  }
}

/** Mean of the convolution and the negative binomial: the one knows the sizes that were seen, the other those that may come. */
function blend(exact: Probabilities, day: Probabilities, days: number): Float64Array {
  const [one, other] = [cumulated(exact, SPAN), cumulatedLaw(lawOfDays(day, days), SPAN)];
  return one.map((p, k) => (p + (other[k] ?? 1)) / 2);
}

function priorOf(series: readonly DailySeries[], known: number): Probabilities {
  const found = new Float64Array(MOST);
  for (const s of series) for (let t = WARM_UP; t < known; t++) {
    const units = Math.min(MOST - 1, s.units[t] ?? 0);
    found[units] = (found[units] ?? 0) + 1;
  }
  const sum = found.reduce((a, b) => a + b, 0);
  return found.map((n) => n / Math.max(1, sum));
}

function stateOf({ units, chain }: DailySeries, days: number, dayOfWeek: number): State {
  const rate = new Float64Array(days);
  const places: Places[] = [];
  const chainLevel = new Float64Array(days);
  const own = { slow: [0, 0] as [number, number], fast: [0, 0] as [number, number], chain: [0, 0] as [number, number] };
  let last = -60;
  for (let t = 0; t < days; t++) {
    const slow = Math.max(LEAST_RATE, mean(own.slow));
    rate[t] = slow;
    chainLevel[t] = mean(own.chain);
    places.push([placeOf(t - last, SINCE) * (RATE.length + 1) + placeOf(slow, RATE), placeOf(chainRatio(chain, chainLevel, t, (t + dayOfWeek) % 7), CHAIN), placeOf((mean(own.fast) + 0.01) / (slow + 0.01), TREND)]);
    if ((units[t] ?? 0) > 0) last = t;
    add(own.slow, units[t] ?? 0, FADE);
    add(own.fast, units[t] ?? 0, FAST);
    add(own.chain, chain[t] ?? 0, FADE);
  }
  return { rate, places };
}

/** Sales of the chain since the week began (of the last two days while it is young) against their level when it began. */
function chainRatio(chain: ArrayLike<number>, level: Float64Array, t: number, intoWeek: number): number {
  const from = Math.max(0, t - Math.max(2, intoWeek));
  let came = 0;
  for (let u = from; u < t; u++) came += chain[u] ?? 0;
  return (came + 5) / ((t - from) * (level[from] ?? 0) + 5);
}

const mean = ([sum, weight]: readonly [number, number]): number => (weight === 0 ? 0 : sum / weight);
function add(into: [number, number], units: number, fade: number): void {
  into[0] = into[0] * (1 - fade) + units;
  into[1] = into[1] * (1 - fade) + 1;
}

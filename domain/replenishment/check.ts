import { Problem } from '../problem.ts';
import { LEAST_PERIODS } from './forecast.ts';
import type { ForecastOptions, Period } from './model.ts';

/** What a forecast cannot be made from. Throws Problem with a JSON pointer into { history, quantiles, promoted, … }. */
export function checkQuestion(history: readonly Period[], { horizon, quantiles, promoted }: ForecastOptions): void {
  if (history.length < LEAST_PERIODS) throw new Problem('unprocessable', `${history.length} periods tell nothing: a forecast needs at least ${LEAST_PERIODS}`, '/history');
  history.forEach((p, i) => {
    if (!Number.isFinite(p.units) || p.units < 0) throw new Problem('unprocessable', `${p.units} units: a period sold 0 or more; count one of more returns than sales as 0`, `/history/${i}/units`);
  });
  if (history.every((p) => p.stockedOut === true)) throw new Problem('unprocessable', 'stock was out in every period: nothing tells how much would have been sold', '/history');
  quantiles.forEach((q, i) => {
    if (!(q > 0 && q < 1)) throw new Problem('unprocessable', `${q} is no quantile: it must be above 0 and below 1`, `/quantiles/${i}`);
    const before = quantiles[i - 1];
    if (before !== undefined && q <= before) throw new Problem('unprocessable', `quantiles must rise: ${q} follows ${before}`, `/quantiles/${i}`);
  });
  if (promoted !== undefined && promoted.length > horizon) throw new Problem('unprocessable', `${promoted.length} periods are marked and ${horizon} asked for`, '/promoted');
}

/** One period (a day, a week) of a series, oldest first. */
export type Period = {
  /** units sold net of cancels and returns; a period of more returns than sales counts as 0, so never negative */
  units: number;
  /** stock was out for some of it: demand was at least `units` */
  stockedOut?: boolean;
  /** the price was reduced or the SKU was advertised */
  promoted?: boolean;
};

/** A series as the methods see it: what would have been asked for, all periods of one kind. */
export type Cleaned = { units: number[]; /** periods that were censored and estimated */ estimated: number; /** demand of a promoted period ÷ that of a plain one; 1 where nothing tells */ uplift: number };

/** Demand of one coming period. */
export type Distribution = { mean: number; /** the units that demand does not exceed with probability `p`, 0 < p < 1; may be a fraction */ quantile(p: number): number };

export type Method = {
  name: string;
  /** where it comes from */
  source: string;
  /** fewest periods it needs */
  least(season: number): number;
  /** the next period and `horizon` − 1 more, from all of `units` */
  predict(units: readonly number[], horizon: number, season: number): Distribution[];
};

export type ForecastOptions = {
  /** periods ahead */
  horizon: number;
  /** each within (0, 1), rising */
  quantiles: readonly number[];
  /** periods of a cycle (7 for days of a week, 52 for weeks of a year); 1, the default: none */
  season?: number;
  /** which of the coming periods are promoted; the default: none */
  promoted?: readonly boolean[];
};

export type Forecast = {
  method: string;
  source: string;
  /** smooth, erratic, intermittent or lumpy demand (Syntetos, Boylan & Croston 2005) */
  pattern: Pattern;
  /** mean pinball loss of one period ahead over the quantiles, in units, at `origins` past moments; of the chosen method and of all that took part */
  backtest: { origins: number; loss: number; methods: { method: string; loss: number }[] };
  estimated: number;
  uplift: number;
  periods: { mean: number; quantiles: number[] }[];
};

export type Pattern = 'none' | 'smooth' | 'erratic' | 'intermittent' | 'lumpy';

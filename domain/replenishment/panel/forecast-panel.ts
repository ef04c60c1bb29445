import { boost, predictBoosted, type BoostOptions, type Rows } from './boost.ts';
import { rowOf, type PanelSeries, type Row } from './features.ts';

/** The best of five settings on the Complete Journey set; what that is worth is said in docs/replenishment.md. */
export const PANEL_OPTIONS: BoostOptions = { trees: 120, depth: 4, rate: 0.06, leaf: 120, every: 3 };
/** The first period that is learned from: before it nobody knows a series. */
const FIRST = 13;

/** Rows of series and moments, kept between origins: a moment never changes. */
export class Panel {
  readonly #series: readonly PanelSeries[];
  readonly #quantiles: readonly number[];
  readonly #rows = new Map<number, Row[]>();
  readonly #members: (t: number) => readonly number[];

  /** `members`: which series period t teaches with, all unless said. Who plans for the best sellers of the past must learn from those who were it then. */
  constructor(series: readonly PanelSeries[], quantiles: readonly number[], members?: (t: number) => readonly number[]) {
    this.#series = series;
    this.#quantiles = quantiles;
    this.#members = members ?? (() => series.map((_, i) => i));
  }

  #at(t: number): Row[] {
    let rows = this.#rows.get(t);
    if (!rows) this.#rows.set(t, (rows = this.#series.map((s) => rowOf(s, t, this.#quantiles))));
    return rows;
  }

  /**
   * Quantiles of period `t` for every series, `[series][q]`, in units: the series teach each other, as the best entries of the M5 competition did (Makridakis,
   * Spiliotis & Assimakopoulos 2022, The M5 uncertainty competition, Int. J. Forecasting 38). Learns from the periods `FIRST` … t − 1 and nothing later.
   * Forecasts near a whole number are taken as that number: sales are counts, and so are the quantiles of their law.
   */
  forecast(t: number, options: BoostOptions = PANEL_OPTIONS): number[][] {
    const past: Row[] = [];
    const target: number[] = [];
    for (let u = FIRST; u < t; u++) {
      const rows = this.#at(u);
      for (const i of this.#members(u)) {
        const row = rows[i];
        if (!row) throw new Error(`series ${i} is no member of a panel of ${rows.length}`);
        past.push(row);
        target.push(this.#series[i]?.units[u] ?? 0);
      }
    }
    const [learned, now] = [columns(past, this.#quantiles.length), columns(this.#at(t), this.#quantiles.length)];
    // Trees of its own for each quantile: what tells about zeros tells little about peaks.
    const found = this.#quantiles.map((q, j) => {
      const [before, ahead] = [[learned.start[j] ?? new Float64Array(0)], [now.start[j] ?? new Float64Array(0)]];
      return predictBoosted(boost({ ...learned, start: before, target: Float64Array.from(target) }, [q], options), { ...now, start: ahead })[0] ?? new Float64Array(0);
    });
    return this.#series.map((_, i) => found.map((q) => toCount(q[i] ?? 0)));
  }
}

const toCount = (n: number): number => (Math.abs(n - Math.round(n)) < 0.4 ? Math.round(n) : n);

function columns(rows: readonly Row[], quantiles: number): Omit<Rows, 'target'> {
  const features = (rows[0]?.features ?? []).map((_, f) => Float64Array.from(rows, (r) => r.features[f] ?? 0));
  return {
    features, scale: Float64Array.from(rows, (r) => r.scale), start: Array.from({ length: quantiles }, (_, q) => Float64Array.from(rows, (r) => r.start[q] ?? 0)),
  };
}

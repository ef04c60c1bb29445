/** How a panel is learned. */
export type BoostOptions = { trees: number; depth: number; rate: number; /** fewest rows of a leaf */ leaf: number; /** one of so many features is looked at by a tree's level */ every: number };
/** Rows as columns: `features[f][row]`; targets and starting quantiles in units; `scale` > 0 is what a row's numbers are multiples of. */
export type Rows = { features: Float64Array[]; target: Float64Array; scale: Float64Array; /** `start[q][row]` */ start: Float64Array[] };
type Split = { feature: number; bin: number };
type Tree = { levels: Split[][]; /** `[q][leaf]`, multiples of scale */ leaves: Float64Array[] };
export type Boosted = { edges: Float64Array[]; trees: Tree[]; rate: number };

const BINS = 32;
/** Leaf values are read from so many steps of a row's scale. */
const STEPS = 400;
const LOWEST = -4;
const HIGHEST = 8;

/**
 * Gradient boosting of several quantiles at once (Friedman 2001, Greedy function approximation, Annals of Statistics 29; histogram splits: Ke et al. 2017, LightGBM).
 * One tree serves all quantiles: a split's gain is the sum over them, a leaf holds for each the weighted quantile of what is left. Deterministic.
 * @param quantiles rising, within (0, 1)
 */
export function boost(rows: Rows, quantiles: readonly number[], options: BoostOptions): Boosted {
  const edges = rows.features.map(edgesOf);
  const bins = rows.features.map((column, f) => binned(column, edges[f] ?? new Float64Array(0)));
  const now = rows.start.map((s) => Float64Array.from(s));
  const trees: Tree[] = [];
  for (let number = 0; number < options.trees; number++) {
    const node = new Uint16Array(rows.target.length);
    const slopes = quantiles.map((q, j) => slopeOf(rows, now[j] ?? new Float64Array(0), q));
    const levels: Split[][] = [];
    for (let d = 0; d < options.depth; d++) {
      const splits = bestSplits(bins, slopes, rows.scale, node, 2 ** d, (f) => (f * 7 + number * 13 + d * 5) % options.every === 0, options.leaf);
      descend(bins, node, splits);
      levels.push(splits);
    }
    const leaves = quantiles.map((q, j) => leafValues(rows, now[j] ?? new Float64Array(0), node, 2 ** options.depth, q));
    leaves.forEach((values, j) => {
      const at = now[j] ?? new Float64Array(0);
      for (let r = 0; r < at.length; r++) at[r] = (at[r] as number) + options.rate * (values[node[r] as number] as number) * (rows.scale[r] as number);
    });
    trees.push({ levels, leaves });
  }
  return { edges, trees, rate: options.rate };
}

/** Quantiles of rows, `[q][row]`, not negative and not crossing. */
export function predictBoosted(model: Boosted, rows: Omit<Rows, 'target'>): Float64Array[] {
  const bins = rows.features.map((column, f) => binned(column, model.edges[f] ?? new Float64Array(0)));
  const now = rows.start.map((s) => Float64Array.from(s));
  const node = new Uint16Array(rows.scale.length);
  for (const tree of model.trees) {
    node.fill(0);
    for (const splits of tree.levels) descend(bins, node, splits);
    tree.leaves.forEach((values, j) => {
      const at = now[j] ?? new Float64Array(0);
      for (let r = 0; r < at.length; r++) at[r] = (at[r] as number) + model.rate * (values[node[r] as number] as number) * (rows.scale[r] as number);
    });
  }
  for (let r = 0; r < node.length; r++) {
    let least = 0;
    for (const at of now) least = at[r] = Math.max(least, at[r] as number);
  }
  return now;
}

function edgesOf(column: Float64Array): Float64Array {
  const sorted = Float64Array.from(column).sort();
  const found: number[] = [];
  for (let b = 1; b < BINS; b++) {
    const edge = sorted[Math.floor((sorted.length * b) / BINS)] ?? 0;
    if (found.length === 0 || edge > (found.at(-1) as number)) found.push(edge);
  }
  return Float64Array.from(found);
}

function binned(column: Float64Array, edges: Float64Array): Uint8Array {
  const out = new Uint8Array(column.length);
  for (let r = 0; r < column.length; r++) {
    let [low, high] = [0, edges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((column[r] as number) > (edges[middle] as number)) low = middle + 1;
      else high = middle;
    }
    out[r] = low;
  }
  return out;
}

/** Slope of the pinball loss against the forecast, in multiples of the row's scale, made comparable between quantiles. */
function slopeOf({ target, scale }: Rows, at: Float64Array, q: number): Float64Array {
  const weight = 1 / Math.sqrt(q * (1 - q));
  return Float64Array.from(target, (y, r) => (y > (at[r] as number) ? q : y < (at[r] as number) ? q - 1 : 0) * (scale[r] as number) * weight);
}

function bestSplits(bins: readonly Uint8Array[], slopes: readonly Float64Array[], scale: Float64Array, node: Uint16Array, nodes: number, use: (feature: number) => boolean, leaf: number): Split[] {
  const best = Array.from({ length: nodes }, () => ({ gain: 0, feature: -1, bin: 0 }));
  const width = slopes.length + 2; // slopes, weight, rows
  const sums = new Float64Array(nodes * BINS * width);
  const left = new Float64Array(width);
  const all = new Float64Array(width);
  bins.forEach((column, feature) => {
    if (!use(feature)) return;
    sums.fill(0);
    for (let r = 0; r < column.length; r++) {
      const at = ((node[r] as number) * BINS + (column[r] as number)) * width;
      for (let j = 0; j < slopes.length; j++) sums[at + j] = (sums[at + j] as number) + ((slopes[j] as Float64Array)[r] as number);
      sums[at + width - 2] = (sums[at + width - 2] as number) + (scale[r] as number);
      sums[at + width - 1] = (sums[at + width - 1] as number) + 1;
    }
    best.forEach((found, k) => {
      all.fill(0);
      left.fill(0);
      for (let b = 0; b < BINS; b++) for (let c = 0; c < width; c++) all[c] = (all[c] as number) + (sums[(k * BINS + b) * width + c] as number);
      for (let b = 0; b < BINS - 1; b++) {
        for (let c = 0; c < width; c++) left[c] = (left[c] as number) + (sums[(k * BINS + b) * width + c] as number);
        const count = left[width - 1] as number;
        if (count < leaf || (all[width - 1] as number) - count < leaf) continue;
        let gain = 0;
        for (let j = 0; j < slopes.length; j++) gain += gainOf(left[j] as number, left[width - 2] as number, all[j] as number, all[width - 2] as number);
        if (gain > found.gain) Object.assign(found, { gain, feature, bin: b });
      }
    });
  });
  return best.map(({ feature, bin }) => ({ feature, bin }));
}

const gainOf = (left: number, leftWeight: number, all: number, weight: number): number =>
  (left * left) / leftWeight + ((all - left) * (all - left)) / (weight - leftWeight) - (all * all) / weight;

function descend(bins: readonly Uint8Array[], node: Uint16Array, splits: readonly Split[]): void {
  for (let r = 0; r < node.length; r++) {
    const k = node[r] as number;
    const split = splits[k] as Split;
    node[r] = 2 * k + (split.feature >= 0 && ((bins[split.feature] as Uint8Array)[r] as number) > split.bin ? 1 : 0);
  }
}

/** For each leaf the q-quantile of (target − forecast) ÷ scale, rows weighted by scale, to a step of 0.03. */
function leafValues({ target, scale }: Rows, at: Float64Array, node: Uint16Array, leaves: number, q: number): Float64Array {
  const step = (HIGHEST - LOWEST) / STEPS;
  const sums = new Float64Array(leaves * STEPS);
  const total = new Float64Array(leaves);
  for (let r = 0; r < target.length; r++) {
    const left = ((target[r] as number) - (at[r] as number)) / (scale[r] as number);
    const place = Math.min(STEPS - 1, Math.max(0, Math.floor((left - LOWEST) / step)));
    const leaf = node[r] as number;
    sums[leaf * STEPS + place] = (sums[leaf * STEPS + place] as number) + (scale[r] as number);
    total[leaf] = (total[leaf] as number) + (scale[r] as number);
  }
  return Float64Array.from(total, (weight, leaf) => {
    let below = 0;
    for (let place = 0; place < STEPS && weight > 0; place++) {
      const here = sums[leaf * STEPS + place] as number;
      if (below + here >= q * weight) return LOWEST + step * (place + (here === 0 ? 0 : (q * weight - below) / here));
      below += here;
    }
    return 0;
  });
}

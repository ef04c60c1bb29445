/** Chance that a row is a case, by its features. */
export type LogisticModel = { weights: Float64Array; mean: Float64Array; spread: Float64Array };

const ROUNDS = 7;

/**
 * Logistic regression with a ridge of `ridge` on standardised features, by Newton's method (iteratively reweighted least squares: Hastie, Tibshirani & Friedman 2009,
 * The Elements of Statistical Learning, 4.4.1 and 4.4.4). Deterministic. `rows[i]` are the features of a row without a constant; `cases[i]` is 1 or 0.
 */
export function fitLogistic(rows: readonly Float64Array[], cases: ArrayLike<number>, ridge: number): LogisticModel {
  const size = (rows[0]?.length ?? 0) + 1;
  const { mean, spread } = moments(rows, size);
  const scaled = rows.map((r) => standardised(r, mean, spread));
  const weights = new Float64Array(size);
  for (let round = 0; round < ROUNDS; round++) {
    const slope = new Float64Array(size);
    const curve = Array.from({ length: size }, () => new Float64Array(size));
    scaled.forEach((z, i) => {
      const p = chance(weights, z);
      const weight = p * (1 - p) + 1e-6;
      for (let j = 0; j < size; j++) {
        const zj = z[j] as number;
        slope[j] = (slope[j] as number) + ((cases[i] ?? 0) - p) * zj;
        const line = curve[j] as Float64Array;
        const part = weight * zj;
        for (let k = 0; k <= j; k++) line[k] = (line[k] as number) + part * (z[k] as number);
      }
    });
    for (let j = 0; j < size; j++) {
      if (j > 0) slope[j] = (slope[j] as number) - ridge * (weights[j] as number);
      (curve[j] as Float64Array)[j] = ((curve[j] as Float64Array)[j] as number) + ridge;
    }
    solve(curve, slope).forEach((step, j) => { weights[j] = (weights[j] as number) + step; });
  }
  return { weights, mean, spread };
}

export const predictLogistic = ({ weights, mean, spread }: LogisticModel, row: Float64Array): number => chance(weights, standardised(row, mean, spread));

function chance(weights: Float64Array, z: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < z.length; j++) sum += (weights[j] as number) * (z[j] as number);
  return 1 / (1 + Math.exp(-sum));
}

function standardised(row: Float64Array, mean: Float64Array, spread: Float64Array): Float64Array {
  const z = new Float64Array(row.length + 1);
  z[0] = 1;
  for (let j = 0; j < row.length; j++) z[j + 1] = ((row[j] as number) - (mean[j + 1] as number)) / (spread[j + 1] as number);
  return z;
}

function moments(rows: readonly Float64Array[], size: number): { mean: Float64Array; spread: Float64Array } {
  const [mean, square] = [new Float64Array(size), new Float64Array(size)];
  for (const r of rows) for (let j = 0; j < r.length; j++) mean[j + 1] = (mean[j + 1] as number) + (r[j] as number) / rows.length;
  for (const r of rows) for (let j = 0; j < r.length; j++) square[j + 1] = (square[j + 1] as number) + ((r[j] as number) - (mean[j + 1] as number)) ** 2 / rows.length;
  return { mean, spread: square.map((v) => Math.sqrt(v) || 1) };
}

/** Solves a symmetric positive definite system in place, by Cholesky's factors. Only the lower half is read. */
function solve(a: Float64Array[], b: Float64Array): Float64Array {
  const n = b.length;
  const at = (i: number, j: number): number => (a[i] as Float64Array)[j] as number;
  for (let j = 0; j < n; j++) for (let k = 0; k <= j; k++) {
    let sum = at(j, k);
    for (let t = 0; t < k; t++) sum -= at(j, t) * at(k, t);
    (a[j] as Float64Array)[k] = j === k ? Math.sqrt(Math.max(sum, 1e-9)) : sum / at(k, k);
  }
  const x = Float64Array.from(b);
  for (let j = 0; j < n; j++) {
    for (let t = 0; t < j; t++) x[j] = (x[j] as number) - at(j, t) * (x[t] as number);
    x[j] = (x[j] as number) / at(j, j);
  }
  for (let j = n - 1; j >= 0; j--) {
    for (let t = j + 1; t < n; t++) x[j] = (x[j] as number) - at(t, j) * (x[t] as number);
    x[j] = (x[j] as number) / at(j, j);
  }
  return x;
}

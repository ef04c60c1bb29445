export type Accuracy = { countedLines: number; matchedLines: number };

/** Snapshots after which an old one weighs half. */
export const HALF_LIFE = 10;

/**
 * Count accuracy of a location: Σ matched·w ⁄ Σ counted·w over its snapshots, where the weight of one halves with every ten that follow: w = 2^(−age ⁄ 10). Both
 * sums are kept, so a large snapshot weighs more than a small one. Formula: exponential smoothing (R. G. Brown, 1956) of both sums.
 * `matched`: lines where book and count agree once what was under way is taken into account; `counted`: those and the ones that differ.
 */
export function addSnapshot(before: Accuracy | null, matched: number, counted: number): Accuracy {
  const decay = 2 ** (-1 / HALF_LIFE);
  return { countedLines: (before?.countedLines ?? 0) * decay + counted, matchedLines: (before?.matchedLines ?? 0) * decay + matched };
}

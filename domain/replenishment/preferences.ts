/** Units of a value (a category, a colour) in a group (a region, a channel). */
export type PreferenceCell = { value: string; group: string; units: number };
/**
 * `share`: of the group's units; `expectedShare`: of all units. `index`: the one ÷ the other, 1 where they are alike (location quotient). `z`: adjusted residual; `p`: two-sided; `significant`: at the
 * false discovery rate asked for, over all cells.
 */
export type Preference = { value: string; group: string; units: number; share: number; expectedShare: number; index: number; z: number; p: number; significant: boolean };

/** A cell that chance alone would fill with fewer units tells nothing by a normal law (Cochran 1954, Biometrics 10). */
const LEAST_EXPECTED = 5;

/**
 * What each group prefers against all groups together. Adjusted residuals of the table (Haberman 1973, The analysis of residuals in cross-classified tables, Biometrics 29), divided by the
 * root of `dispersion` because units come in baskets (quasi-Poisson: McCullagh & Nelder 1989, Generalized Linear Models, 6.2.3); of many cells the significant ones by
 * Benjamini & Hochberg 1995, J. Royal Statistical Society B 57, at false discovery `rate`. Strongest first.
 * @param dispersion variance ÷ mean of the units that come together, 1 or more
 */
export function preferences(cells: readonly PreferenceCell[], dispersion: number, rate = 0.05): Preference[] {
  const [ofValue, ofGroup] = [new Map<string, number>(), new Map<string, number>()];
  let all = 0;
  for (const { value, group, units } of cells) {
    ofValue.set(value, (ofValue.get(value) ?? 0) + units);
    ofGroup.set(group, (ofGroup.get(group) ?? 0) + units);
    all += units;
  }
  const seen = new Map(cells.map((c) => [`${c.value}\n${c.group}`, c.units]));
  const rows: Preference[] = [];
  for (const [value, inValue] of ofValue) for (const [group, inGroup] of ofGroup) {
    const units = seen.get(`${value}\n${group}`) ?? 0;
    const expected = (inValue * inGroup) / all;
    const spread = Math.sqrt(expected * (1 - inValue / all) * (1 - inGroup / all) * Math.max(1, dispersion));
    const z = expected >= LEAST_EXPECTED && spread > 0 ? (units - expected) / spread : 0;
    const expectedShare = inValue / all;
    rows.push({ value, group, units, share: units / inGroup, expectedShare, index: units / inGroup / expectedShare, z, p: twoSided(z), significant: false });
  }
  rows.sort((a, b) => a.p - b.p || Math.abs(b.z) - Math.abs(a.z) || (a.value + a.group < b.value + b.group ? -1 : 1));
  let last = -1;
  rows.forEach((r, i) => { if (r.z !== 0 && r.p <= ((i + 1) / rows.length) * rate) last = i; });
  rows.forEach((r, i) => { r.significant = i <= last; });
  return rows;
}

/** P(|N| ≥ |z|): Abramowitz & Stegun 1964, 7.1.26 (error below 2 · 10⁻⁷). */
function twoSided(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  return Math.min(1, t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.exp(-x * x));
}

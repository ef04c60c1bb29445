import * as highsPackage from 'highs';

// The package's types describe CommonJS; under ESM its default is one deeper.
const loadHighs = highsPackage.default as unknown as (typeof highsPackage)['default']['default'];

/** `columns`, `duals`: by the names of the model's columns and rows; duals of a program with integers are empty. `optimal`: within the gap that was asked for. */
export type Solved = { optimal: boolean; feasible: boolean; objective: number; columns: Map<string, number>; duals: Map<string, number> };
export type LpSolver = (lp: string, options: { seconds: number; gap: number }) => Solved;

/** The HiGHS solver (MIT, compiled to WebAssembly). Its heap only grows, so a fresh one is made now and then. */
export async function openHighs(): Promise<LpSolver> {
  const highs = await loadHighs();
  return (lp, { seconds, gap }) => {
    const started = performance.now();
    const options = { time_limit: seconds, mip_rel_gap: gap, output_flag: false } as const;
    // Prices from the middle of the optimal face are had sooner than a corner, and lead column generation to its end in fewer rounds.
    const inner = /^(Binary|General)$/m.test(lp) ? null : highs.solve(lp, { ...options, solver: 'ipm', run_crossover: 'off', presolve: 'off' });
    const { Status, ObjectiveValue, Columns, Rows } = inner?.Status === 'Optimal' ? inner : highs.solve(lp, { ...options, time_limit: Math.max(0.1, seconds - (performance.now() - started) / 1000) });
    const columns = new Map(Object.entries(Columns).map(([name, c]) => [name, 'Primal' in c ? c.Primal : Number.NaN]));
    const feasible = columns.size > 0 && [...columns.values()].every((v) => Number.isFinite(v));
    const duals = new Map(Rows.flatMap((r) => ('Dual' in r && typeof r.Dual === 'number' && 'Name' in r ? [[r.Name, r.Dual] as const] : [])));
    return { optimal: Status === 'Optimal', feasible, objective: ObjectiveValue, columns, duals };
  };
}

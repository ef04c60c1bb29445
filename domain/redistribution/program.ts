import type { Candidate, Worths } from './lanes.ts';
import type { MoveRules } from './model.ts';
import type { Flow } from './shelves.ts';
import type { Worth } from './marginal.ts';

/** The program, and which column is which lane's units of which SKU. */
export type Program = { lp: string; flows: { name: string; lane: number; sku: string }[] };

/** Terms of a row, a few to a line: readers of the format limit a line's length. */
function terms(parts: readonly string[]): string {
  const lines: string[] = [];
  for (let i = 0; i < parts.length; i += 12) lines.push(parts.slice(i, i + 12).join(' '));
  return lines.join('\n  ');
}
const signed = (n: number, name: string): string => `${n < 0 ? '-' : '+'} ${Math.abs(n).toFixed(3)} ${name}`;

/**
 * The moves of a category as one integer program in LP format: which trips are made (`y`), which units go by them (`x`), which units of each site's worth are given (`g`) and taken (`r`).
 *
 *     max Σ takes·r − Σ gives·g − Σ perUnit·x − Σ (perTrip + minimum gain)·y
 *     Σ_k r = Σ x into a site,  Σ_k g = Σ x out of it,  x ≤ most·y per lane and SKU,  0 ≤ r, g ≤ 1,  y ∈ {0, 1}
 *
 * r and g fill in order by themselves, because what more units are worth falls and what fewer cost rises. With the trips fixed it is a flow in a network, so units come out whole (Ahuja,
 * Magnanti & Orlin 1993, 11.4); the trips make it a fixed-charge problem, with a bound per lane and SKU (`most`: units that gain anything by it), which keeps its relaxation tight.
 */
export function toProgram(found: readonly Candidate[], worths: Worths, rules: MoveRules): Program {
  const objective: string[] = [];
  const rows: string[] = [];
  const bounds: string[] = [];
  const flows: Program['flows'] = [];
  const into = new Map<Worth, string[]>();
  const out = new Map<Worth, { names: string[]; most: number }>();
  const mostInto = new Map<Worth, number>();
  found.forEach(({ lane, skus }, l) => {
    objective.push(signed(-(lane.perTrip + rules.minimumGain), `y${l}`));
    for (const sku of skus) {
      const [from, to] = [worths.get(lane.from)?.get(sku), worths.get(lane.to)?.get(sku)];
      if (!from || !to) continue;
      const most = unitsBetween(from, to, lane.perUnit);
      const name = `x${flows.length}`;
      flows.push({ name, lane: l, sku });
      if (lane.perUnit > 0) objective.push(signed(-lane.perUnit, name));
      rows.push(` u${name}: ${name} - ${most} y${l} <= 0`);
      into.set(to, [...(into.get(to) ?? []), `- ${name}`]);
      mostInto.set(to, (mostInto.get(to) ?? 0) + most);
      const sender = out.get(from) ?? { names: [], most: 0 };
      sender.names.push(`- ${name}`);
      sender.most += most;
      out.set(from, sender);
    }
  });
  let number = 0;
  const steps = (worth: Float64Array, most: number, letter: 'r' | 'g', flow: readonly string[]): void => {
    const names = Array.from(worth.subarray(0, most), (value, k) => {
      const name = `${letter}${number}_${k}`;
      objective.push(signed(letter === 'r' ? value : -value, name));
      bounds.push(` ${name} <= 1`);
      return `+ ${name}`;
    });
    rows.push(` ${letter}s${number}: ${terms([...names, ...flow])} = 0`);
    number++;
  };
  for (const [worth, flow] of into) steps(worth.takes, mostInto.get(worth) ?? 0, 'r', flow);
  for (const [worth, { names, most }] of out) steps(worth.gives, most, 'g', names);
  const lp = ['Maximize', ` gain: ${terms(objective)}`, 'Subject To', ...rows, 'Bounds', ...bounds, 'Binary', ` ${terms(found.map((_, l) => `y${l}`))}`, 'End', ''].join('\n');
  return { lp, flows };
}

function unitsBetween(from: Worth, to: Worth, perUnit: number): number {
  let units = 0;
  while (units < from.gives.length && units < to.takes.length && (to.takes[units] ?? 0) - (from.gives[units] ?? 0) - perUnit > 0) units++;
  return units;
}

/** The flows of a solution; the gain of each is counted by the caller. */
export function readFlows(program: Program, found: readonly Candidate[], columns: ReadonlyMap<string, number>): Flow[] {
  return program.flows.flatMap(({ name, lane, sku }) => {
    const units = Math.round(columns.get(name) ?? 0);
    const by = found[lane];
    return units > 0 && by ? [{ lane: by.lane, sku, units, gain: 0 }] : [];
  });
}


import { allocate } from '../money.ts';

/** What an allotment should have. `skuId` null: of every SKU; `locationId` null: all locations together. `value`: units a SKU, or whole percent. */
export type Target = { skuId: number | null; locationId: number | null; mode: 'units' | 'percent'; value: number };
/** Free units of one SKU at a location: of the allotment, of its parent, and of the parent's other allotments that have a share in percent too. */
export type Cell = { locationId: number; own: number; parent: number; others: number };
/** `units`: positive from the parent into the allotment, negative back. */
export type TargetMove = { locationId: number; units: number };
export type TargetPlan = { wanted: number; moved: number; short: number; moves: TargetMove[] };

/** The rule for a SKU at a location, the most specific one: this SKU here, this SKU, here, any. */
export function ruleFor(targets: readonly Target[], skuId: number, locationId: number): Target | null {
  let best: Target | null = null;
  for (const t of targets) {
    if ((t.skuId !== null && t.skuId !== skuId) || (t.locationId !== null && t.locationId !== locationId)) continue;
    if (best === null || weight(t) > weight(best)) best = t;
  }
  return best;
}
const weight = (t: Target): number => (t.skuId === null ? 0 : 2) + (t.locationId === null ? 0 : 1);

/**
 * What moves so that an allotment has its target of one SKU, as far as free units go. Targets speak of units that are free to be sold: reserved ones are
 * nobody's any more. Percent is of all free units that are shared out: the allotment's, its parent's and those of the others with a share; so shares do not
 * depend on who takes first. Wanted = ⌊value · Σ ⁄ 100⌋, never more than the share. A target for several locations is spread over them in proportion to the
 * units there by largest remainder. `short`: wanted, but not there to be moved. Null where no target speaks of the SKU at these locations.
 * Formula: largest remainder (Hamilton), `allocate`.
 */
export function planTargets(targets: readonly Target[], skuId: number, cells: readonly Cell[]): TargetPlan | null {
  const groups = new Map<Target, Cell[]>();
  for (const cell of cells) {
    const rule = ruleFor(targets, skuId, cell.locationId);
    if (rule) groups.set(rule, [...(groups.get(rule) ?? []), cell]);
  }
  // Units are wanted of a SKU that is named even where there is none at all.
  for (const t of targets) if (t.skuId === skuId && t.mode === 'units' && !groups.has(t)) groups.set(t, []);
  if (groups.size === 0) return null;
  const plan: TargetPlan = { wanted: 0, moved: 0, short: 0, moves: [] };
  for (const [rule, group] of groups) planGroup(rule, group, plan);
  return plan;
}

function planGroup(rule: Target, cells: readonly Cell[], plan: TargetPlan): void {
  const percent = rule.mode === 'percent';
  const bases = cells.map((c) => c.own + c.parent + (percent ? c.others : 0));
  const base = bases.reduce((sum, units) => sum + units, 0);
  const wanted = percent ? Math.floor((rule.value * base) / 100) : rule.value;
  plan.wanted += wanted;
  plan.short += wanted;
  if (cells.length === 0) return;
  const shares = allocate(Math.min(wanted, base), bases);
  for (const [i, cell] of cells.entries()) {
    // What others hold counts for the share and cannot be taken from them here.
    const units = Math.min(shares[i] as number, cell.own + cell.parent) - cell.own;
    plan.short -= cell.own + units;
    plan.moved += units;
    if (units !== 0) plan.moves.push({ locationId: cell.locationId, units });
  }
}

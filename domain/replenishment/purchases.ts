import { fairShare } from './fair-share.ts';
import { expectedShort } from './negative-binomial.ts';
import type { Plan, PlanRules, Site, UnmetReason, VendorTerms } from './plan-model.ts';

/** A site below its level after transfers. */
export type Gap = { site: Site; position: number };
/** What may be bought next for a gap: the minimum first, then a pack at a time. */
type Step = { gap: Gap; terms: VendorTerms; units: number; cost: number; /** expected margin saved per minor unit spent */ worth: number; bought: number };

/**
 * Order lines for the gaps: whole packs, at least the minimum, rounded up to reach the level. Under a budget the step (minimum, or next pack) that saves most expected margin per
 * money spent goes first, and what no longer fits is left (marginal analysis: Fox 1966, Management Science 13). Of several vendors of a SKU the cheapest unit is taken, then the
 * smallest minimum. A source with too few units is shared fairly, in whole packs.
 */
export function planPurchases(gaps: readonly Gap[], terms: ReadonlyMap<string, readonly VendorTerms[]>, rules: Pick<PlanRules, 'budget' | 'mostOverLevel'>): Pick<Plan, 'purchases' | 'unmet' | 'spent'> {
  const purchases = new Map<Gap, Plan['purchases'][number]>();
  const reasons = new Map<Gap, UnmetReason>();
  const queue: Step[] = [];
  const vendors = new Map(gaps.map((gap) => [gap, vendorOf(gap.site, terms.get(gap.site.sku) ?? [])] as const));
  const shares = sharesOf(vendors);
  for (const gap of gaps) {
    const vendor = vendors.get(gap);
    if (!vendor) reasons.set(gap, 'no_source');
    else {
      const step = stepOf(gap, vendor, 0);
      if (step.units > (shares.get(gap) ?? Infinity)) reasons.set(gap, 'source_short');
      else if (gap.position + step.units > Math.max(gap.site.level, Math.floor(gap.site.level * rules.mostOverLevel)) && step.units > packsFor(gap, vendor)) reasons.set(gap, 'minimum_too_large');
      else queue.push(step);
    }
  }
  let spent = 0;
  const buy = (step: Step): Step | null => {
    const line = purchases.get(step.gap) ?? { sku: step.gap.site.sku, vendor: step.terms.vendor, location: step.gap.site.location, units: 0, cost: 0 };
    line.units += step.units;
    line.cost += step.cost;
    spent += step.cost;
    purchases.set(step.gap, line);
    if (step.gap.position + line.units >= step.gap.site.level) return null;
    const next = stepOf(step.gap, step.terms, line.units);
    if (line.units + next.units <= (shares.get(step.gap) ?? Infinity)) return next;
    reasons.set(step.gap, 'source_short');
    return null;
  };
  if (rules.budget === null) for (const first of queue) for (let step: Step | null = first; step !== null;) step = buy(step);
  else {
    const heap = [...queue].sort(byWorth);
    for (let step = heap.shift(); step !== undefined; step = heap.shift()) {
      if (spent + step.cost > rules.budget) {
        reasons.set(step.gap, 'budget');
        continue;
      }
      const next = buy(step);
      if (next) insert(heap, next);
    }
  }
  const unmet = [...reasons].map(([gap, reason]) => ({ sku: gap.site.sku, location: gap.site.location, units: gap.site.level - gap.position - (purchases.get(gap)?.units ?? 0), reason }));
  return { purchases: [...purchases.values()], unmet, spent };
}

const byWorth = (a: Step, b: Step): number => b.worth - a.worth;

function insert(sorted: Step[], step: Step): void {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.worth ?? 0) >= step.worth) low = middle + 1;
    else high = middle;
  }
  sorted.splice(low, 0, step);
}

/** Units that each gap may take of a source that has only so many; gaps of other sources are not in it. */
function sharesOf(vendors: ReadonlyMap<Gap, VendorTerms | undefined>): Map<Gap, number> {
  const short = new Map<VendorTerms, Gap[]>();
  for (const [gap, terms] of vendors) if (terms?.available !== undefined) short.set(terms, [...(short.get(terms) ?? []), gap]);
  const shares = new Map<Gap, number>();
  for (const [terms, gaps] of short) {
    const given = fairShare(terms.available ?? 0, gaps.map((g) => ({ position: g.position, level: g.position + packsFor(g, terms), law: g.site.law })));
    gaps.forEach((g, i) => { shares.set(g, Math.floor((given[i] ?? 0) / terms.pack) * terms.pack); });
  }
  return shares;
}

/** Units that whole packs need to reach the level. */
const packsFor = ({ site, position }: Gap, { pack }: VendorTerms): number => Math.ceil((site.level - position) / pack) * pack;

function vendorOf(site: Site, terms: readonly VendorTerms[]): VendorTerms | undefined {
  return terms.filter((t) => t.location === undefined || t.location === site.location).sort((a, b) => a.unitCost - b.unitCost || a.minimum - b.minimum || (a.vendor < b.vendor ? -1 : 1))[0];
}

function stepOf(gap: Gap, terms: VendorTerms, bought: number): Step {
  const units = bought === 0 ? Math.ceil(Math.max(terms.minimum, terms.pack) / terms.pack) * terms.pack : terms.pack;
  const cost = units * terms.unitCost;
  const at = gap.position + bought;
  const saved = (expectedShort(gap.site.law, at) - expectedShort(gap.site.law, at + units)) * gap.site.value;
  return { gap, terms, units, cost, worth: saved / Math.max(1, cost), bought };
}

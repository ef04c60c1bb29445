import { Problem } from '../problem.ts';
import type { Plan, PlanRules, Site, TransferLane, VendorTerms } from './plan-model.ts';
import { planPurchases, type Gap } from './purchases.ts';
import { planTransfers } from './transfers.ts';

/**
 * What to move and what to buy so that every site comes to its order-up-to level: transfers from near surplus first, purchase orders for what is still missing.
 * Pure: the same sites give the same plan. @throws Problem with a pointer where a site, lane or vendor makes no sense
 */
export function planReplenishment(sites: readonly Site[], lanes: readonly TransferLane[], vendors: readonly VendorTerms[], rules: PlanRules): Plan {
  check(sites, lanes, vendors, rules);
  const [bySku, byLocation, byVendor] = [groupBy(sites, (s) => s.sku), groupBy(lanes, (l) => l.to), groupBy(vendors, (v) => v.sku)];
  const transfers: Plan['transfers'] = [];
  const gaps: Gap[] = [];
  for (const [, ofSku] of bySku) {
    const moved = planTransfers(ofSku, byLocation, rules);
    transfers.push(...moved.transfers);
    for (const site of ofSku) {
      const position = moved.positions.get(site.location) ?? site.position;
      if (position < site.level) gaps.push({ site, position });
    }
  }
  return { transfers, ...planPurchases(gaps, byVendor, rules) };
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

function check(sites: readonly Site[], lanes: readonly TransferLane[], vendors: readonly VendorTerms[], rules: PlanRules): void {
  const whole = (n: number, least: number, field: string, what: string): void => {
    if (!Number.isSafeInteger(n) || n < least) throw new Problem('unprocessable', `${what} is ${n}: a whole number, ${least} or more, is needed`, field);
  };
  const seen = new Set<string>();
  sites.forEach((s, i) => {
    whole(s.level, 0, `/sites/${i}/level`, 'the level');
    whole(s.free, 0, `/sites/${i}/free`, 'free stock');
    if (!Number.isSafeInteger(s.position)) throw new Problem('unprocessable', `the position is ${s.position}: a whole number is needed`, `/sites/${i}/position`);
    const key = `${s.sku}\n${s.location}`;
    if (seen.has(key)) throw new Problem('unprocessable', `SKU ${s.sku} at ${s.location} is there twice`, `/sites/${i}`);
    seen.add(key);
  });
  lanes.forEach((l, i) => {
    whole(l.days, 0, `/lanes/${i}/days`, 'the lead time');
    if (!(l.perUnit >= 0)) throw new Problem('unprocessable', `a move costs ${l.perUnit}: 0 or more is needed`, `/lanes/${i}/perUnit`);
  });
  vendors.forEach((v, i) => {
    whole(v.pack, 1, `/vendors/${i}/pack`, 'the pack');
    whole(v.minimum, 0, `/vendors/${i}/minimum`, 'the minimum');
    if (v.available !== undefined) whole(v.available, 0, `/vendors/${i}/available`, 'what the source has');
    whole(v.unitCost, 0, `/vendors/${i}/unitCost`, 'the cost');
  });
  if (rules.budget !== null) whole(rules.budget, 0, '/rules/budget', 'the budget');
  whole(rules.nearDays, 0, '/rules/nearDays', 'the longest near lead time');
  if (!(rules.mostOverLevel >= 1)) throw new Problem('unprocessable', `${rules.mostOverLevel} × level: 1 or more is needed`, '/rules/mostOverLevel');
}

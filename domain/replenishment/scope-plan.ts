import { lawOver, type PeriodDemand } from './cover.ts';
import { marginalLevels } from './marginal-levels.ts';
import type { NegativeBinomial } from './negative-binomial.ts';
import { planReplenishment } from './plan.ts';
import type { PlanRules, Site, UnmetReason } from './plan-model.ts';
import type { ScopeInput, ScopeLane, ScopePlan, ScopePolicy, ScopeSite, ScopeTerms, SiteFacts } from './scope-model.ts';
import { orderUpTo, reorderPoint, safetyStock } from './stock-level.ts';

type Source = { leadDays: number; leadVariance: number; terms: ScopeTerms | null; lane: ScopeLane | null };
type Levels = { law: NegativeBinomial; level: number; reorderPoint: number; safetyStock: number };
type Judged = { site: ScopeSite; source: Source; levels: Levels; basis: SiteFacts['basis'] };

/**
 * Plans a scope: levels from forecast, lead time and service level (or by hand), transfers from near surplus, then purchase orders. A location that cannot buy a SKU is fed by
 * the cheapest near lane from one that can: the feeder buys for itself and for all that it feeds (echelon stock). Sites that were not looked at only give. Pure.
 */
export function planScope({ sites, lanes, vendors, policy, budgetLeft, daily }: ScopeInput): ScopePlan {
  const termsOf = (sku: string, location: string): ScopeTerms | null => vendorsBySku(vendors, sku).filter((v) => v.location === undefined || v.location === location).sort((a, b) => a.unitCost - b.unitCost || a.minimum - b.minimum)[0] ?? null;
  const into = new Map<string, ScopeLane[]>();
  for (const l of lanes) if (l.days <= policy.nearDays) into.set(l.to, [...(into.get(l.to) ?? []), l]);
  for (const some of into.values()) some.sort((a, b) => a.perUnit - b.perUnit || a.days - b.days || (a.from < b.from ? -1 : 1));
  const sourced = sites.map((site) => {
    const terms = termsOf(site.sku, site.location);
    const feeding = into.get(site.location)?.find((l) => termsOf(site.sku, l.from) !== null) ?? into.get(site.location)?.[0] ?? null;
    return { site, source: { terms, lane: feeding, leadDays: terms?.leadDays ?? feeding?.days ?? policy.leadDays, leadVariance: terms?.leadVariance ?? 0 } };
  });
  const joint = together(sourced, policy, daily);
  const judged = sourced.map(({ site, source }): Judged => {
    const own = levelsFor(site.weekly, site.rule, source, policy);
    const found = site.rule ? null : joint.get(key(site)) ?? null;
    const levels = found ? { ...own, ...found, safetyStock: safetyStock(found.level, found.law ?? own.law) } : own;
    return { site, source, levels, basis: site.rule ? 'rule' : found ? 'panel' : site.weekly ? 'forecast' : 'none' };
  });
  const rules: PlanRules = { nearDays: policy.nearDays, budget: null, mostOverLevel: policy.mostOverLevel };
  const wants = ({ site, levels }: Judged): boolean => site.looked && (site.rule === null || site.position <= levels.reorderPoint);
  const local = judged.map((j): Site => ({ ...bare(j), level: wants(j) ? j.levels.level : Math.min(j.levels.level, Math.max(0, j.site.position)) }));
  const moved = wholePacks(planReplenishment(local, lanes, [], rules).transfers, judged);
  const position = new Map(judged.map((j) => [key(j.site), j.site.position]));
  for (const t of moved) {
    position.set(`${t.sku}\n${t.to}`, (position.get(`${t.sku}\n${t.to}`) ?? 0) + t.units);
    position.set(`${t.sku}\n${t.from}`, (position.get(`${t.sku}\n${t.from}`) ?? 0) - t.units);
  }
  const echelons = echelonsOf(judged, policy, position);
  const buying = judged.flatMap((j): Site[] => {
    const echelon = echelons.get(key(j.site));
    if (j.source.terms === null) return [];
    if (echelon) return echelon.looked ? [{ ...bare(j), position: echelon.position, level: echelon.level, law: echelon.law }] : [];
    return wants(j) ? [{ ...bare(j), position: position.get(key(j.site)) ?? j.site.position, level: j.levels.level }] : [];
  });
  const bought = planReplenishment(buying, [], vendors, { ...rules, budget: budgetLeft });
  const unmet = new Map(bought.unmet.map((u) => [`${u.sku}\n${u.location}`, u]));
  return {
    sites: judged.map((j): SiteFacts => {
      const { site, levels } = j;
      const echelon = echelons.get(key(site));
      const open = wants(j) ? levels.level - (position.get(key(site)) ?? 0) : 0;
      const missing: { units: number; reason: UnmetReason } | null = unmet.get(key(site)) ?? (j.source.terms === null && open > 0 ? { units: open, reason: j.source.lane === null ? 'no_source' : 'source_short' } : null);
      return {
        sku: site.sku, location: site.location, free: site.free, position: site.position, level: levels.level, reorderPoint: levels.reorderPoint, safetyStock: round(levels.safetyStock), weekly: round(site.weekly?.mean ?? 0),
        leadDays: j.source.leadDays, basis: j.basis, feeder: j.source.terms === null ? j.source.lane?.from ?? null : null, echelon: echelon ? { level: echelon.level, position: echelon.position } : null,
        unmet: missing?.units ?? 0, unmetReason: missing?.reason ?? null,
      };
    }),
    transfers: grouped(moved, (t) => `${t.from}\n${t.to}`, (t) => ({ from: t.from, to: t.to, days: lanes.find((l) => l.from === t.from && l.to === t.to)?.days ?? 0 })),
    purchases: grouped(bought.purchases, (p) => `${p.vendor}\n${p.location}`, (p) => ({ vendor: p.vendor, to: p.location, days: vendorsBySku(vendors, p.sku).find((v) => v.vendor === p.vendor)?.leadDays ?? 0 })),
    spent: bought.spent,
  };
}

const key = (s: { sku: string; location: string }): string => `${s.sku}\n${s.location}`;
const round = (n: number): number => Math.round(n * 100) / 100;

const indexes = new WeakMap<readonly ScopeTerms[], Map<string, ScopeTerms[]>>();
/** The terms of a SKU; the index is made once for a list. */
function vendorsBySku(vendors: readonly ScopeTerms[], sku: string): ScopeTerms[] {
  let index = indexes.get(vendors);
  if (!index) {
    index = new Map();
    for (const v of vendors) {
      const of = index.get(v.sku);
      if (of) of.push(v);
      else index.set(v.sku, [v]);
    }
    indexes.set(vendors, index);
  }
  return index.get(sku) ?? [];
}

/** Weeks of a forecast: lead times are days. */
function levelsFor(weekly: PeriodDemand | null, rule: ScopeSite['rule'], source: Pick<Source, 'leadDays' | 'leadVariance'>, policy: ScopePolicy): Levels {
  const demand = weekly ?? { mean: 0, variance: 0 };
  const all = lawOver(demand, (source.leadDays + policy.reviewDays) / 7, source.leadVariance / 49);
  // A level by hand without a history: as if it just covered what is asked for, so that a unit below it is worth sending.
  if (rule) return { law: weekly && weekly.mean > 0 ? all : { mean: rule.level, dispersion: 0 }, ...rule, safetyStock: rule.reorderPoint };
  const lead = lawOver(demand, source.leadDays / 7, source.leadVariance / 49);
  const level = orderUpTo(lead, all, policy.service);
  return { law: all, level, reorderPoint: demand.mean > 0 ? Math.min(level, reorderPoint(lead, policy.service.share)) : 0, safetyStock: safetyStock(level, all) };
}

/** Levels of all series together, where the policy wants them so: by the daily panel, or, between two plans of everything, as the last one found them. */
function together(sites: readonly { site: ScopeSite; source: Source }[], { service, reviewDays }: ScopePolicy, daily: ScopeInput['daily']): Map<string, { level: number; reorderPoint: number; law?: NegativeBinomial }> {
  if (service.together !== true || service.kind !== 'fill') return new Map();
  if (!daily) return new Map(sites.flatMap(({ site }) => (site.last ? [[key(site), site.last] as const] : [])));
  const some = sites.filter(({ site }) => site.rule === null && site.weekly !== null && daily.units[`${site.sku}|${site.location}`] !== undefined);
  const levels = marginalLevels(some.map(({ site, source }) => ({ sku: site.sku, units: daily.units[`${site.sku}|${site.location}`] ?? [], leadDays: source.leadDays })), reviewDays, service.share, daily.weekday);
  return new Map(some.flatMap(({ site }, i) => (levels[i] ? [[key(site), levels[i]] as const] : [])));
}

function bare({ site, levels }: Judged): Site { return { sku: site.sku, location: site.location, free: site.free, position: site.position, level: levels.level, law: levels.law, value: site.value }; }

type Echelon = { position: number; level: number; law: NegativeBinomial; looked: boolean };

/** Of every site that can buy and feeds others: demand, position and level of them all together, over its own lead time. Independent demands: variances add up. */
function echelonsOf(judged: readonly Judged[], policy: ScopePolicy, position: ReadonlyMap<string, number>): Map<string, Echelon> {
  const fed = new Map<string, Judged[]>();
  for (const j of judged) {
    if (j.source.terms !== null || j.source.lane === null) continue;
    const feeder = `${j.site.sku}\n${j.source.lane.from}`;
    fed.set(feeder, [...(fed.get(feeder) ?? []), j]);
  }
  const found = new Map<string, Echelon>();
  for (const j of judged) {
    const others = fed.get(key(j.site));
    if (!others || j.source.terms === null) continue;
    const all = [j, ...others];
    const weekly = all.reduce((sum, x) => ({ mean: sum.mean + (x.site.weekly?.mean ?? 0), variance: sum.variance + (x.site.weekly?.variance ?? 0) }), { mean: 0, variance: 0 });
    const levels = levelsFor(weekly, null, j.source, policy);
    // Levels by hand are wanted on top of what demand asks for.
    const byHand = all.reduce((sum, x) => sum + (x.site.rule ? x.levels.level : 0), 0);
    found.set(key(j.site), { law: levels.law.mean > 0 ? levels.law : j.levels.law, level: Math.max(levels.level, byHand), position: all.reduce((sum, x) => sum + (position.get(key(x.site)) ?? 0), 0), looked: all.some((x) => x.site.looked) });
  }
  return found;
}

type Move = { sku: string; from: string; to: string; units: number; cost: number };

/** Moves in whole packs: up where the sender has the units to spare, else down. */
function wholePacks(transfers: readonly Move[], judged: readonly Judged[]): Move[] {
  const packs = new Map(judged.map((j) => [j.site.sku, j.site.pack]));
  const spare = new Map(judged.map((j) => [key(j.site), Math.min(j.site.free, j.site.position - j.levels.level)]));
  for (const t of transfers) spare.set(`${t.sku}\n${t.from}`, (spare.get(`${t.sku}\n${t.from}`) ?? 0) - t.units);
  return transfers.flatMap((t) => {
    const pack = packs.get(t.sku) ?? 1;
    const more = Math.ceil(t.units / pack) * pack - t.units;
    const left = spare.get(`${t.sku}\n${t.from}`) ?? 0;
    const units = more <= left ? t.units + more : t.units - (t.units % pack);
    spare.set(`${t.sku}\n${t.from}`, left - (units - t.units));
    return units > 0 ? [{ ...t, units, cost: (t.cost / t.units) * units }] : [];
  });
}

function grouped<T extends { sku: string; units: number; cost: number }, H extends object>(items: readonly T[], of: (item: T) => string, head: (item: T) => H): (H & { lines: { sku: string; units: number; cost: number }[] })[] {
  const groups = new Map<string, H & { lines: { sku: string; units: number; cost: number }[] }>();
  for (const item of items) {
    let group = groups.get(of(item));
    if (!group) groups.set(of(item), (group = { ...head(item), lines: [] }));
    group.lines.push({ sku: item.sku, units: item.units, cost: item.cost });
  }
  return [...groups.values()];
}

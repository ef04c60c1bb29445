import { Problem } from '../problem.ts';

/** What each kind of rule looks at, its numbers and their defaults. Percent and points are whole numbers. */
export const RULE_KINDS = {
  /** the seed's rule: 30-day sales over all channels fell by so much on the 30 days before */
  trend: { fallPercent: 40, leastUnits: 10 },
  /** the same within one region, whatever the total does */
  region_trend: { fallPercent: 60, leastUnits: 10 },
  /** 动销率: SKUs sold ÷ SKUs stocked of a category fell by so many points */
  selling_rate: { dropPoints: 10, leastSkus: 10 },
  /** turnover days grew by so much, to so many at least */
  turnover: { longerPercent: 50, leastDays: 60 },
  /** stock lasts longer than so many weeks */
  cover: { weeks: 26 },
  /** so much of the stock has lain longer than so many days */
  age: { days: 180, sharePercent: 50 },
  /** a slow-down is foretold, and so much money would lie in it */
  outlook: { leastMoney: 100_000 },
} as const;
export type RuleKind = keyof typeof RULE_KINDS;
export const RULE_NAMES = Object.keys(RULE_KINDS) as RuleKind[];
/** A rule that is in force for a category; `params` has every number of its kind. */
export type Rule = { kind: RuleKind; enabled: boolean; params: Record<string, number> };
const MOST: Record<string, number> = { fallPercent: 100, sharePercent: 100, dropPoints: 100 };

/** The numbers of a rule, the missing ones by default. Throws Problem with a pointer where one is unknown or makes no sense. */
export function ruleParams(kind: RuleKind, given: Record<string, unknown>): Record<string, number> {
  const defaults: Record<string, number> = RULE_KINDS[kind];
  for (const [name, value] of Object.entries(given)) {
    if (!(name in defaults)) throw new Problem('unprocessable', `a rule "${kind}" has no "${name}": it has ${Object.keys(defaults).join(', ')}`, `/params/${name}`);
    const most = MOST[name] ?? 1_000_000_000_000;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1 || value > most) throw new Problem('unprocessable', `"${name}" must be a whole number from 1 to ${most}`, `/params/${name}`);
  }
  return { ...defaults, ...given } as Record<string, number>;
}

/** The rules of a category: its own where there is one, else those for all (`category` null). */
export function rulesFor(all: readonly (Rule & { category: string | null })[], category: string | null): Record<RuleKind, Rule> {
  const of = (kind: RuleKind): Rule => {
    const rule = all.find((r) => r.kind === kind && r.category !== null && r.category === category) ?? all.find((r) => r.kind === kind && r.category === null);
    return { kind, enabled: rule?.enabled ?? true, params: ruleParams(kind, rule?.params ?? {}) };
  };
  return Object.fromEntries(RULE_NAMES.map((kind) => [kind, of(kind)])) as Record<RuleKind, Rule>;
}

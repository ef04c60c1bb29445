import { moneyAtRisk, sellThrough, turnoverDays, weeksOfCover } from './figures.ts';
import type { Rule, RuleKind } from './rules.ts';
import { falls, trendOf, type SalesCell, type Trend } from './trend.ts';

export type Window = { /** mean units on hand */ meanOnHand: number; sold: number };
/** What is known of a SKU. Units are base units, money minor units; both windows have `days` days. */
export type SkuFacts = {
  sku: string; category: string | null; cells: readonly SalesCell[]; season: number; days: number;
  onHand: number; coming: number; opening: number; received: number; now: Window; before: Window;
  /** units on hand by age: `[days, units]` */
  ages: readonly (readonly [days: number, units: number])[];
  /** chance of a slow-down with its threshold and the shares of the level that slowed and steady SKUs sell; null: no outlook */
  outlook: { chance: number; threshold: number; slowShare: number; steadyShare: number; perDay: number } | null;
  daysLeft: number; unitValue: number;
};
/** SKUs of a category, or of the whole assortment: stocked, and sold among these, in each window. */
export type RateFacts = { of: 'category' | 'all'; category: string | null; now: { stocked: number; sold: number }; before: { stocked: number; sold: number }; money: number };
export type Subject = { kind: 'sku' | 'sku_region' | 'category' | 'all'; sku: string | null; category: string | null; country: string | null; region: string | null };
/** Why: the rule, in words, and the numbers. */
export type Trigger = { rule: RuleKind; words: string; evidence: Record<string, number | string | null> };
export type Finding = { subject: Subject; triggers: Trigger[]; figures: Record<string, number | null>; moneyAtRisk: number };

const percent = (share: number): string => `${share > 0 ? '+' : ''}${Math.round(100 * share)} %`;
const round = (n: number | null, digits = 3): number | null => (n === null ? null : Math.round(n * 10 ** digits) / 10 ** digits);

/** What is the matter with a SKU: one finding for the SKU, one for each region where it falls although others hide it. Nothing where no rule speaks, or nothing is in stock or coming. */
export function assessSku(facts: SkuFacts, rules: Record<RuleKind, Rule>): Finding[] {
  if (facts.onHand + facts.coming <= 0) return [];
  const trend = trendOf(facts.cells, facts.season);
  const [turnsNow, turnsBefore] = [turnoverDays(facts.now.meanOnHand, facts.now.sold, facts.days), turnoverDays(facts.before.meanOnHand, facts.before.sold, facts.days)];
  const perDay = facts.now.sold / facts.days;
  const cover = weeksOfCover(facts.onHand, perDay);
  const chance = facts.outlook?.chance ?? null;
  const level = facts.outlook?.perDay ?? perDay;
  const money = moneyAtRisk({
    stock: facts.onHand + facts.coming, rate: facts.outlook ? level * facts.outlook.steadyShare : perDay, slowRate: facts.outlook ? level * facts.outlook.slowShare : perDay, chance, daysLeft: facts.daysLeft, unitValue: facts.unitValue,
  });
  const old = facts.ages.filter(([days]) => days >= (rules.age.params['days'] ?? 0)).reduce((sum, [, units]) => sum + units, 0);
  const figures = {
    onHand: facts.onHand, coming: facts.coming, turnoverDays: round(turnsNow, 1), sellThrough: round(sellThrough(facts.now.sold, facts.opening, facts.received)), weeksOfCover: round(cover, 1),
    agedUnits: old, sold: facts.now.sold, soldBefore: facts.before.sold, change: round(trend?.change ?? null), slowChance: round(chance), daysLeft: facts.daysLeft,
  };
  const triggers: Trigger[] = [];
  const on = (kind: RuleKind): Record<string, number> | null => (rules[kind].enabled ? rules[kind].params : null);
  const byTrend = on('trend');
  if (byTrend && trend && falls(trend, (byTrend['fallPercent'] ?? 100) / 100, byTrend['leastUnits'] ?? 0)) triggers.push(told('trend', trend, 'everywhere'));
  const byTurnover = on('turnover');
  if (byTurnover && facts.now.meanOnHand > 0 && lengthened(facts, turnsNow, turnsBefore, byTurnover)) {
    triggers.push({
      rule: 'turnover', words: turnsNow === null ? `nothing sold in ${facts.days} days, where stock turned over in ${Math.round(turnsBefore ?? 0)} days before` : `turnover went from ${Math.round(turnsBefore ?? 0)} to ${Math.round(turnsNow)} days`,
      evidence: { turnoverDays: round(turnsNow, 1), turnoverDaysBefore: round(turnsBefore, 1), meanOnHand: round(facts.now.meanOnHand, 1), meanOnHandBefore: round(facts.before.meanOnHand, 1) },
    });
  }
  const byCover = on('cover');
  if (byCover && facts.ages.some(([days]) => days >= facts.days) && (cover ?? Infinity) > (byCover['weeks'] ?? 0)) {
    triggers.push({ rule: 'cover', words: cover === null ? `${facts.onHand} units on hand and none sold in ${facts.days} days` : `${facts.onHand} units on hand last ${Math.round(cover)} weeks`, evidence: { weeksOfCover: round(cover, 1), onHand: facts.onHand, perDay: round(perDay) } });
  }
  const byAge = on('age');
  if (byAge && facts.onHand > 0 && old / facts.onHand >= (byAge['sharePercent'] ?? 100) / 100) {
    triggers.push({ rule: 'age', words: `${old} of ${facts.onHand} units have lain ${byAge['days'] ?? 0} days or longer`, evidence: { agedUnits: old, onHand: facts.onHand } });
  }
  const byOutlook = on('outlook');
  if (byOutlook && facts.outlook && facts.outlook.chance >= facts.outlook.threshold && money >= (byOutlook['leastMoney'] ?? 0)) {
    triggers.push({ rule: 'outlook', words: `a slow-down is likely: ${Math.round(100 * facts.outlook.chance)} % for four weeks at 60 % or less of the last twelve`, evidence: { chance: round(facts.outlook.chance), threshold: round(facts.outlook.threshold), perDay: round(level) } });
  }
  const findings: Finding[] = triggers.length > 0 ? [{ subject: { kind: 'sku', sku: facts.sku, category: facts.category, country: null, region: null }, triggers, figures, moneyAtRisk: money }] : [];
  const byRegion = on('region_trend');
  return byRegion ? [...findings, ...inRegions(facts, byRegion, figures, money)] : findings;
}

function lengthened(facts: SkuFacts, now: number | null, before: number | null, params: Record<string, number>): boolean {
  if (before === null || facts.before.meanOnHand <= 0) return false;
  const least = params['leastDays'] ?? 0;
  return now === null ? facts.now.meanOnHand >= 1 : now >= least && now >= before * (1 + (params['longerPercent'] ?? 0) / 100);
}

/** Each region of each country by itself: what happens there is neither hidden nor made by the others. Its money is its share of what the SKU sold before. */
function inRegions(facts: SkuFacts, params: Record<string, number>, figures: Finding['figures'], money: number): Finding[] {
  const regions = [...new Map(facts.cells.map(({ country, region }) => [`${country}/${region}`, { country, region }])).entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, r]) => r);
  if (regions.length < 2) return [];
  const before = (cells: readonly SalesCell[]): number => cells.reduce((sum, c) => sum + Array.from(c.daily).slice(0, facts.days).reduce((a, b) => a + b, 0), 0);
  const all = before(facts.cells);
  return regions.flatMap(({ country, region }) => {
    const cells = facts.cells.filter((c) => c.country === country && c.region === region);
    const trend = trendOf(cells, facts.season);
    if (!trend || !falls(trend, (params['fallPercent'] ?? 100) / 100, params['leastUnits'] ?? 0)) return [];
    return [{
      subject: { kind: 'sku_region' as const, sku: facts.sku, category: facts.category, country, region }, triggers: [told('region_trend', trend, `in ${region}, ${country}`)],
      figures: { ...figures, sold: trend.now, soldBefore: trend.before, change: round(trend.change) }, moneyAtRisk: all > 0 ? Math.round((money * before(cells)) / all) : 0,
    }];
  });
}

function told(rule: RuleKind, t: Trend, where: string): Trigger {
  return {
    rule, words: `sales ${where} ${percent(t.change)} in ${t.days} days (${t.before} → ${t.now} units${t.season === 1 ? '' : `, season ${percent(t.season - 1)}`})`,
    evidence: { units: t.now, unitsBefore: t.before, change: round(t.change), rawChange: round(t.rawChange), season: round(t.season), locations: t.locations, withoutLargestFall: round(t.without), doubt: round(t.doubt) },
  };
}

/** 动销率 of a category, or of everything: SKUs sold ÷ SKUs stocked, now against before. Null where it did not fall by the rule's points. */
export function assessRate(facts: RateFacts, rule: Rule): Finding | null {
  if (!rule.enabled || facts.now.stocked < (rule.params['leastSkus'] ?? 0) || facts.before.stocked < (rule.params['leastSkus'] ?? 0)) return null;
  const [now, before] = [facts.now.sold / facts.now.stocked, facts.before.sold / facts.before.stocked];
  if (100 * (before - now) < (rule.params['dropPoints'] ?? 100) - 1e-9) return null;
  const rates = { sellingRate: round(now), sellingRateBefore: round(before) };
  return {
    subject: { kind: facts.of, sku: null, category: facts.category, country: null, region: null }, figures: { ...rates, stocked: facts.now.stocked, soldSkus: facts.now.sold }, moneyAtRisk: facts.money,
    triggers: [{ rule: 'selling_rate', words: `${Math.round(100 * now)} % of the SKUs stocked sold, ${Math.round(100 * before)} % before`, evidence: { ...rates, stocked: facts.now.stocked, stockedBefore: facts.before.stocked } }],
  };
}

export const SEVERITIES = ['low', 'medium', 'high'] as const;
export type Severity = (typeof SEVERITIES)[number];
/** By money at risk, minor units. */
export const severityOf = (money: number, from: { medium: number; high: number }): Severity => (money >= from.high ? 'high' : money >= from.medium ? 'medium' : 'low');

/** The one name of what an alert is about. */
export const subjectKey = (s: Subject): string => [s.kind, s.sku ?? '', s.kind === 'category' ? (s.category ?? '') : '', s.region ?? '', ...(s.country === null ? [] : [s.country])].join('\n');

import type { EndReason, StageEnd } from './flow.ts';
import type { StageKind } from './plan.ts';

/** Sales of one SKU in one stage (`stage` 0: between stages, at list price). Money in minor units: `list` before, `net` after discounts, without freight; `borne`: what of the discounts others pay us (a partner brand, a platform). */
export type StageSales = { stage: number; sku: string; units: number; list: number; net: number; ownDiscount: number; borne: number };
/** A SKU of the campaign: units at the start, cost, and units a day before the campaign on its channels. `soldElsewhere`: on channels that it does not cover; they count to the sell-through only. */
export type ReportSku = { sku: string; stock: number; listPrice: number; cost: number; basePerDay: number; soldElsewhere: number };
/** `partnerCost`: discounts on a partner's goods and gifts at cost, where we bear them. */
export type ReportStage = { no: number; kind: StageKind; openedAt: string | null; closedAt: string | null; end: StageEnd | null; fixedCost: number; messages: number; messageCost: number; partnerCost: number };
/** Sales next to the campaign: units a day before it, and units while it ran. `scope`: another SKU of the category, or a SKU of the campaign on channels that it did not touch. */
export type Neighbour = { scope: 'category' | 'channel'; name: string; basePerDay: number; units: number; marginPerUnit: number };
export type ReportInput = {
  status: 'ended' | 'escalated'; reason: EndReason; startsAt: string; startedAt: string | null; endedAt: string; plannedEnd: string; target: number; budget: number;
  /** discounts and costs against the budget, as the campaign counted them */
  spent: number;
  skus: readonly ReportSku[]; stages: readonly ReportStage[]; sales: readonly StageSales[]; neighbours: readonly Neighbour[];
  /** units of everything else, before (a day) and during: how trade went on the whole */
  elsewhere: { basePerDay: number; units: number };
};
export type SkuFigures = { sku: string; stock: number; sold: number; sellThrough: number; revenue: number; discount: number; margin: number; left: number };
export type StageFigures = {
  no: number; kind: StageKind; openedAt: string | null; closedAt: string | null; end: StageEnd | null; units: number; revenue: number; discount: number; margin: number;
  /** units above what would have been sold at list price anyway, and the margin gained on the whole after all costs of the stage */
  baseUnits: number; extraUnits: number; cost: number; gain: number;
  /** gain ÷ (discount + cost); null where nothing was spent */
  roi: number | null;
};
export type CampaignReport = {
  v: 1; status: 'ended' | 'escalated'; reason: EndReason; startedAt: string | null; endedAt: string; plannedEnd: string;
  /** per mille */
  target: number; sellThrough: number; stock: number; sold: number; missing: number; budget: number; spent: number; revenue: number; discount: number; cost: number; margin: number;
  /** what trade on the whole did meanwhile, ÷ what it did before */
  trend: number;
  cannibalised: { units: number; margin: number; lines: { scope: 'category' | 'channel'; name: string; expected: number; units: number; lost: number; certain: boolean }[] };
  /** margin less what neighbours lost */
  netMargin: number;
  stages: StageFigures[]; skus: SkuFigures[];
};

const DAY_MS = 86_400_000;
/** Standard deviations by which neighbours must fall short before it is said to be certain (Poisson: the variance is the mean). */
const CERTAIN_Z = 1.645;
/** The trend is drawn to 1 by so many units: a handful of sales elsewhere says nothing of the season. */
const TREND_WEIGHT = 30;

/**
 * The figures of a campaign. What would have been sold without it is each SKU's rate before × time × the trend of everything else (difference in differences); cannibalised is
 * what neighbours sold less than that.
 */
export function report(input: ReportInput): CampaignReport {
  const days = input.startedAt === null ? 0 : Math.max(0, Date.parse(input.endedAt) - Date.parse(input.startedAt)) / DAY_MS;
  const trend = (input.elsewhere.units + TREND_WEIGHT) / (input.elsewhere.basePerDay * days + TREND_WEIGHT);
  const bySku = new Map(input.skus.map((s) => [s.sku, s]));
  const marginOf = (s: StageSales): number => s.net + s.borne - s.units * (bySku.get(s.sku)?.cost ?? 0);
  const total = (rows: readonly StageSales[]): { units: number; revenue: number; discount: number; margin: number } =>
    rows.reduce((t, r) => ({ units: t.units + r.units, revenue: t.revenue + r.net, discount: t.discount + r.ownDiscount, margin: t.margin + marginOf(r) }), { units: 0, revenue: 0, discount: 0, margin: 0 });
  const stages = input.stages.map((stage): StageFigures => {
    const rows = input.sales.filter((s) => s.stage === stage.no);
    const { units, revenue, discount, margin } = total(rows);
    const length = stage.openedAt === null ? 0 : Math.max(0, Date.parse(stage.closedAt ?? input.endedAt) - Date.parse(stage.openedAt)) / DAY_MS;
    let [baseUnits, baseMargin] = [0, 0];
    for (const s of input.skus) {
      // Nobody buys more than there is: what ran out would not have been sold without the campaign either.
      const base = Math.min(s.basePerDay * length * trend, s.stock);
      baseUnits += base;
      baseMargin += base * (s.listPrice - s.cost);
    }
    const cost = stage.fixedCost + stage.messageCost + stage.partnerCost;
    const gain = Math.round(margin - baseMargin) - cost;
    return {
      no: stage.no, kind: stage.kind, openedAt: stage.openedAt, closedAt: stage.closedAt, end: stage.end, units, revenue, discount, margin, baseUnits: tenth(baseUnits), extraUnits: tenth(units - baseUnits), cost, gain,
      roi: discount + cost > 0 ? Math.round((gain * 100) / (discount + cost)) / 100 : null,
    };
  });
  const skus = input.skus.map((s): SkuFigures => {
    const { units, revenue, discount, margin } = total(input.sales.filter((r) => r.sku === s.sku));
    const sold = units + s.soldElsewhere;
    return { sku: s.sku, stock: s.stock, sold, sellThrough: perMille(sold, s.stock), revenue, discount, margin, left: Math.max(0, s.stock - sold) };
  });
  const all = total(input.sales);
  const cost = stages.reduce((sum, s) => sum + s.cost, 0);
  const stock = skus.reduce((sum, s) => sum + s.stock, 0);
  const sold = skus.reduce((sum, s) => sum + s.sold, 0);
  const cannibalised = lost(input.neighbours, days, trend);
  return {
    v: 1, status: input.status, reason: input.reason, startedAt: input.startedAt, endedAt: input.endedAt, plannedEnd: input.plannedEnd, target: input.target, sellThrough: perMille(sold, stock), stock, sold,
    missing: Math.max(0, Math.ceil((input.target * stock) / 1000) - sold), budget: input.budget, spent: input.spent, revenue: all.revenue, discount: all.discount, cost, margin: all.margin - cost,
    trend: Math.round(trend * 100) / 100, cannibalised, netMargin: all.margin - cost - cannibalised.margin, stages, skus,
  };
}

function lost(neighbours: readonly Neighbour[], days: number, trend: number): CampaignReport['cannibalised'] {
  let [units, margin] = [0, 0];
  const lines = neighbours.flatMap((n) => {
    const expected = n.basePerDay * days * trend;
    const short = expected - n.units;
    if (short <= 0) return [];
    units += short;
    margin += short * n.marginPerUnit;
    return [{ scope: n.scope, name: n.name, expected: tenth(expected), units: n.units, lost: tenth(short), certain: short > CERTAIN_Z * Math.sqrt(expected) }];
  });
  return { units: tenth(units), margin: Math.round(margin), lines: lines.sort((a, b) => b.lost - a.lost || (a.name < b.name ? -1 : 1)) };
}

const tenth = (x: number): number => Math.round(x * 10) / 10;
const perMille = (sold: number, stock: number): number => (stock <= 0 ? 1000 : Math.floor((sold * 1000) / stock));

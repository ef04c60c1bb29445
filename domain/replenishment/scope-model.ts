import type { PeriodDemand } from './cover.ts';
import type { UnmetReason } from './plan-model.ts';
import type { ServiceTarget } from './stock-level.ts';

/** Policy data of a scope. Money in minor units, times in days. */
export type ScopePolicy = {
  /** `together`: with a fill rate, levels of all series together hold least stock for it (docs/replenishment.md); as long as there is enough of a past, else each by itself */
  service: ServiceTarget & { together?: boolean };
  /** how often everything is planned; between, what falls to its reorder point */
  reviewDays: number;
  /** lead time where neither a lane nor a vendor says one */
  leadDays: number;
  /** lanes of more days are not near */
  nearDays: number;
  mostOverLevel: number;
  /** what purchase orders may cost within so many days; null: no limit */
  budget: { amount: number; days: number } | null;
  /** by rule: transfers up to so many units, purchase orders up to such a cost; what is larger waits for somebody. `sendPurchases`: an order approved by the rule is sent at once. */
  approve: { transferUnits: number; purchaseCost: number; sendPurchases: boolean };
};

/** One SKU at one location of the scope. Units; `value`: margin lost with a unit that is not there. */
export type ScopeSite = {
  sku: string; location: string; free: number; position: number; weekly: PeriodDemand | null; rule: { reorderPoint: number; level: number } | null; value: number; pack: number;
  /** what the last plan of everything found, for plans of single SKUs between */
  last: { level: number; reorderPoint: number } | null;
  /** it fell to its reorder point, or everything is planned */
  looked: boolean;
};
export type ScopeLane = { from: string; to: string; perUnit: number; days: number };
/** `leadVariance` in days². */
export type ScopeTerms = { vendor: string; sku: string; location?: string; unitCost: number; pack: number; minimum: number; available?: number; leadDays: number; leadVariance: number };
export type ScopeInput = { sites: ScopeSite[]; lanes: ScopeLane[]; vendors: ScopeTerms[]; policy: ScopePolicy; budgetLeft: number | null; /** units of each day by `sku|location`, all of one length, the last one yesterday; `weekday` of the first, 0 Monday */ daily?: { weekday: number; units: Record<string, number[]> } };

/** Why: what a site looked like. `weekly`: units expected a week; `leadDays`: of its nearest source; `basis`: forecast, panel (all
 * series together), rule (by hand) or none. */
export type SiteFacts = {
  sku: string; location: string; free: number; position: number; level: number; reorderPoint: number; safetyStock: number; weekly: number; leadDays: number; basis: 'forecast' | 'panel' | 'rule' | 'none';
  /** where it gets its units from when it cannot buy itself */
  feeder: string | null;
  /** of a feeder: level and position of itself and all that it feeds (echelon stock: Clark & Scarf 1960, Optimal policies for a multi-echelon inventory problem, Management Science 6) */
  echelon: { level: number; position: number } | null;
  unmet: number; unmetReason: UnmetReason | null;
};
export type ScopePlan = {
  sites: SiteFacts[];
  transfers: { from: string; to: string; days: number; lines: { sku: string; units: number; cost: number }[] }[];
  purchases: { vendor: string; to: string; days: number; lines: { sku: string; units: number; cost: number }[] }[];
  spent: number;
};

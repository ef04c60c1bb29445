import type { NegativeBinomial } from './negative-binomial.ts';

/** One SKU at one location that may want stock or give it. Units are the SKU's base units; money minor units. */
export type Site = {
  sku: string; location: string;
  /** on hand and free (sellable, not reserved): what could leave today */
  free: number;
  /** free + what is under way to it − backorders */
  position: number;
  /** order-up-to level; above it stock is surplus */
  level: number;
  /** demand over lead time + review period */
  law: NegativeBinomial;
  /** margin lost with a unit that is not there when asked for */
  value: number;
};
/** A way of moving a unit between two locations. */
export type TransferLane = { from: string; to: string; perUnit: number; days: number };
/** What a vendor sells a SKU for, into a location or (without `location`) into any. */
export type VendorTerms = { vendor: string; sku: string; location?: string; unitCost: number; /** units of a pack; orders are whole packs */ pack: number; /** fewest units of an order line */ minimum: number; /** units the source has of the SKU for all locations; left out: any number */ available?: number };
export type PlanRules = {
  /** lanes of more days are not near */
  nearDays: number;
  /** most that all purchases may cost; null: no limit */
  budget: number | null;
  /** an order line never buys more than it takes to bring the position to so many times the level: keeps a large minimum away from a slow seller */
  mostOverLevel: number;
};
export type UnmetReason = 'no_source' | 'source_short' | 'minimum_too_large' | 'budget';
export type Plan = {
  transfers: { sku: string; from: string; to: string; units: number; cost: number }[];
  purchases: { sku: string; vendor: string; location: string; units: number; cost: number }[];
  /** units below the level that nothing brings, and why */
  unmet: { sku: string; location: string; units: number; reason: UnmetReason }[];
  /** what the purchases cost */
  spent: number;
};

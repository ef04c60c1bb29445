import type { Place, Zone } from '../geo.ts';

export type { Place, Zone };
export type LocationKind = 'warehouse' | 'store' | 'dealer' | 'third_party' | 'vendor';

/** Weights in grams, money in minor units. */
export type RoutingOrder = {
  destination: Place;
  lines: { lineNo: number; skuId: number; quantity: number; weightG: number }[];
  forcedLocationId: number | null;
  forcedCarrier: string | null;
  /** locations that have given this order back */
  excludedLocationIds: number[];
};
export type Candidate = {
  locationId: number; code: string; kind: LocationKind; place: Place; active: boolean;
  /** per shipment */
  handlingCost: number;
  /** SKU id → units */
  available: Map<number, number>;
};
export type RateCard = { carrier: string; zone: Zone; firstWeightG: number; firstCost: number; stepG: number; stepCost: number; transitDays: number };
export type RoutingPolicy = { version: string; maxShipments: number; splitPenalty: number; kindRank: Record<LocationKind, number> };
export type PlannedShipment = { locationId: number; carrier: string; cost: number; transitDays: number; lines: { lineNo: number; skuId: number; quantity: number }[]; reasons: string[] };
export type RoutingPlan = {
  policyVersion: string; shipments: PlannedShipment[]; unallocated: { lineNo: number; skuId: number; quantity: number }[]; cost: number;
  rejected: { locationId: number; reason: string }[]; reasons: string[];
};

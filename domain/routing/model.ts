import type { Place, Zone } from '../geo.ts';
import type { LocationKind } from './types.ts';

/**
 * A complete routing instance: everything the choice depends on, so that anybody can check it. Money in minor units, weights in grams, volumes in mm³, times ISO 8601; codes name things.
 * The objective is in docs/routing.md.
 */
export type RoutingInstance = {
  order: InstanceOrder; locations: InstanceLocation[]; rates: InstanceRate[]; policy: InstancePolicy;
  /** the order's promise is at risk */
  hurry?: Hurry;
  /** its wave sends it from these; absent: from anywhere */
  wanted?: string[];
};
/** How an order's promise at risk changes what its routing weighs: at least so much for a day late, minor units; only these carriers' services, where any are named; locations that are too late. */
export type Hurry = { latenessPerDay: number; services?: string[]; exclude?: string[] };

export type InstanceLine = {
  line: number; sku: string; quantity: number;
  /** what the customer paid for the whole line */
  value: number;
  /** of one unit */
  weightG: number;
  /** of one unit */
  volumeMm3?: number;
  hazardous?: boolean; oversized?: boolean;
};
export type InstanceOrder = {
  channel: string; destination: Place;
  /** absent: it is shipped */
  way?: FulfilmentWay;
  /** when it was promised to arrive; null: no lateness is counted */
  promisedBy: string | null;
  lines: InstanceLine[];
  forcedLocation?: string; forcedCarrier?: string;
  /** locations that have given this order back */
  excluded?: string[];
  /** carriers that do not take it (refused address, no capacity left today), with all services or one */
  refused?: { carrier: string; service?: string; reason: string }[];
};
/**
 * What a location has of one SKU. `blocked`: why it gives none of it now, whatever is available. `opportunity`: each of its last `units` units costs `cost`, because the location would sell it at that margin itself. `slowCredit`: gained a
 * unit for clearing slow stock. `settlement`: owed to a dealer for each unit.
 */
export type InstanceStock = { available: number; blocked?: string; opportunity?: { cost: number; units: number }; slowCredit?: number; settlement?: number };
export type InstanceLocation = {
  code: string; kind: LocationKind; place: Place;
  /** when a shipment decided now leaves, by its hours and capacity; null: it takes nothing now (closed, blocked) */
  shipsAt: string | null;
  /** why it takes nothing now, where `shipsAt` is null */
  pause?: string;
  /** minutes after local midnight at which its shipments are ready: a carrier with an earlier cut-off takes them a day later */
  readyMinute?: number;
  /** per mille of what it is given that it accepts, as measured; absent: all */
  reliability?: number;
  handling: { perShipment: number; perUnit: number };
  /** owed to a dealer for each shipment, whatever is in it; absent: nothing */
  settlementFee?: number;
  /** per mille of its capacity that is taken */
  load: number;
  /** units that it can still pick; absent: as many as wanted */
  capacityUnits?: number;
  /** channels that it serves; absent: all */
  channels?: string[];
  hazardous?: boolean; oversized?: boolean;
  stock: Record<string, InstanceStock>;
};
/** First weight and steps (首重/续重) on the chargeable weight: the larger of the weight and volume ÷ `volumetricMm3PerG`. */
export type InstanceRate = {
  carrier: string; zone: Zone; firstWeightG: number; firstCost: number; stepG: number; stepCost: number; transitDays: number;
  volumetricMm3PerG?: number; maxWeightG?: number; hazardous?: boolean;
  /** absent: the carrier's standard one */
  service?: string;
  /** minutes after local midnight of the location up to which it is taken along the same day */
  cutoffMinute?: number;
  /** per mille of its parcels that come later than `transitDays`, as measured */
  lateRisk?: number;
};
/** Weights are per mille (1000: as is); `splitPenalty` for each shipment beyond the first, `latenessPerDay` for each begun day, `loadBalance` for a shipment of a full location, `rejection` for one that is
 * given back (absent: not counted). */
export type RoutingWeights = {
  shipping: number; handling: number; splitPenalty: number; latenessPerDay: number; loadBalance: number; opportunity: number; slowCredit: number; settlement: number;
  rejection?: number;
};
export type FulfilmentWay = 'ship' | 'pickup' | 'curbside' | 'ship_to_store';
/**
 * Who may serve which orders: a hard constraint beyond `kinds`. It concerns orders of its `channels` and `ways` (absent: all). `only`: such an order is served by a location that it names alone; `never`: by none that
 * it names. It names a location by its code or its kind. All rules must hold.
 */
export type EligibilityRule = { mode: 'only' | 'never'; channels?: string[]; ways?: FulfilmentWay[]; locations?: string[]; kinds?: LocationKind[] };
export type InstancePolicy = {
  code: string; version: number; kinds: LocationKind[]; maxShipments: number;
  /** absent: every location of those kinds may serve every order */
  eligibility?: EligibilityRule[];
  /** whether a line that no location has whole may come from several */
  lineMaySplit: boolean;
  /** each part of a split is worth at least this */
  minShipmentValue: number;
  /** `after_own`: a dealer serves a line only where no own location has it */
  dealers: 'after_own' | 'equal';
  weights: RoutingWeights;
};

export type CostTerm = 'shipping' | 'handling' | 'lateness' | 'load' | 'opportunity' | 'slowCredit' | 'settlement' | 'rejection';
/** Only where the policy weighs it: plans without it stay as they were, to the byte. */
type OptionalTerm = 'rejection';
/** Money of a plan in minor units with up to three decimals: weights are per mille. `service`: absent for the standard one. */
export type InstanceShipment = {
  location: string; carrier: string; service?: string; shipsAt: string; arrivesAt: string; lines: { line: number; sku: string; quantity: number }[]; terms: Record<Exclude<CostTerm, OptionalTerm>, number> & Partial<Record<OptionalTerm, number>>; cost: number;
};
export type InstancePlan = {
  policy: { code: string; version: number };
  shipments: InstanceShipment[];
  /** split penalty included */
  cost: number;
  splitPenalty: number;
  /** no plan that serves as many lines costs less than this; equal to `cost` when `optimal` */
  bound: number;
  optimal: boolean;
  unallocated: { line: number; sku: string; quantity: number }[];
  rejected: { location: string; reason: string }[];
  reasons: string[];
};

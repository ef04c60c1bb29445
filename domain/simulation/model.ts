import type { InstanceLocation, InstanceOrder, InstanceRate } from '../routing/model.ts';
import type { SlowStock } from '../routing/slow-credit.ts';
import type { Term } from '../settlement/terms.ts';
import type { SharingRule } from '../stock/sharing.ts';

/** A location as a simulation needs it. `calendar` as promises count; null: it takes nothing. `dailyCapacity`: units a day (UTC); absent: as many as come. */
export type SimulatedLocation = Omit<InstanceLocation, 'shipsAt' | 'load' | 'capacityUnits' | 'stock'> & {
  calendar: { timeZone: string; cutoffMinutes: number; handlingMinutes: number; workDays: readonly number[]; closedDays?: readonly string[] } | null;
  dailyCapacity?: number;
};
/** From when (until when, null: for good) something holds, ms since epoch. */
type Span = { from: number; until: number | null };
/**
 * Units that may be sold of a SKU at a location. `keep`: its own sales of a week, which the policy may price as opportunity; `perDay`: of a day. `allotted`: set apart, so that no sharing rule limits
 * them. `blocked`: when it is kept from every order. `terms`: what its dealer is owed, each until the next, the oldest first. `slow`: what alerts said of the SKU.
 */
export type SimulatedStock = {
  location: string; sku: string; units: number; keep?: number; perDay?: number; allotted?: true; blocked?: Span; terms?: ({ from: number } & Term)[]; slow?: (SlowStock & Span)[];
};
/** Rules by codes; `categories`: of the SKUs that have one. */
export type SimulatedSharing = {
  rules: (Omit<SharingRule, 'locationId' | 'channelId' | 'skuIds'> & { location: string; channel: string | null; skus: string[] | null })[]; categories: Record<string, string>;
};
/** Units that come (or, negative, go) for another reason than the orders that are replayed. Times in ms since epoch. */
export type SimulatedArrival = { at: number; location: string; sku: string; units: number };
/** An order as it was routed. By SKU, minor units: `margins`, what a unit earns beyond its cost; `nets`, what was paid for it without freight; absent: nothing. `cancelledAt`: its units go back then. `arrivesIn`: the zone of its destination; absent: that of its senders. */
export type RecordedOrder = {
  id: string; at: number; order: InstanceOrder; scheduledFrom?: number; margins?: Record<string, number>; nets?: Record<string, number>; cancelledAt?: number; arrivesIn?: string;
};
/** Everything that a simulation depends on: the same input gives the same result to the byte. */
export type SimulationInput = { locations: SimulatedLocation[]; rates: InstanceRate[]; stock: SimulatedStock[]; orders: RecordedOrder[]; arrivals: SimulatedArrival[]; sharing?: SimulatedSharing };

/** Money as it is paid, in minor units, whatever a policy weighs: so two policies can be compared. */
export type Money = { freight: number; handling: number; settlement: number; total: number };
/**
 * What happened to the orders of one region. `complete`: all units served at once. `onTime` of `promised`: complete, and every shipment arrives by the promise. `stockOuts`: what could
 * not be served when the order was routed. `km`: of the `measured` shipments, those whose two ends have coordinates.
 */
export type RegionFigures = {
  orders: number; complete: number; shipments: number; units: number; cost: Money; costPerOrder: number; shipmentsPerOrder: number;
  promised: number; onTime: number; onTimeShare: number | null; daysLate: number; stockOuts: { orders: number; lines: number; units: number }; km: number; measured: number; kmPerShipment: number | null;
};
/** `regions`: by province of the destination, sorted by name. */
export type SimulationResult = { total: RegionFigures; regions: Record<string, RegionFigures> };

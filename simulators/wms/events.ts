import { chance, hash53 } from '../shared/chance.ts';
import type { EventType, Order } from './order.ts';

/** The location's own number of an order: the same in every run with the same seed. */
export function partnerRef(seed: string, id: string): string {
  return `W${hash53(seed, 'ref', id).toString(36).toUpperCase().padStart(11, '0')}`;
}

/** One event of each type and order; a repetition carries the same id. */
export function eventId(order: Order, type: EventType): string {
  return `${order.id}.${type}`;
}

/**
 * The body of an event, from the order as it stands.
 * @param at when it happened, ms since the epoch
 */
export function eventBody(seed: string, order: Order, type: EventType, at: number): string {
  return JSON.stringify({
    eventId: eventId(order, type),
    type,
    fulfillmentOrderId: order.id,
    occurredAt: new Date(at).toISOString(),
    ...details(seed, order, type),
  });
}

/** What was found, by line. */
export function pickedLines(order: Order): { lineNo: number; quantity: number }[] {
  return order.lines
    .map(({ lineNo, quantity }) => {
      const missing = order.missing?.find((line) => line.lineNo === lineNo)?.quantity ?? 0;
      return { lineNo, quantity: quantity - missing };
    })
    .filter((line) => line.quantity > 0);
}

/** Grams of the one parcel: 100–500 g a unit, by SKU, and 80 g for the box. */
export function parcelWeight(seed: string, order: Order): number {
  const found = new Map(pickedLines(order).map((line) => [line.lineNo, line.quantity]));
  return order.lines.reduce(
    (grams, line) => grams + (found.get(line.lineNo) ?? 0) * (100 + Math.floor(chance(seed, 'weight', line.sku) * 400)),
    80,
  );
}

function details(seed: string, order: Order, type: EventType): Record<string, unknown> {
  const parcel = { parcelNo: 1, weightG: parcelWeight(seed, order), lines: pickedLines(order) };
  switch (type) {
    case 'accepted':
      return { partnerRef: partnerRef(seed, order.id) };
    case 'rejected':
      return { reason: order.reason };
    case 'short_picked':
      return { lines: order.missing };
    case 'packed':
      return { parcels: [parcel] };
    case 'goods_issue':
      return { parcels: [{ ...parcel, ...waybill(seed, order) }] };
  }
}

/** Without a waybill from Tributary the location sends the parcel on its own account, under a number of its own. */
function waybill(seed: string, order: Order): { carrier: string; waybillNo: string } {
  if (order.waybillNo !== undefined) return { carrier: order.carrier ?? 'own', waybillNo: order.waybillNo };
  return { carrier: 'own', waybillNo: `OWN${partnerRef(seed, order.id)}` };
}

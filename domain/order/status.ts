/** States of an order; `docs/glossary.md` has their Chinese terms. */
export const ORDER_STATUSES = [
  'captured', 'awaiting_payment', 'on_hold', 'backordered', 'confirmed', 'routed', 'in_fulfillment',
  'partially_shipped', 'shipped', 'delivered', 'closed', 'cancelled', 'rejected', 'expired',
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

export const TERMINAL: ReadonlySet<OrderStatus> = new Set(['closed', 'cancelled', 'rejected', 'expired']);

export const FULFILLMENT_STATUSES = [
  'routed', 'releasing', 'released', 'accepted', 'packed', 'issued', 'delivered', 'returned', 'lost', 'rejected', 'cancelled',
] as const;
export type FulfillmentStatus = (typeof FULFILLMENT_STATUSES)[number];

/** Still ours alone: the location has not been told. */
export const UNRELEASED: ReadonlySet<FulfillmentStatus> = new Set(['routed']);
/** The location has been told, or may have been; the goods have not left. */
export const AT_LOCATION: ReadonlySet<FulfillmentStatus> = new Set(['releasing', 'released', 'accepted', 'packed']);
/** The goods have left. */
export const LEFT: ReadonlySet<FulfillmentStatus> = new Set(['issued', 'delivered', 'returned', 'lost']);
/** Takes no further part in the order. */
export const VOID: ReadonlySet<FulfillmentStatus> = new Set(['rejected', 'cancelled']);

/** What the summary status is derived from. */
export type StatusInput = {
  current: OrderStatus;
  heldOpen: boolean;
  awaitingPayment: boolean;
  validated: boolean;
  waitingForStock: boolean;
  unroutedUnits: number;
  /** statuses of the fulfillment orders that still count (VOID ones left out) */
  fulfillments: readonly FulfillmentStatus[];
  cancelledWhole: boolean;
  windowOver: boolean;
};

/**
 * The summary status of an order, from its facts. A hold shows until goods have left; afterwards what happened to the goods
 * is the more useful word.
 */
export function deriveStatus(input: StatusInput): OrderStatus {
  if (TERMINAL.has(input.current)) return input.current;
  const left = input.fulfillments.filter((s) => LEFT.has(s)).length;
  const waiting = input.fulfillments.length - left;
  if (input.cancelledWhole && left === 0 && waiting === 0) return 'cancelled';
  if (left > 0) {
    if (waiting > 0 || input.unroutedUnits > 0) return 'partially_shipped';
    if (input.fulfillments.some((s) => s === 'issued')) return 'shipped';
    return input.windowOver ? 'closed' : 'delivered';
  }
  if (input.heldOpen) return 'on_hold';
  if (input.awaitingPayment) return 'awaiting_payment';
  if (!input.validated) return 'captured';
  if (input.fulfillments.some((s) => AT_LOCATION.has(s))) return 'in_fulfillment';
  if (input.waitingForStock) return 'backordered';
  return input.fulfillments.length > 0 && input.unroutedUnits === 0 ? 'routed' : 'confirmed';
}

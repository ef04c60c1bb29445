/** Where a fulfillment order stands. `cancelled-in-place`: packed, but the hand-over was refused, so the goods stay here. */
export const STATUSES = [
  'received', 'accepted', 'rejected', 'picking', 'short_picked', 'packed', 'handed_over', 'cancelled', 'cancelled-in-place',
] as const;
export type Status = (typeof STATUSES)[number];

/** What is done next. `silent`: nothing ever, unless it is cancelled. */
export type Stage = 'accept' | 'pick' | 'picked' | 'pack' | 'issue' | 'pickup' | 'silent';

export const REJECT_REASONS = ['not_found', 'mismatch', 'damaged', 'no_capacity', 'closed'] as const;
export type RejectReason = (typeof REJECT_REASONS)[number];

export type EventType = 'accepted' | 'rejected' | 'short_picked' | 'packed' | 'goods_issue';

export interface Line {
  readonly lineNo: number;
  readonly sku: string;
  readonly quantity: number;
}

/** The body of `POST /v1/fulfillment-orders`, as far as the location needs it. People and addresses are not kept. */
export interface Intake {
  readonly fulfillmentOrderId: string;
  readonly locationCode: string;
  readonly scheduledFrom?: string;
  readonly carrier?: string;
  readonly waybillNo?: string;
  readonly lines: readonly Line[];
}

/** What never changes after the intake. Times are ms since the epoch. */
export interface OrderFacts {
  readonly id: string;
  /** Digest of the intake's body, to tell a repetition from a conflict. */
  readonly digest: string;
  readonly locationCode: string;
  readonly lines: readonly Line[];
  readonly scheduledFrom?: number;
  readonly carrier?: string;
  readonly waybillNo?: string;
}

/** What changes. Every change is one journal record. */
export interface OrderState {
  status: Status;
  stage: Stage;
  /** When the stage was reached. */
  since: number;
  /** When the stage's work was done and its event made; null before. It is the event's `occurredAt`, also after a restart. */
  begun: number | null;
  reason: RejectReason | null;
  /** What the picker did not find; null before picking. */
  missing: readonly { readonly lineNo: number; readonly quantity: number }[] | null;
  /** An event kept back by the out-of-order fault until the next one was answered. */
  held: { readonly type: EventType; readonly at: number } | null;
}

export type Order = OrderFacts & OrderState;

/** The status as the protocol names it. */
export function publicStatus(status: Status): Exclude<Status, 'cancelled-in-place'> {
  return status === 'cancelled-in-place' ? 'cancelled' : status;
}

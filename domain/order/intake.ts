import type { Bearer } from './pricing.ts';

export const ORDER_TYPES = ['retail', 'wholesale', 'consignment', 'resend', 'sample'] as const;
export type OrderType = (typeof ORDER_TYPES)[number];
/** How it gets to the customer. `ship_to_store`: fetched at a shop that has it sent first. */
export const WAYS = ['ship', 'pickup', 'curbside', 'ship_to_store'] as const;
export type Way = (typeof WAYS)[number];
/** `deposit`: a pre-sale whose balance is still to be paid. */
export type PaymentStatus = 'unpaid' | 'deposit' | 'paid' | 'cash_on_delivery' | 'not_due';

export type Discount = { bearer: Bearer; code: string; amount: number };

/** An order as a client submits it. Money in minor units of `currency`, times ISO 8601. */
export type OrderIntake = {
  channel: string;
  externalId: string;
  type?: OrderType;
  currency: string;
  orderedAt?: string;
  /** `deposit` (minor units, part of the total) and `balanceDueAt` with status `deposit` only */
  payment: { status: PaymentStatus; deposit?: number; balanceDueAt?: string };
  buyer?: { id?: string; name?: string; phone?: string; email?: string; wecomId?: string };
  /** `token`: the platform's own name for this receiver and address; `sealed`: fields that the platform gave encrypted only, for its own waybill service (the plain ones then hold what it shows) */
  shipTo: { name: string; phone: string; country: string; province: string; city: string; district?: string; street: string; postcode?: string; token?: string; sealed?: Readonly<Record<string, string>> };
  lines: { sku: string; quantity: number; unitPrice: number; discounts?: Discount[]; gift?: boolean }[];
  discounts?: Discount[];
  freight?: number;
  buyerRemark?: string;
  sellerRemark?: string;
  priority?: number;
  scheduled?: { from: string; to?: string };
  shipBy?: string;
  invoice?: { type: 'personal' | 'company'; title: string; taxNumber?: string; email?: string };
  location?: string;
  /** who fetches it, and where; then `shipTo` says who the customer is */
  pickup?: { location: string; way: Exclude<Way, 'ship'> };
  /** code of the campaign or declaration whose units it sells */
  session?: string;
};

/** What a capture answers; stored with the captured event, so that a repetition gets the same. */
export type CaptureAnswer = {
  id: string;
  channel: string;
  externalId: string;
  status: 'captured' | 'awaiting_payment' | 'on_hold';
  currency: string;
  total: number;
  payBy: string | null;
  promise: { shipBy: string; deliverBy: string } | null;
  /** `expectedAt`: units that are still to come */
  reserved: { line: number; location: string; quantity: number; expectedAt?: string }[];
  missing: { line: number; sku: string; quantity: number; cause: 'unknown_sku' | 'no_stock' }[];
  capturedAt: string;
  /** why the session that the order names could not be used: it was taken from the channel's stock */
  sessionMissed?: string;
};

/** When the relay should hand an order over: its ship-by date, a day earlier for each step of priority; without one, its capture. */
export function urgency(shipBy: Date | null, capturedAt: Date, priority: number): Date {
  return new Date((shipBy ?? capturedAt).getTime() - priority * 86_400_000);
}

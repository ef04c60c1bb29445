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
  /** `unitPrice` left out: as the price book says, on a strict channel */
  lines: { sku: string; quantity: number; unitPrice?: number; discounts?: Discount[]; gift?: boolean }[];
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
  /** codes of coupons; with them, `staff`, `promotions` or a line without price we price the order (strict channels only) */
  coupons?: string[];
  /** the buyer's staff number */
  staff?: { id: string };
  /** `apply`: what is live is applied, though every line has its price */
  promotions?: 'apply';
  /** minor units: refused when the order comes to something else */
  expectTotal?: number;
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
  /** what was applied, where the order was priced here or got gifts */
  promotions?: PromotionsAnswer;
};

/** `lines`: minor units off by line; `unused`: coupons that another promotion took the place of, not spent; `dropped`: gifts that are out of stock. */
export type PromotionsAnswer = {
  applied: { promotion: string; code: string; kind: string; bearer: Bearer; amount: number; units: number; lines: { line: number; amount: number }[] }[];
  gifts: { line: number; sku: string; quantity: number; promotion: string; code: string }[];
  dropped: { sku: string; quantity: number; promotion: string; code: string; reason: string }[];
  unused: { coupon: number; promotion: string; reason: string }[];
};

/** When the relay should hand an order over: its ship-by date, a day earlier for each step of priority; without one, its capture. */
export function urgency(shipBy: Date | null, capturedAt: Date, priority: number): Date {
  return new Date((shipBy ?? capturedAt).getTime() - priority * 86_400_000);
}

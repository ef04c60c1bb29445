import type { Bearer } from '../order/pricing.ts';

export const PROMOTION_KINDS = ['staff_price', 'coupon', 'bundle', 'gift', 'threshold', 'markdown'] as const;
export type PromotionKind = (typeof PROMOTION_KINDS)[number];

/** Off the price of a unit; whole percent or minor units. A SKU's own `price` goes before it. */
export type UnitTerms = { percentOff?: number; amountOff?: number };
/** `groups`: of staff; left out: all of them. */
export type StaffTerms = UnitTerms & { groups?: string[] };
/** Off the lines of the scope together; `maxOff` caps a percentage. */
export type CouponTerms = { amountOff?: number; percentOff?: number; maxOff?: number; minSpend?: number };
/** These units together cost `price`, or `percentOff` less; as often as they are in the order. */
export type BundleTerms = { items: { sku: string; quantity: number }[]; price?: number; percentOff?: number };
/** One of `minSpend`, `minQuantity` or neither (any line of the scope). `repeat`: again for each such amount. */
export type GiftTerms = { gifts: { sku: string; quantity: number }[]; minSpend?: number; minQuantity?: number; repeat?: boolean; outOfStock: 'drop' | 'refuse' };
/** The highest tier reached counts. `repeat` (每满减, one tier by `minSpend` and `amountOff`): again for each such amount. */
export type ThresholdTerms = { tiers: { minSpend?: number; minQuantity?: number; amountOff?: number; percentOff?: number }[]; repeat?: boolean };

type ByKind =
  | { kind: 'markdown'; terms: UnitTerms } | { kind: 'staff_price'; terms: StaffTerms } | { kind: 'coupon'; terms: CouponTerms }
  | { kind: 'bundle'; terms: BundleTerms } | { kind: 'gift'; terms: GiftTerms } | { kind: 'threshold'; terms: ThresholdTerms };

/** A promotion as it is put; money in minor units of `currency`, moments ISO 8601. `code` is your name for it: the same code again changes it. */
export type PromotionInput = ByKind & {
  code: string; name: string; currency: string;
  /** codes; left out: every channel whose orders we price ourselves */
  channels?: string[];
  /** the scope with `categories`; both left out: every SKU. `price`: of a unit, for markdown and staff price; `floor`: no unit is sold below */
  skus?: { sku: string; price?: number; floor?: number }[];
  categories?: string[];
  from: string; until: string;
  bearer: Bearer;
  /** lower goes first; 100 */
  priority?: number;
  /** false: nothing but gifts beside it on its lines */
  stackable?: boolean;
  perCustomer?: { orders?: number; units?: number };
  perStaffUnits?: number;
  budget?: number;
  campaignId?: string; stage?: string;
  /** draft: nobody gets it until it is activated */
  status?: 'draft' | 'active';
};

/** A live (or coming) promotion as an order meets it. Codes of SKUs and channels; moments ms since epoch; live in [from, until). */
export type Promotion = ByKind & {
  id: string; code: string; name: string; currency: string; version: number;
  channels: ReadonlySet<string> | null;
  skus: ReadonlyMap<string, { price: number | null; floor: number | null }>;
  categories: ReadonlySet<string>;
  from: number; until: number;
  bearer: Bearer; priority: number; stackable: boolean;
  perCustomerOrders: number | null; perCustomerUnits: number | null; perStaffUnits: number | null; budget: number | null;
  /** a budget that it shares with other promotions, by its name; null: none */
  pool: string | null;
};

/** What of one promotion has been used: by everybody, by this customer, by this member of staff. `poolLeft`: what is left of the budget that it shares; null: no limit. */
export type Used = { amount: number; customerOrders: number; customerUnits: number; staffUnits: number; poolLeft: number | null };

export const kindsPair = (a: PromotionKind, b: PromotionKind): string => (a <= b ? `${a}|${b}` : `${b}|${a}`);

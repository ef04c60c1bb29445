import { Type } from '@sinclair/typebox';
import { PROMOTION_KINDS } from '../../domain/promotion/model.ts';
import { AppliedDiscountSchema, AppliedSchema, DiscountSchema, GiftSchema, LinesSchema, PricedHere, UnusedSchema } from '../orders/schema.ts';
import { Code, Currency, Minor, Nullable, OneOf, Quantity, Text, Timestamp } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;
const Percent = Type.Integer({ minimum: 1, maximum: 100, description: 'per cent off' });
const Spend = Type.Integer({ minimum: 1, maximum: 9_000_000_000_000, description: 'minor units' });
const Count = Type.Integer({ minimum: 1, maximum: 1_000_000 });
const Item = Type.Object({ sku: Code, quantity: Quantity }, closed);

/** The terms of every kind; which of them a kind has is said by the domain (`faultOf`), so that an error names the very field. */
const Terms = Type.Object({
  percentOff: Type.Optional(Percent), amountOff: Type.Optional(Spend), maxOff: Type.Optional(Spend), minSpend: Type.Optional(Spend), minQuantity: Type.Optional(Count), price: Type.Optional(Minor),
  groups: Type.Optional(Type.Array(Code, { minItems: 1, maxItems: 50, description: 'of staff' })),
  items: Type.Optional(Type.Array(Item, { minItems: 1, maxItems: 20, description: 'of a bundle' })),
  gifts: Type.Optional(Type.Array(Item, { minItems: 1, maxItems: 20 })),
  outOfStock: Type.Optional(OneOf(['drop', 'refuse'], 'what happens to the order when the gift is gone: it goes without, or is refused')),
  tiers: Type.Optional(Type.Array(Type.Object({ minSpend: Type.Optional(Spend), minQuantity: Type.Optional(Count), amountOff: Type.Optional(Spend), percentOff: Type.Optional(Percent) }, closed), { minItems: 1, maxItems: 20 })),
  repeat: Type.Optional(Type.Boolean()),
}, { ...closed, description: 'markdown {percentOff|amountOff}; staff_price {percentOff|amountOff, groups?}; coupon {percentOff|amountOff, maxOff?, minSpend?}; bundle {items, price|percentOff}; '
  + 'gift {gifts, minSpend?|minQuantity?, repeat?, outOfStock}; threshold {tiers, repeat?}' });

const common = {
  name: Text(100), currency: Currency,
  channels: Type.Optional(Type.Array(Code, { minItems: 1, maxItems: 100, uniqueItems: true, description: 'left out: every channel whose orders are priced here' })),
  skus: Type.Optional(Type.Array(Type.Object({ sku: Code, price: Type.Optional(Minor), floor: Type.Optional(Minor) }, closed), { maxItems: 5_000 })),
  categories: Type.Optional(Type.Array(Text(64), { maxItems: 100, uniqueItems: true })),
  from: Timestamp, until: Timestamp, bearer: OneOf(['platform', 'shop', 'influencer', 'brand'], 'who pays for it'),
  priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000, description: 'lower goes first' })),
  stackable: Type.Optional(Type.Boolean({ description: 'false: nothing but gifts beside it on its lines' })),
  perCustomer: Type.Optional(Type.Object({ orders: Type.Optional(Count), units: Type.Optional(Count) }, closed)),
  perStaffUnits: Type.Optional(Count), budget: Type.Optional(Spend),
  status: Type.Optional(OneOf(['draft', 'active'])),
};

/** The body of a promotion; with its code the type is `PromotionInput`. */
export const PromotionBody = Type.Object({ kind: OneOf(PROMOTION_KINDS), terms: Terms, ...common }, closed);
export const EndBody = Type.Object({ at: Type.Optional(Timestamp), reason: Type.Optional(Text(500)) }, closed);
export const CouponBody = Type.Object({
  batch: Code, count: Type.Optional(Type.Integer({ minimum: 1, maximum: 20_000 })),
  buyers: Type.Optional(Type.Array(Type.Object({ phone: Type.Optional(Text(40)), email: Type.Optional(Text(254)) }, { ...closed, minProperties: 1, maxProperties: 1 }), { minItems: 1, maxItems: 5_000, description: 'one code each, of which nobody else can make use' })),
}, { ...closed, description: '`count` or `buyers`' });
export const PricesBody = Type.Object({
  prices: Type.Array(Type.Object({ sku: Code, channel: Type.Optional(Code), currency: Currency, price: Type.Union([Minor, Type.Null()]), floor: Type.Optional(Minor) }, closed), { minItems: 1, maxItems: 5_000 }),
}, closed);
export const ConflictsBody = Type.Object({ pairs: Type.Array(Type.Tuple([OneOf(PROMOTION_KINDS), OneOf(PROMOTION_KINDS)]), { maxItems: 36 }) }, closed);
export const StaffBody = Type.Object({ members: Type.Array(Type.Object({ id: Text(100), group: Code, active: Type.Optional(Type.Boolean()) }, closed), { minItems: 1, maxItems: 5_000 }) }, closed);
export const CartBody = Type.Object({
  channel: Code, currency: Currency, lines: LinesSchema, discounts: Type.Optional(Type.Array(DiscountSchema, { maxItems: 20 })), freight: Type.Optional(Minor), ...PricedHere,
  buyer: Type.Optional(Type.Object({ id: Type.Optional(Text(128)), phone: Type.Optional(Text(40)), email: Type.Optional(Text(254)) }, { ...closed, description: 'for limits and for coupons issued to a person' })),
}, closed);
const Int = Type.Integer();
export const QuoteSchema = Type.Object({
  currency: Type.String(), list: Int, discount: Int, freight: Int, total: Int, at: Type.String(),
  lines: Type.Array(Type.Object({ line: Int, sku: Type.String(), quantity: Int, unitPrice: Int, list: Int, discount: Int, freight: Int, net: Int, gift: Type.Boolean(), discounts: Type.Array(AppliedDiscountSchema) })),
  promotions: Type.Object({ applied: Type.Array(AppliedSchema), gifts: Type.Array(GiftSchema), unused: Type.Array(UnusedSchema) }),
  problem: Nullable(Type.Object({ code: Type.String(), detail: Type.String(), field: Nullable(Type.String()) })),
});

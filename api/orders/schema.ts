import { Type, type Static } from '@sinclair/typebox';
import { ORDER_TYPES } from '../../domain/order/intake.ts';
import { Code, Currency, Minor, Nullable, OneOf, Quantity, Text, Timestamp } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;

export const DiscountSchema = Type.Object({ bearer: OneOf(['platform', 'shop', 'influencer', 'brand'], 'who pays for it'), code: Text(64), amount: Minor }, closed);

/** As a line shows it: `promotion` where one of ours gave it. */
export const AppliedDiscountSchema = Type.Object({ bearer: Type.String(), code: Type.String(), amount: Type.Integer(), promotion: Type.Optional(Type.String({ description: 'prm_…' })) });

export const ShipToSchema = Type.Object({
  name: Text(100), phone: Text(40), country: Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166' }), province: Text(60), city: Text(60), district: Type.Optional(Text(60)),
  street: Text(300), postcode: Type.Optional(Text(16)),
  token: Type.Optional(Text(200, 1, { description: "the platform's own name for this receiver and address: orders of one token may travel in one parcel" })),
  sealed: Type.Optional(Type.Record(Type.String({ maxLength: 40 }), Text(2000), { maxProperties: 10, description: 'fields that the platform gives encrypted only, passed on to its own waybill service; the plain ones then hold what it shows' })),
}, closed);

const LineSchema = Type.Object({
  sku: Code, quantity: Quantity, unitPrice: Type.Optional(Type.Unsafe<number>({ ...Minor, description: 'minor units; left out: as the price book says (strict channels)' })), discounts: Type.Optional(Type.Array(DiscountSchema, { maxItems: 20 })), gift: Type.Optional(Type.Boolean()),
}, closed);
export const LinesSchema = Type.Array(LineSchema, { minItems: 1, maxItems: 500 });
/** What makes an order one that is priced here, on strict channels. */
export const PricedHere = {
  coupons: Type.Optional(Type.Array(Text(64), { minItems: 1, maxItems: 10, description: 'codes; each is used once, by an order that it brings something' })),
  staff: Type.Optional(Type.Object({ id: Text(100) }, { ...closed, description: "the buyer's staff number, for staff prices" })),
};

/** An order as a client submits it; the type is `OrderIntake` of the domain. */
export const OrderIntakeSchema = Type.Object({
  channel: Code,
  externalId: Text(128, 1, { description: "the order's id in the channel; the same id twice is one order" }),
  type: Type.Optional(OneOf(ORDER_TYPES)),
  currency: Currency,
  orderedAt: Type.Optional(Timestamp),
  payment: Type.Object({
    status: OneOf(['unpaid', 'deposit', 'paid', 'cash_on_delivery', 'not_due']),
    deposit: Type.Optional(Type.Unsafe<number>({ ...Minor, description: 'with status deposit: what has been paid of the total, minor units' })),
    balanceDueAt: Type.Optional(Type.Unsafe<string>({ ...Timestamp, description: 'with status deposit: when the rest must have been paid, else the units are freed' })),
  }, closed),
  buyer: Type.Optional(Type.Object({ id: Type.Optional(Text(128)), name: Type.Optional(Text(100)), phone: Type.Optional(Text(40)), email: Type.Optional(Text(254)), wecomId: Type.Optional(Text(128)) }, closed)),
  shipTo: ShipToSchema,
  lines: LinesSchema,
  discounts: Type.Optional(Type.Array(DiscountSchema, { maxItems: 20, description: 'of the whole order; spread over its lines' })),
  freight: Type.Optional(Minor),
  buyerRemark: Type.Optional(Text(1000, 0)),
  sellerRemark: Type.Optional(Text(1000, 0)),
  priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 9, description: '9 is the most urgent' })),
  scheduled: Type.Optional(Type.Object({ from: Timestamp, to: Type.Optional(Timestamp) }, closed)),
  shipBy: Type.Optional(Timestamp),
  invoice: Type.Optional(Type.Object({ type: OneOf(['personal', 'company']), title: Text(200), taxNumber: Type.Optional(Text(40)), email: Type.Optional(Text(254)) }, closed)),
  location: Type.Optional(Code),
  pickup: Type.Optional(Type.Object({ location: Code, way: OneOf(['pickup', 'curbside', 'ship_to_store']) }, { additionalProperties: false, description: 'the customer fetches it there; `ship_to_store`: what the shop lacks is sent to it first' })),
  session: Type.Optional(Type.Unsafe<string>({ ...Code, description: 'code of the campaign or declaration whose units it sells' })),
  ...PricedHere,
  promotions: Type.Optional(OneOf(['apply'], 'apply what is live, though every line has its unitPrice (then it is the list price)')),
  expectTotal: Type.Optional(Type.Unsafe<number>({ ...Minor, description: 'what the customer was shown, minor units: refused (409 with `total`) when it comes to something else' })),
}, { ...closed, $id: 'OrderIntake', description: 'An order of any channel' });
export type OrderIntakeBody = Static<typeof OrderIntakeSchema>;

const LineAmount = Type.Object({ line: Type.Integer(), amount: Type.Integer() });
export const AppliedSchema = Type.Object({ promotion: Type.String(), code: Type.String(), kind: Type.String(), bearer: Type.String(), amount: Type.Integer(), units: Type.Integer(), lines: Type.Array(LineAmount) });
export const GiftSchema = Type.Object({ line: Type.Integer(), sku: Type.String(), quantity: Type.Integer(), promotion: Type.String(), code: Type.String() });
export const UnusedSchema = Type.Object({ coupon: Type.Integer({ description: 'its place in `coupons`, from 0' }), promotion: Type.String(), reason: Type.String() });

export const CaptureAnswerSchema = Type.Object({
  id: Type.String(), channel: Type.String(), externalId: Type.String(), status: Type.String(), currency: Type.String(), total: Type.Integer(), payBy: Nullable(Type.String()),
  promise: Nullable(Type.Object({ shipBy: Type.String(), deliverBy: Type.String() })),
  reserved: Type.Array(Type.Object({ line: Type.Integer(), location: Type.String(), quantity: Type.Integer(), expectedAt: Type.Optional(Type.String({ description: 'units that are still to come' })) })),
  missing: Type.Array(Type.Object({ line: Type.Integer(), sku: Type.String(), quantity: Type.Integer(), cause: Type.String() })),
  capturedAt: Type.String(), sessionMissed: Type.Optional(Type.String({ description: "why the session could not be used: the order was taken from the channel's stock" })),
  promotions: Type.Optional(Type.Object({
    applied: Type.Array(AppliedSchema), gifts: Type.Array(GiftSchema), unused: Type.Array(UnusedSchema),
    dropped: Type.Array(Type.Object({ sku: Type.String(), quantity: Type.Integer(), promotion: Type.String(), code: Type.String(), reason: Type.String() })),
  }, { description: 'what was applied, where the order was priced here or got gifts' })),
});
export const OrderParams = Type.Object({ id: Type.String({ pattern: '^ord_[0-9a-hjkmnp-tv-z]{26}$', description: 'ord_…' }) });

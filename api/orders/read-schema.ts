import { Type } from '@sinclair/typebox';
import { ORDER_STATUSES } from '../../domain/order/status.ts';
import { Nullable } from '../schemas/common.ts';
import { FulfillmentLineSchema, ReceiverSchema } from '../fulfillment/schema.ts';
import { RefundSchema, ReturnSchema } from '../returns/schema.ts';
import { AppliedDiscountSchema } from './schema.ts';

const Str = Type.String();
const Int = Type.Integer();
const At = Type.String({ description: 'ISO 8601, UTC' });
const MaybeAt = Nullable(At);
const MaybeStr = Nullable(Str);

export const OrderHeadSchema = Type.Object({
  id: Str, channel: Str, externalId: Str, type: Str, status: Str, holdReason: MaybeStr, paymentStatus: Str, currency: Str, total: Int, location: MaybeStr,
  destination: Type.Object({ country: Str, province: Str, city: Str }), priority: Int, shipBy: MaybeAt, capturedAt: At,
});

export const SummarySchema = Type.Object({ counts: Type.Object(Object.fromEntries(ORDER_STATUSES.map((s) => [s, Int]))) });

const ParcelSchema = Type.Object({
  id: Str, parcelNo: Int, carrier: Str, waybillNo: Str, weightG: Nullable(Int), service: Str, dimensionsMm: Nullable(Type.Object({ length: Int, width: Int, height: Int })),
  chargeableG: Nullable(Type.Integer({ description: 'the larger of weight and volumetric weight, grams' })), expectedBy: Nullable(At), milestone: Str, milestoneAt: At, interceptOutcome: MaybeStr,
  lines: Type.Array(Type.Object({ line: Int, quantity: Int, lot: MaybeStr, serials: Nullable(Type.Array(Str)) })),
});

const FulfillmentSchema = Type.Object({
  id: Str, location: Str, status: Str, attempt: Int, carrier: MaybeStr, waybillNo: MaybeStr, partnerRef: MaybeStr, cost: Type.Integer({ description: 'estimated, in minor units' }),
  reasons: Type.Unknown({ description: 'why it was routed there' }), routedAt: At, releasedAt: MaybeAt, acceptBy: MaybeAt, acceptedAt: MaybeAt, packedAt: MaybeAt, issuedAt: MaybeAt,
  endedAt: MaybeAt, endReason: MaybeStr, cancelRequestedAt: MaybeAt, cancelOutcome: MaybeStr,
  lines: Type.Array(Type.Omit(FulfillmentLineSchema, ['sku'])), parcels: Type.Array(ParcelSchema),
});

const ContactSchema = Type.Object({
  buyer: Nullable(Type.Object({ id: Type.Optional(Str), name: Type.Optional(Str), phone: Type.Optional(Str), email: Type.Optional(Str) })),
  shipTo: ReceiverSchema, buyerRemark: MaybeStr, sellerRemark: MaybeStr,
  invoice: Nullable(Type.Object({ type: Str, title: Str, taxNumber: Type.Optional(Str), email: Type.Optional(Str) })),
}, { description: 'only for keys with personal:read; null when the person has been erased' });

export const OrderDetailSchema = Type.Object({
  id: Str, channel: Str, externalId: Str, type: Str, status: Str, holdReason: MaybeStr, paymentStatus: Str, payBy: MaybeAt,
  money: Type.Object({ currency: Str, list: Int, discount: Int, freight: Int, total: Int, deposit: Int }, { description: 'in minor units; `deposit`: what of the total a pre-sale has paid at once' }),
  location: MaybeStr, way: Type.String({ description: 'ship, pickup, curbside, ship_to_store' }), pickupAt: MaybeStr, parent: MaybeStr, destination: Type.Object({ country: Str, province: Str, city: Str, district: MaybeStr }),
  priority: Int, scheduled: Nullable(Type.Object({ from: At, to: MaybeAt })), invoiceRequested: Type.Boolean(),
  orderedAt: At, capturedAt: At, validatedAt: MaybeAt, shipBy: MaybeAt, deliverBy: MaybeAt, deliveredAt: MaybeAt, returnUntil: MaybeAt, closedAt: MaybeAt, version: Int,
  lines: Type.Array(Type.Object({
    line: Int, sku: Str, quantity: Int, cancelled: Int, issued: Int, returned: Int, refunded: Int, gift: Type.Boolean(),
    bundle: Nullable(Type.Object({ sku: Str, line: Int }, { description: 'the bundle that this line is a component of, and the line on which it was ordered' })),
    unitPrice: Int, list: Int, discount: Int, freight: Int, net: Int, discounts: Type.Array(AppliedDiscountSchema),
  })),
  reservations: Type.Array(Type.Object({ line: Int, location: Str, units: Int, status: Str, fulfillmentOrder: MaybeStr })),
  shortages: Type.Array(Type.Object({ line: Int, units: Int, cause: Str, deadline: At, status: Str })),
  holds: Type.Array(Type.Object({ id: Int, reason: Str, detail: MaybeStr, placedAt: At, placedBy: Str, releasedAt: MaybeAt, releasedBy: MaybeStr, note: MaybeStr })),
  fulfillmentOrders: Type.Array(FulfillmentSchema), returns: Type.Array(ReturnSchema), refunds: Type.Array(RefundSchema),
  refundRequests: Type.Array(Type.Object({ id: Str, status: Str, reason: Str, requestedAt: At, requestedBy: Str, closedAt: MaybeAt })),
  timeline: Type.Array(Type.Object({ at: At, type: Str, actor: Str, data: Type.Unknown() }), { description: 'what happened, oldest first' }),
  contact: Type.Optional(Nullable(ContactSchema)),
});

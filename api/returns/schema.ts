import { Type } from '@sinclair/typebox';
import { Code, Nullable, OneOf, Quantity, Reason } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;
const line = Type.Integer({ minimum: 1, maximum: 500, description: "the line's number in the order" });
const Count = Type.Integer({ minimum: 0, maximum: 1_000_000, description: "units, in the SKU's base unit" });
const Bearers = Type.Object({ platform: Type.Integer(), shop: Type.Integer(), influencer: Type.Integer(), brand: Type.Integer() });

export const ReturnParams = Type.Object({ rma: Type.String({ pattern: '^rma_[0-9a-hjkmnp-tv-z]{26}$', description: 'rma_…' }) });
export const RefundParams = Type.Object({ id: Type.String({ pattern: '^ref_[0-9a-hjkmnp-tv-z]{26}$', description: 'ref_…' }) });

export const ReturnRequestSchema = Type.Object({
  kind: OneOf(['refund', 'exchange']), reason: Reason, method: OneOf(['label', 'pickup', 'drop_off'], 'how the goods come back'),
  location: Type.Optional(Code), goodwill: Type.Optional(Type.Boolean({ description: 'take it back after the return window; needs orders:operate' })),
  lines: Type.Array(Type.Object({ line, quantity: Quantity }, closed), { minItems: 1, maxItems: 500 }),
}, closed);

export const ReceiveSchema = Type.Object({ lines: Type.Array(Type.Object({ line, quantity: Count }, closed), { minItems: 1, maxItems: 500 }) }, closed);
export const InspectSchema = Type.Object({
  lines: Type.Array(Type.Object({ line, disposition: OneOf(['restock', 'damaged', 'dispose']), accepted: Count }, closed), { minItems: 1, maxItems: 500 }),
}, closed);
export const ReasonSchema = Type.Object({ reason: Reason }, closed);

export const ReturnSchema = Type.Object({
  rma: Type.String(), order: Type.String(), status: Type.String(), kind: Type.String(), reason: Type.String(), method: Type.String(), late: Type.Boolean(),
  location: Nullable(Type.String()), carrier: Nullable(Type.String()), waybillNo: Nullable(Type.String()), exchangeOrder: Nullable(Type.String()), requestedAt: Type.String(),
  authorisedAt: Nullable(Type.String()), receivedAt: Nullable(Type.String()), inspectedAt: Nullable(Type.String()), closedAt: Nullable(Type.String()),
  lines: Type.Array(Type.Object({
    line: Type.Integer(), quantity: Type.Integer(), received: Nullable(Type.Integer()), disposition: Nullable(Type.String()), accepted: Nullable(Type.Integer()),
  })),
});

export const RefundSchema = Type.Object({
  id: Type.String(), order: Type.String(), cause: Type.String(), amount: Type.Integer(), currency: Type.String(), status: Type.String(),
  lines: Type.Array(Type.Object({
    line: Type.Integer(), units: Type.Integer(), amount: Type.Integer(), list: Type.Integer(), freight: Type.Integer(), byBearer: Bearers,
  }), { description: 'amount = list − what each bearer gets back of its discount + freight' }),
  createdAt: Type.String(), settledAt: Nullable(Type.String()), settlementReference: Nullable(Type.String()),
}, { description: 'money in minor units' });

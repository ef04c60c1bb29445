import { Type } from '@sinclair/typebox';
import { MILESTONES } from '../../domain/order/milestone.ts';
import { Code, OneOf, Quantity, Text, Timestamp } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;
const head = { eventId: Text(200), fulfillmentOrderId: Text(64), occurredAt: Timestamp };
const LineQuantity = Type.Object({ lineNo: Type.Integer({ minimum: 1 }), quantity: Quantity }, closed);
const weightG = Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000_000 }));
const Millimetres = Type.Integer({ minimum: 1, maximum: 100_000 });
const dimensionsMm = Type.Optional(Type.Object({ length: Millimetres, width: Millimetres, height: Millimetres }, { ...closed, description: 'outer dimensions' }));
const parcelNo = Type.Integer({ minimum: 1, maximum: 10_000 });

/** What a location tells; docs/partner-protocol.md has the meaning. */
const kinds = [
  Type.Object({ ...head, type: Type.Literal('accepted'), partnerRef: Type.Optional(Text(200)) }, closed),
  Type.Object({ ...head, type: Type.Literal('rejected'), reason: OneOf(['not_found', 'mismatch', 'damaged', 'no_capacity', 'closed']) }, closed),
  Type.Object({ ...head, type: Type.Literal('short_picked'), lines: Type.Array(LineQuantity, { minItems: 1, maxItems: 500 }) }, closed),
  Type.Object({ ...head, type: Type.Literal('packed'), parcels: Type.Array(Type.Object({ parcelNo, weightG, lines: Type.Array(LineQuantity, { maxItems: 500 }) }, closed), { maxItems: 200 }) }, closed),
  Type.Object({
    ...head, type: Type.Literal('goods_issue'),
    parcels: Type.Array(Type.Object({
      parcelNo, weightG, dimensionsMm, carrier: Code, waybillNo: Text(100),
      lines: Type.Array(Type.Object({ lineNo: Type.Integer({ minimum: 1 }), quantity: Quantity, lot: Type.Optional(Text(64)), serials: Type.Optional(Type.Array(Text(100), { maxItems: 1000 })) }, closed), { minItems: 1, maxItems: 500 }),
    }, closed), { minItems: 1, maxItems: 200 }),
  }, closed),
];
/** One of the kinds, chosen by `type`, so that an error names the field of that kind. `type` stands here too: the choice itself fails without naming a field. Each kind is closed. */
export const LocationEventSchema = Type.Unsafe<object>({
  allOf: [
    { type: 'object', required: ['type'], properties: { type: { type: 'string', enum: kinds.map((k) => k.properties.type.const) } }, additionalProperties: true },
    { type: 'object', required: ['type'], discriminator: { propertyName: 'type' }, oneOf: kinds },
  ],
});

export const TrackingSchema = Type.Object({
  events: Type.Array(Type.Object({
    eventId: Text(200), waybillNo: Text(100), status: OneOf(MILESTONES.filter((m) => m !== 'issued')), description: Type.Optional(Text(500, 0)), city: Type.Optional(Text(100, 0)), occurredAt: Timestamp,
  }, closed), { minItems: 1, maxItems: 100 }),
}, closed);

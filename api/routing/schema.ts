import { Type } from '@sinclair/typebox';
import { Code, Nullable, OneOf, Quantity, Text, Timestamp } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;
const Amount = Type.Integer({ minimum: 0, maximum: 1_000_000_000, description: 'minor units' });
const Grams = Type.Integer({ minimum: 0, maximum: 100_000_000, description: 'grams' });
const Minute = Type.Integer({ minimum: 0, maximum: 1440, description: 'minutes after local midnight' });
const PerMille = Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'per mille: 1000 counts it as it is' });
const KINDS = ['warehouse', 'store', 'dealer', 'third_party', 'vendor'] as const;
const WAYS = ['ship', 'pickup', 'curbside', 'ship_to_store'] as const;
const PlaceSchema = Type.Object({
  country: Type.String({ pattern: '^[A-Z]{2}$' }), province: Text(100), city: Text(100), lat: Nullable(Type.Number({ minimum: -90, maximum: 90 })), lon: Nullable(Type.Number({ minimum: -180, maximum: 180 })),
}, closed);

const Stock = Type.Object({
  available: Type.Integer({ minimum: 0, maximum: 1_000_000_000 }), blocked: Type.Optional(Text(200, 1, { description: 'why the location gives none of it now, whatever is available' })),
  opportunity: Type.Optional(Type.Object({ cost: Amount, units: Type.Integer({ minimum: 0, maximum: 1_000_000_000 }) }, { ...closed, description: 'each of its last `units` units costs `cost`: the location would sell it at that margin itself' })),
  slowCredit: Type.Optional(Type.Unsafe<number>({ ...Amount, description: 'gained a unit for clearing slow stock' })), settlement: Type.Optional(Type.Unsafe<number>({ ...Amount, description: 'owed to a dealer a unit' })),
}, closed);

export const PolicySchema = Type.Object({
  code: Code, version: Type.Integer({ minimum: 1 }), kinds: Type.Array(OneOf(KINDS), { uniqueItems: true }), maxShipments: Type.Integer({ minimum: 1, maximum: 50 }),
  lineMaySplit: Type.Boolean({ description: 'whether a line that no location has whole may come from several' }), minShipmentValue: Type.Unsafe<number>({ ...Amount, description: 'each part of a split is worth at least this' }),
  eligibility: Type.Optional(Type.Array(Type.Object({
    mode: OneOf(['only', 'never']), channels: Type.Optional(Type.Array(Code, { maxItems: 1000, description: 'orders of these; absent: of all' })), ways: Type.Optional(Type.Array(OneOf(WAYS), { description: 'absent: all' })),
    locations: Type.Optional(Type.Array(Code, { maxItems: 2000 })), kinds: Type.Optional(Type.Array(OneOf(KINDS))),
  }, closed), { maxItems: 200, description: 'such orders are served only from the locations that are named (by code or kind), or never from these; all rules must hold' })),
  dealers: OneOf(['after_own', 'equal'], '`after_own`: a dealer serves a line only where no own location has it'),
  // Negative weights are told as what they are, with their name, by the check of the policy.
  weights: Type.Object({
    shipping: Type.Integer(), handling: Type.Integer(), splitPenalty: Type.Integer({ description: 'minor units for each shipment beyond the first' }), latenessPerDay: Type.Integer({ description: 'minor units for each begun day' }),
    loadBalance: Type.Integer({ description: 'minor units for a shipment from a location at its capacity' }), opportunity: Type.Integer(), slowCredit: Type.Integer(), settlement: Type.Integer(),
    rejection: Type.Optional(Type.Integer({ description: 'minor units for a shipment that is given back; counted with the probability that the location\'s `reliability` leaves' })),
  }, { ...closed, description: `others: ${PerMille.description ?? ''}` }),
}, closed);

export const InstanceSchema = Type.Object({
  order: Type.Object({
    channel: Code, way: Type.Optional(OneOf(WAYS, 'absent: it is shipped')), destination: PlaceSchema, promisedBy: Nullable(Timestamp),
    lines: Type.Array(Type.Object({
      line: Type.Integer({ minimum: 1, maximum: 1_000_000 }), sku: Text(64), quantity: Quantity, value: Type.Unsafe<number>({ ...Amount, description: 'of the whole line, minor units' }),
      weightG: Type.Unsafe<number>({ ...Grams, description: 'of one unit, grams' }), volumeMm3: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000_000, description: 'of one unit' })),
      hazardous: Type.Optional(Type.Boolean()), oversized: Type.Optional(Type.Boolean()),
    }, closed), { minItems: 1, maxItems: 200 }),
    forcedLocation: Type.Optional(Code), forcedCarrier: Type.Optional(Code), excluded: Type.Optional(Type.Array(Code, { maxItems: 2000 })),
    refused: Type.Optional(Type.Array(Type.Object({ carrier: Code, service: Type.Optional(Code), reason: Text(200) }, closed), { maxItems: 1000, description: 'carriers that do not take it' })),
  }, closed),
  locations: Type.Array(Type.Object({
    code: Code, kind: OneOf(KINDS), place: PlaceSchema, shipsAt: Nullable(Type.Unsafe<string>({ ...Timestamp, description: 'when a shipment decided now leaves; null: it takes nothing now' })),
    pause: Type.Optional(Text(200, 1, { description: 'why it takes nothing now' })), readyMinute: Type.Optional(Minute),
    reliability: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000, description: 'per mille of what it is given that it accepts' })),
    handling: Type.Object({ perShipment: Amount, perUnit: Amount }, closed), settlementFee: Type.Optional(Type.Unsafe<number>({ ...Amount, description: 'owed to a dealer a shipment' })), load: Type.Integer({ minimum: 0, maximum: 1000, description: 'per mille of its capacity that is taken' }),
    capacityUnits: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000 })), channels: Type.Optional(Type.Array(Code, { maxItems: 1000 })), hazardous: Type.Optional(Type.Boolean()), oversized: Type.Optional(Type.Boolean()),
    stock: Type.Record(Type.String({ minLength: 1, maxLength: 64 }), Stock),
  }, closed), { maxItems: 2000 }),
  rates: Type.Array(Type.Object({
    carrier: Code, zone: OneOf(['same_city', 'same_province', 'national', 'international']), firstWeightG: Grams, firstCost: Amount, stepG: Type.Integer({ minimum: 1, maximum: 100_000_000 }), stepCost: Amount,
    transitDays: Type.Integer({ minimum: 0, maximum: 365 }), volumetricMm3PerG: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })), maxWeightG: Type.Optional(Grams), hazardous: Type.Optional(Type.Boolean()),
    service: Type.Optional(Code), cutoffMinute: Type.Optional(Minute), lateRisk: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000, description: 'per mille of its parcels that come later than `transitDays`' })),
  }, closed), { maxItems: 1000 }),
  policy: PolicySchema,
  hurry: Type.Optional(Type.Object({
    latenessPerDay: Type.Integer({ minimum: 0, maximum: 1_000_000_000, description: 'a day late costs at least so much, minor units' }), services: Type.Optional(Type.Array(Code, { maxItems: 100, description: 'only these' })),
    exclude: Type.Optional(Type.Array(Code, { maxItems: 2000, description: 'locations that are too late' })),
  }, { ...closed, description: 'the order\'s promise is at risk' })),
  wanted: Type.Optional(Type.Array(Code, { maxItems: 2000, description: 'only from these: its wave\'s choice' })),
}, { ...closed, title: 'RoutingInstance', description: 'Everything the choice depends on. The objective is in docs/routing.md.' });

const Money = Type.Number({ description: 'minor units, with up to three decimals: weights are per mille' });
const LineUnits = Type.Object({ line: Type.Integer(), sku: Type.String(), quantity: Type.Integer() });
export const PlanSchema = Type.Object({
  policy: Type.Object({ code: Type.String(), version: Type.Integer() }),
  shipments: Type.Array(Type.Object({
    location: Type.String(), carrier: Type.String(), service: Type.Optional(Type.String({ description: 'absent: the standard one' })), shipsAt: Timestamp, arrivesAt: Timestamp, lines: Type.Array(LineUnits),
    terms: Type.Object({ shipping: Money, handling: Money, lateness: Money, load: Money, opportunity: Money, slowCredit: Money, settlement: Money, rejection: Type.Optional(Money) }), cost: Money,
  })),
  cost: Money, splitPenalty: Money, bound: Type.Unsafe<number>({ ...Money, description: 'no plan that serves as many lines costs less' }), optimal: Type.Boolean({ description: 'proved: cost and bound are the same' }),
  unallocated: Type.Array(LineUnits), rejected: Type.Array(Type.Object({ location: Type.String(), reason: Type.String() })), reasons: Type.Array(Type.String()),
});

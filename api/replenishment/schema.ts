import { Type } from '@sinclair/typebox';
import { Code, Minor, OneOf, Text } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;
const Days = (minimum: number, what: string) => Type.Integer({ minimum, maximum: 365, description: `${what}, days` });
const Units = (minimum: number, what: string) => Type.Integer({ minimum, maximum: 1_000_000, description: what });

export const PolicySchema = Type.Object({
  service: Type.Object({ kind: OneOf(['cycle', 'fill'], 'cycle: share of review cycles without a stock-out; fill: share of units served'), share: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }), together: Type.Optional(Type.Boolean({ description: 'with a fill rate: levels of all series together, least stock for it' })) }, closed),
  reviewDays: Days(1, 'how often everything is planned'), leadDays: Days(0, 'lead time where neither a lane nor a vendor says one'), nearDays: Days(0, 'lanes that take longer are not near'),
  mostOverLevel: Type.Number({ minimum: 1, maximum: 1_000, description: 'a vendor\'s minimum never brings more than so many times the level' }),
  budget: Type.Union([Type.Object({ amount: Minor, days: Days(1, 'within') }, closed), Type.Null()], { description: 'what purchase orders may cost in so many days; null: no limit' }),
  approve: Type.Object({
    transferUnits: Units(0, 'transfers up to so many units are approved by rule'), purchaseCost: Type.Unsafe<number>({ ...Minor, description: 'purchase orders up to this cost are approved by rule' }),
    sendPurchases: Type.Boolean({ description: 'those are sent to the vendor at once' }),
  }, closed),
}, closed);
export const ScopeBody = Type.Object({
  locations: Type.Array(Code, { minItems: 1, maxItems: 5_000, uniqueItems: true, description: 'those that give and those that take' }), categories: Type.Optional(Type.Array(Text(100), { minItems: 1, maxItems: 1_000, uniqueItems: true, description: 'absent: every SKU' })),
  policy: PolicySchema, active: Type.Optional(Type.Boolean()),
}, closed);
export const LanesBody = Type.Object({
  lanes: Type.Array(Type.Object({ from: Code, to: Code, perUnit: Minor, days: Type.Integer({ minimum: 0, maximum: 365 }) }, closed), { maxItems: 50_000 }),
}, closed);
export const VendorBody = Type.Object({
  name: Text(100), leadDays: Days(0, 'lead time'), leadVariance: Type.Optional(Type.Number({ minimum: 0, maximum: 10_000, description: 'of the lead time, days²' })), active: Type.Optional(Type.Boolean()),
  terms: Type.Array(Type.Object({
    sku: Code, location: Type.Optional(Code), unitCost: Minor, pack: Units(1, 'units of a pack'), minimum: Units(0, 'fewest units of an order line'), available: Type.Optional(Units(0, 'units it has; absent: any number')),
  }, closed), { maxItems: 50_000 }),
}, closed);
export const RulesBody = Type.Object({ rules: Type.Array(Type.Object({ sku: Code, reorderPoint: Units(0, 'at this or below, it is replenished'), level: Units(1, 'up to this') }, closed), { maxItems: 50_000 }) }, closed);

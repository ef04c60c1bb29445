import { Type } from '@sinclair/typebox';
import type { StagePlan } from '../../domain/clearance/plan.ts';
import { Code, Currency, Minor, OneOf, Quantity, Reason, Text, Timestamp } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;
const perMille = (description: string) => Type.Integer({ minimum: 1, maximum: 1000, description: `${description}, per mille` });
const Percent = Type.Integer({ minimum: 1, maximum: 95, description: 'whole percent off the list price' });
const EveryS = Type.Integer({ minimum: 600, maximum: 2_592_000, description: 'seconds between two markdowns' });
const FloorMargin = Type.Integer({ minimum: -1000, maximum: 950, description: '(price − cost) ÷ price that is kept, per mille; negative: below cost on purpose' });
const Proposals = OneOf(['rule', 'operator'], 'what becomes of a proposed price: applied, or written down for an operator');
const common = {
  startsAt: Type.Optional(Type.Unsafe<string>({ ...Timestamp, description: 'left out: as soon as the stage before is over' })), endsAt: Timestamp,
  target: Type.Optional(perMille('sell-through of the campaign at which the stage is over')), budget: Type.Optional(Minor),
  cost: Type.Optional(Type.Unsafe<number>({ ...Minor, description: 'what it costs whatever it sells' })),
};
const STAGES = [
  Type.Object({ ...common, kind: Type.Literal('staff'), percentOff: Percent, group: Type.Unsafe<string>({ ...Code, description: 'of the staff' }), perPerson: Quantity }, closed),
  Type.Object({
    ...common, kind: Type.Literal('coupon'), percentOff: Percent, segment: Code, ways: Type.Array(OneOf(['wecom', 'sms', 'email']), { minItems: 1, maxItems: 3, description: 'in order of preference' }),
    template: Type.Unsafe<string>({ ...Code, description: 'of the message; it may hold {coupon}, {campaign}, {percentOff}, {until}' }), messageCost: Type.Optional(Minor), stackable: Type.Optional(Type.Boolean()),
  }, closed),
  Type.Object({ ...common, kind: Type.Literal('live_stream'), percentOff: Percent, channel: Code, partner: Text(200), share: Type.Integer({ minimum: 0, maximum: 1000, description: 'of what is free, set apart for the session; per mille' }) }, closed),
  Type.Object({ ...common, kind: Type.Literal('bundle'), percentOff: Percent, partner: Text(200), with: Type.Array(Code, { minItems: 1, maxItems: 5, description: 'SKUs of the partner brand, one unit each' }), bearer: OneOf(['shop', 'brand']) }, closed),
  Type.Object({ ...common, kind: Type.Literal('gift'), partner: Text(200), gift: Code, giftQuantity: Quantity, minimum: Type.Unsafe<number>({ ...Quantity, description: 'units of the campaign for one gift' }), bearer: OneOf(['shop', 'brand']) }, closed),
  Type.Object({ ...common, kind: Type.Literal('markdown'), percentOff: Percent, mostPercentOff: Percent, everyS: EveryS, proposals: Proposals }, closed),
];
const Stage = Type.Unsafe<StagePlan>({ type: 'object', discriminator: { propertyName: 'kind' }, required: ['kind'], oneOf: STAGES });

export const CampaignBody = Type.Object({
  reference: Type.String({ minLength: 1, maxLength: 40, pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$', description: 'your name for it; again with the same body it answers the same' }), name: Text(200), currency: Currency,
  skus: Type.Array(Type.Object({ sku: Code, listPrice: Type.Optional(Minor) }, closed), { minItems: 1, maxItems: 200, description: '`listPrice` left out: of the price book, else of the SKU' }),
  locations: Type.Optional(Type.Array(Code, { minItems: 1, maxItems: 500, uniqueItems: true })), channels: Type.Optional(Type.Array(Code, { minItems: 1, maxItems: 100, uniqueItems: true })),
  startsAt: Timestamp, endsAt: Timestamp, target: perMille('sold ÷ stock at the start'), floorMargin: FloorMargin, budget: Type.Unsafe<number>({ ...Minor, description: 'of discounts and costs together' }),
  roundTo: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000, description: 'prices are multiples of this, minor units' })),
  lookEveryS: Type.Optional(Type.Integer({ minimum: 60, maximum: 86_400, description: 'how often its sales are looked at; 300' })),
  approval: Type.Optional(OneOf(['other', 'anyone'], 'who approves it: another key than drafted it (default), or any')), alert: Type.Optional(Text(64, 1, { description: 'the slow-mover alert that it answers' })),
  stages: Type.Array(Stage, { minItems: 1, maxItems: 30 }),
}, closed);

export const ExtendBody = Type.Object({ endsAt: Type.Optional(Timestamp), stage: Type.Optional(Type.Object({ no: Type.Integer({ minimum: 1, maximum: 30 }), endsAt: Timestamp }, closed)) }, closed);
export const AdjustBody = Type.Object({
  target: Type.Optional(perMille('sold ÷ stock at the start')), budget: Type.Optional(Minor), floorMargin: Type.Optional(FloorMargin),
  stages: Type.Optional(Type.Array(Type.Object({
    no: Type.Integer({ minimum: 1, maximum: 30 }), percentOff: Type.Optional(Percent), mostPercentOff: Type.Optional(Percent), everyS: Type.Optional(EveryS), perPerson: Type.Optional(Quantity), proposals: Type.Optional(Proposals),
    budget: Type.Optional(Minor), target: Type.Optional(perMille('sell-through at which the stage is over')),
  }, closed), { minItems: 1, maxItems: 30 })),
}, closed);
export const StopBody = Type.Object({ reason: Reason }, closed);
export const AnswerBody = Type.Object({ answer: Reason }, closed);
export const DecideBody = Type.Object({
  accept: Type.Boolean(), prices: Type.Optional(Type.Array(Type.Object({ sku: Code, price: Minor }, closed), { minItems: 1, maxItems: 200, description: 'in place of those proposed; between the floor and the price of now' })),
}, closed);

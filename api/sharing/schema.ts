import { Type } from '@sinclair/typebox';
import { Code, Nullable, OneOf, problemResponses, Text } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;
const Clock = (end: string) => Type.String({ pattern: `^(?:[01][0-9]|2[0-3]):[0-5][0-9]$${end}`, description: 'local time of the location, HH:MM' });
const Value = (description: string) => Type.Integer({ minimum: 0, maximum: 1_000_000, description });
const modes = ['all', 'none', 'percent', 'cap'] as const;
const kept = ['units', 'percent', 'days_of_sale'] as const;
const share = {
  mode: OneOf(modes, 'all; none; percent of the free units; cap: at most so many units of a SKU are shown to the channel at a time'),
  priority: Type.Integer({ minimum: 0, maximum: 100_000, description: 'of rules that name the same kinds of things the lower comes first', default: 100 }),
};

export const SharingBody = Type.Object({
  rules: Type.Array(Type.Object({
    mode: share.mode, value: Type.Optional(Value('percent (0–100) or units; with modes percent and cap only')),
    channel: Type.Optional({ ...Code, description: 'none: every channel' }),
    skus: Type.Optional(Type.Array(Code, { minItems: 1, maxItems: 2_000, uniqueItems: true, description: 'none: every SKU' })), category: Type.Optional(Text(100, 1, { description: 'of SKUs; not together with skus' })),
    hours: Type.Optional(Type.Object({ from: Clock(''), to: Clock('|^24:00$') }, { ...closed, description: 'past midnight where from is later than to; none: all day' })),
    weekdays: Type.Optional(Type.Array(Type.Integer({ minimum: 1, maximum: 7 }), { minItems: 1, maxItems: 7, uniqueItems: true, description: '1 is Monday; the day on which the hours begin' })),
    priority: Type.Optional(share.priority),
  }, closed), { maxItems: 200 }),
}, closed);

export const BuffersBody = Type.Object({
  rules: Type.Array(Type.Object({
    sku: Type.Optional({ ...Code, description: 'none: every SKU' }), mode: OneOf(kept, 'units; percent of what is on hand; days of sale at the rate of the last 28 days'), value: Value('units, percent (0–100) or days'),
  }, closed), { maxItems: 2_000 }),
}, closed);

const Sharing = Type.Object({
  location: Type.String(),
  rules: Type.Array(Type.Object({
    ...share, value: Nullable(Type.Integer()), channel: Nullable(Type.String()), skus: Nullable(Type.Array(Type.String())), category: Nullable(Type.String()),
    hours: Nullable(Type.Object({ from: Type.String(), to: Type.String() })), weekdays: Nullable(Type.Array(Type.Integer())),
  })),
});
const Buffers = Type.Object({ location: Type.String(), rules: Type.Array(Type.Object({ sku: Nullable(Type.String()), mode: OneOf(kept), value: Type.Integer() })) });
export const sharingResponse = { 200: Sharing, ...problemResponses };
export const buffersResponse = { 200: Buffers, ...problemResponses };

import { Type } from '@sinclair/typebox';
import { Code, OneOf, Text } from '../schemas/common.ts';

export const SnapshotId = Text(128, 1, { description: 'your own number of the count' });
export const Source = OneOf(['wms', 'pos', 'dealer', 'third_party'], 'who counted; by the kind of the location when left out');
export const SnapshotLines = Type.Array(Type.Object({
  sku: Code, condition: Type.Optional(OneOf(['sellable', 'damaged', 'quarantine', 'display'])),
  quantity: Type.Integer({ minimum: 0, maximum: 1_000_000_000, description: 'in `unit`, else in the base unit of the SKU' }), unit: Type.Optional(Text(64)), lot: Type.Optional(Text(64)),
}, { additionalProperties: false }), { minItems: 1, maxItems: 2_000 });
export const LIST = {
  after: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'the `next` of the page before' }),
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
};

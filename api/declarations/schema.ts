import { Type } from '@sinclair/typebox';
import { DECLARATION_KINDS } from '../../domain/stock/declaration.ts';
import { Code, OneOf, Quantity, Reason, Text, Timestamp } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;
const Share = Type.Number({ minimum: 0, maximum: 1 });

const Source = Type.Object({
  location: Type.Optional(Code), supply: Type.Optional(Text(200, 1, { description: 'the reference of a supply that is still to come' })), units: Quantity,
}, { ...closed, description: 'a location (what stands there in the shared stock) or a supply: one of them' });
export const Lines = Type.Array(Type.Object({
  sku: Code, unit: Type.Optional(Text(32, 1, { description: 'the unit of `units`; left out: the base unit' })), sources: Type.Array(Source, { minItems: 1, maxItems: 200 }),
}, closed), { minItems: 1, maxItems: 200 });

export const Declare = Type.Object({
  code: Code, kind: OneOf(DECLARATION_KINDS), partner: Code, channel: Code, startsAt: Timestamp, endsAt: Timestamp,
  overflow: Type.Optional(OneOf(['never', 'parent'], 'whether orders of the session may take other stock when theirs is sold out; never, if left out')), lines: Lines,
}, closed);
export const Units = Type.Object({ reference: Text(128), lines: Lines }, closed);
export const Because = Type.Object({ reason: Reason }, closed);
export const Policy = Type.Object({
  uncountedConfidence: Share, supplyConfidence: Share, settleAfterS: Type.Integer({ minimum: 0, maximum: 31_536_000 }),
}, closed);
export const STATUSES = ['declared', 'live', 'settling', 'settled', 'cancelled'] as const;

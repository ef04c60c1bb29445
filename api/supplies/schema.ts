import { Type } from '@sinclair/typebox';
import { SUPPLY_KINDS } from '../../db/stock/supplies/supply.ts';
import { Code, Nullable, OneOf, Quantity, Text } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;
const At = Type.String({ format: 'date-time' });
const Int = Type.Integer();
const Str = Type.String();
const CONDITIONS = ['sellable', 'damaged', 'quarantine', 'display'] as const;
const line = {
  sku: Code, quantity: Quantity, condition: Type.Optional(OneOf(CONDITIONS)),
  lot: Type.Optional(Type.Object({ code: Text(64), expiresOn: Type.Optional(Type.String({ format: 'date', pattern: '^[12]' })) }, closed)),
};
const lines = Type.Array(Type.Object(line, closed), { minItems: 1, maxItems: 2_000 });

export const SupplyBody = Type.Object({
  reference: Type.Unsafe<string>({ ...Code, description: 'names the supply from now on; again with the same body it answers the same' }), kind: OneOf(SUPPLY_KINDS),
  location: Type.Unsafe<string>({ ...Code, description: 'where the units are expected' }), from: Type.Optional(Type.Unsafe<string>({ ...Code, description: 'of a transfer: who sends it; its units leave the stock there' })),
  expectedAt: At, note: Type.Optional(Text(500)), lines,
}, closed);
export const DateBody = Type.Object({ expectedAt: At, version: Type.Optional(Type.Integer({ minimum: 1, description: 'the version that was read; another one is refused' })) }, closed);
export const ReceiptBody = Type.Object({
  reference: Text(128), final: Type.Optional(Type.Boolean({ description: 'nothing more comes: what is missing is a variance' })), lines: Type.Array(Type.Object(line, closed), { maxItems: 2_000 }),
}, closed);

export const SupplyAnswerSchema = Type.Object({ reference: Str, status: Str, units: Int });
export const DateAnswerSchema = Type.Object({
  reference: Str, expectedAt: At, version: Int, repegged: Type.Integer({ description: 'units of orders that found others in time' }), warned: Type.Integer({ description: 'orders told that theirs come later' }),
});
export const ReceiptAnswerSchema = Type.Object({
  supply: Str, reference: Str, status: Str, units: Int, served: Type.Integer({ description: 'units that orders had reserved' }), free: Type.Integer({ description: 'units for nobody yet' }),
  variances: Type.Array(Type.Object({ sku: Str, kind: Str, units: Int, shortened: Type.Integer({ description: 'units of it that were reserved' }) })),
});
export const CancelAnswerSchema = Type.Object({ reference: Str, status: Str, repegged: Int, shortened: Int, returned: Int });

const view = {
  reference: Str, kind: Str, status: Str, location: Str, from: Nullable(Str), expectedAt: At, overdue: Type.Boolean(), receivedAt: Nullable(At), cancelledAt: Nullable(At), lateWarnings: Int, note: Nullable(Str),
  version: Int, announced: Int, toCome: Int, reserved: Int,
};
export const SupplyList = Type.Object({ supplies: Type.Array(Type.Object(view)), next: Nullable(Int) });
export const SupplyDetailSchema = Type.Object({
  ...view, lines: Type.Array(Type.Object({ line: Int, sku: Str, condition: Str, quantity: Int })),
  levels: Type.Array(Type.Object({ sku: Str, condition: Str, allotment: Nullable(Str), toCome: Int, reserved: Int, free: Int })),
  variances: Type.Array(Type.Object({ sku: Str, kind: Str, units: Int, shortened: Int, receipt: Str, at: At })),
  orders: Type.Array(Type.Object({ order: Str, line: Int, units: Int }), { description: 'who waits for it, the first promised first; at most 1,000' }),
});

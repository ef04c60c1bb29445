import { Type } from '@sinclair/typebox';
import { Code, Currency, Minor, Nullable, OneOf, Quantity, Text, Timestamp } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;
export const TillReceiptSchema = Type.Object({
  location: Code, till: Code, receiptNo: Text(64), kind: Type.Unsafe<'sale' | 'return' | 'void'>(OneOf(['sale', 'return', 'void'])), soldAt: Type.Unsafe<string>(Timestamp), currency: Currency,
  channel: Type.Optional(Type.Unsafe<string>({ ...Code, description: "the channel that its demand belongs to; left out: the shop's tills" })),
  refersTo: Type.Optional(Text(64, 1, { description: 'of a void: the receipt of the same till that it undoes; of a return: the receipt, where known' })),
  lines: Type.Array(Type.Object({
    sku: Code, quantity: Quantity, unitPrice: Minor, discount: Type.Optional(Minor), condition: Type.Optional(Type.Unsafe<'sellable' | 'damaged'>(OneOf(['sellable', 'damaged']))),
  }, closed), { maxItems: 500 }),
  tenders: Type.Optional(Type.Array(Type.Object({ method: Text(32), amount: Type.Integer({ minimum: -9_000_000_000_000, maximum: 9_000_000_000_000, description: 'minor units; change given is negative' }) }, closed), { maxItems: 20 })),
}, closed);

export const ReceiptsBody = Type.Object({ receipts: Type.Array(Type.Unknown({ description: 'a receipt' }), { minItems: 1, maxItems: 1000 }) }, closed);
const Result = {
  status: Type.Integer({ description: '201 booked, 200 booked before, else why not' }), receiptNo: Type.Optional(Type.String()), voided: Type.Optional(Type.Boolean()),
  unbacked: Type.Optional(Type.Integer({ description: 'units sold that were not on hand by our figures' })), shortened: Type.Optional(Type.Integer({ description: 'reserved units that a customer has carried out' })),
  unknown: Type.Optional(Type.Array(Type.Object({ line: Type.Integer(), sku: Type.String() }), { description: 'SKUs that are not known: booked when the receipt is sent again and they are' })),
  problem: Type.Optional(Type.Object({ code: Type.String(), detail: Type.String(), field: Type.Optional(Type.String()) })),
};
export const ReceiptsAnswer = Type.Object({ results: Type.Array(Type.Object(Result)) });
export const ImportAnswer = Type.Object({
  rows: Type.Integer(), receipts: Type.Integer(), booked: Type.Integer(), repeated: Type.Integer(), failed: Type.Integer(),
  results: Type.Array(Type.Object({ row: Type.Integer({ description: 'its first row; the header is 1' }), ...Result }), { description: 'those that failed, or were booked with something to look at' }),
});
export const ReceiptsView = Type.Object({
  items: Type.Array(Type.Object({
    location: Type.String(), till: Type.String(), receiptNo: Type.String(), kind: Type.String(), refersTo: Nullable(Type.String()), soldAt: Timestamp, currency: Type.String(), total: Type.Integer(), voidedBy: Nullable(Type.String()),
    unbacked: Type.Integer(), lines: Type.Array(Type.Unknown()),
  })),
});

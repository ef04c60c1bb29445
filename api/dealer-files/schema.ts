import { Type } from '@sinclair/typebox';
import { Code, Nullable, Reason, Text, Timestamp } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;
export const FileId = Type.String({ pattern: '^fil_[0-9a-hjkmnp-tv-z]{26}$' });
export const FileParams = Type.Object({ id: FileId });
export const DocumentParams = Type.Object({ id: Type.Integer({ minimum: 1, maximum: 9_007_199_254_740_991 }) });
export const UploadQuery = Type.Object({ channel: Code, name: Text(200, 1, { description: 'of the file; where a file is one order it is its number' }) }, closed);
export const ListQuery = Type.Object({ channel: Type.Optional(Code), before: Type.Optional(FileId), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })) }, closed);
export const DocumentsQuery = Type.Object({
  channel: Type.Optional(Code), open: Type.Optional(Type.Boolean({ description: 'only what nobody has taken to the dealer yet' })), after: Type.Optional(Type.Integer({ minimum: 0 })), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
}, closed);
export const RefuseBody = Type.Object({ orderNo: Text(64), reason: Reason }, closed);

const summary = {
  id: Type.String(), channel: Type.String(), name: Type.String(), format: Type.String(), sha256: Type.String(), bytes: Type.Integer(), rows: Type.Integer({ description: 'of a table; interchanges of others' }), orders: Type.Integer(), faults: Type.Integer(),
  repeated: Type.Integer({ description: 'how often the same bytes came again' }), receivedAt: Timestamp, receivedBy: Type.String(),
};
export const DocumentView = Type.Object({
  id: Type.Integer(), channel: Type.String(), kind: Type.String(), name: Type.String(), control: Nullable(Type.Integer({ description: 'ISA13 or UNB 0020' })), test: Type.Boolean(), file: Nullable(Type.String()), orderNo: Nullable(Type.String()), bytes: Type.Integer(),
  createdAt: Timestamp, deliveredAt: Nullable(Timestamp), receipt: Nullable(Type.String({ description: 'what the dealer says of it by 997 or CONTRL: accepted, partly, rejected' })),
});
export const FileAnswer = Type.Object({
  ...summary, repeatedNow: Type.Optional(Type.Boolean({ description: 'these bytes were taken before: nothing has changed' })),
  faultList: Type.Array(Type.Object({ line: Nullable(Type.Integer({ description: 'row of a table (the header is 1), segment of others' })), orderNo: Nullable(Type.String()), field: Nullable(Type.String()), detail: Type.String() })),
  orderList: Type.Array(Type.Object({
    line: Type.Integer(), orderNo: Type.String(), purpose: Type.String(), outcome: Type.String({ description: 'taken, repeated, other_content, unknown (of a cancellation), test' }), order: Nullable(Type.String()),
    state: Nullable(Type.String({ description: 'of the order now: waiting, held, open, ignored, refused' })), reason: Nullable(Type.String()), detail: Nullable(Type.String()),
  })),
  documents: Type.Array(DocumentView),
});
export const FilesView = Type.Object({ items: Type.Array(Type.Object(summary)) });
export const DocumentsView = Type.Object({ items: Type.Array(DocumentView) });
export const Delivered = Type.Object({ deliveredAt: Timestamp });

import { Type } from '@sinclair/typebox';
import { Code, Nullable, OneOf, Text, Timestamp } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;
const Units = (description: string) => Type.Integer({ minimum: -1_000_000, maximum: 1_000_000, description });
const Overflow = OneOf(['parent', 'never', 'borrow'], 'where orders look when its own units are not enough: its parent, nowhere, or the parent within borrowLimit');

export const AllotmentBody = Type.Object({
  name: Text(128), kind: OneOf(['group', 'channel', 'campaign'], 'group of channels → channel (one shop) → campaign; it cannot be changed'),
  parent: Type.Optional({ ...Code, description: 'the allotment it stands under; none: the shared stock' }),
  channel: Type.Optional({ ...Code, description: 'a channel has one open allotment of kind "channel": its orders look there first. Of a campaign: whose orders may name it' }),
  overflow: Overflow,
  borrowLimit: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'units a SKU, with overflow "borrow"' })),
  startsAt: Type.Optional(Timestamp), endsAt: Type.Optional({ ...Timestamp, description: 'orders may name it until then; it is closed by itself after that' }),
  reallocateEveryS: Type.Optional(Type.Integer({ minimum: 60, maximum: 31_536_000, description: 'how often its targets are met by themselves; none: by POST …/reallocate only' })),
}, closed);

export const TargetsBody = Type.Object({
  targets: Type.Array(Type.Object({
    sku: Type.Optional({ ...Code, description: 'none: every SKU' }), location: Type.Optional({ ...Code, description: 'none: all locations together' }),
    mode: OneOf(['units', 'percent'], 'units: of each SKU; percent: of the free units of the allotment, its parent and the parent\'s other allotments with a share'),
    value: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
  }, closed), { maxItems: 2_000 }),
}, closed);

export const ReallocateBody = Type.Object({ reference: Text(128) }, closed);
export const MovesBody = Type.Object({
  reference: Text(128),
  lines: Type.Array(Type.Object({ sku: Code, location: Code, units: Units('positive: from the parent into the allotment; negative: back') }, closed), { minItems: 1, maxItems: 2_000 }),
}, closed);

/** Dates are written as timestamps. */
const Moment = Type.Unsafe<Date>({ type: 'string', format: 'date-time' });
export const Allotment = {
  code: Type.String(), name: Type.String(), kind: Type.String(), parent: Nullable(Type.String()), channel: Nullable(Type.String()), overflow: Type.String(), borrowLimit: Nullable(Type.Integer()),
  startsAt: Nullable(Moment), endsAt: Nullable(Moment), reallocateEveryS: Nullable(Type.Integer()), nextReallocateAt: Nullable(Moment), createdAt: Moment, closedAt: Nullable(Moment),
};
const Target = Type.Object({ sku: Nullable(Type.String()), location: Nullable(Type.String()), mode: Type.String(), value: Type.Integer() });
const Figures = Type.Object({
  sku: Type.String(), onHand: Type.Integer(), reserved: Type.Integer(), free: Type.Integer(), incoming: Type.Integer({ description: 'of supplies that are still to come' }),
  borrowed: Nullable(Type.Integer({ description: 'taken from its parents and not given back; null for a key that sees one location' })),
});
export const AllotmentList = Type.Object({ items: Type.Array(Type.Object(Allotment)), next: Nullable(Type.Integer()) });
export const AllotmentDetail = Type.Object({ ...Allotment, targets: Type.Array(Target), skus: Type.Array(Figures), next: Nullable(Type.String({ description: '`after` of the following page of SKUs' })) });

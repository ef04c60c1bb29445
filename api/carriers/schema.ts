import { Type } from '@sinclair/typebox';
import { EXCEPTION_KINDS } from '../../db/carriers/exceptions.ts';
import { Code, Nullable, OneOf, Reason, Timestamp } from '../schemas/common.ts';
import { Next, paging } from '../schemas/paging.ts';

const closed = { additionalProperties: false } as const;
const Rate = Type.Object({ perSecond: Type.Number({ exclusiveMinimum: 0, maximum: 10_000 }), burst: Type.Integer({ minimum: 1, maximum: 100_000 }) }, closed);

export const AccountParams = Type.Object({ code: Code });
export const AccountBody = Type.Object({
  kind: Type.String({ maxLength: 64, description: 'one of GET /v1/carrier-kinds' }),
  settings: Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), { description: 'by the schema of its kind; secret ones are kept sealed and never shown, those left out stay as they were' }),
  limits: Type.Optional(Type.Record(Type.String({ maxLength: 64 }), Rate, { description: 'calls per second by method family, where the carrier gave this account others' })),
  newAddress: Type.Optional(Type.Boolean({ description: 'make a new push address; the old one is deaf at once' })),
}, closed);
const Counts = Type.Record(Type.String(), Type.Integer());
export const AccountView = Type.Object({
  code: Type.String(), kind: Type.String(), settings: Type.Record(Type.String(), Type.Unknown()), secretsSet: Type.Array(Type.String()), limits: Type.Record(Type.String(), Rate),
  carriers: Type.Array(Type.String(), { description: 'carriers of ours that it knows' }), pushPath: Type.String({ description: 'the address that it pushes to, after the public URL of this API' }),
  state: Type.Optional(Type.Object({
    waitsFor: Type.Array(Type.String(), { description: 'why announcements, labels and numbers to be taken back wait: the account itself is refused, or it cannot be reached' }),
    rejectedPushes: Counts, waybills: Counts, announcements: Counts, balances: Type.Array(Type.Object({ carrier: Type.String(), branch: Type.String(), left: Nullable(Type.Integer({ description: 'numbers left; null: without end' })), at: Timestamp })),
  }, { description: 'of the last week: pushes that were not believed; of all time: waybills and announcements of parcels by state' })),
});
export const AccountsView = Type.Object({ items: Type.Array(AccountView) });
export const CarrierKindsView = Type.Object({
  items: Type.Array(Type.Object({
    kind: Type.String(), name: Type.String(), capabilities: Type.Record(Type.String(), Type.Union([Type.String(), Type.Boolean()])), settings: Type.Unknown({ description: 'JSON schema of the settings' }), limits: Type.Record(Type.String(), Rate),
  })),
});

export const FulfillmentParams = Type.Object({ id: Type.String({ pattern: '^ful_[0-9a-hjkmnp-tv-z]{26}$', description: 'ful_…' }) });
export const ExceptionParams = Type.Object({ id: Type.String({ pattern: '^exc_[0-9a-hjkmnp-tv-z]{26}$', description: 'exc_…' }) });
export const ExceptionQuery = Type.Object({ kind: Type.Optional(OneOf(EXCEPTION_KINDS)), carrier: Type.Optional(Code), open: Type.Optional(Type.Boolean({ default: true, description: 'false: those that are over, too' })), ...paging }, closed);
export const ExceptionView = Type.Object({
  id: Type.String(), order: Type.String(), parcel: Type.String(), carrier: Type.String(), waybillNo: Type.String(), kind: OneOf(EXCEPTION_KINDS), detail: Type.String(), openedAt: Timestamp, closedAt: Nullable(Timestamp),
  closedBy: Nullable(Type.String()), outcome: Nullable(Type.String()),
});
export const ExceptionsView = Type.Object({ exceptions: Type.Array(ExceptionView), next: Next });
export const CloseBody = Type.Object({ outcome: Reason }, closed);

const Hours = (description: string) => Type.Optional(Nullable(Type.Integer({ minimum: 1, maximum: 8_760, description })));
export const RuleParams = Type.Object({ carrier: Type.Unsafe<string>({ ...Code, description: 'a carrier, or `default` for all that have no rule of their own' }) });
export const RuleBody = Type.Object({
  pickupHours: Hours('issued, and not picked up for so long; null or absent: never an exception'), stuckHours: Hours('on its way, and nothing heard for so long'),
  lostHours: Hours('nothing heard for so long counts as lost, with a claim'), returned: Type.Optional(Type.Boolean({ default: true, description: 'a parcel that turns round is an exception' })),
}, closed);
const Rule = Type.Object({ carrier: Type.String(), pickupHours: Nullable(Type.Integer()), stuckHours: Nullable(Type.Integer()), lostHours: Nullable(Type.Integer()), returned: Type.Boolean(), changedBy: Type.String(), changedAt: Timestamp });
export const RulesView = Type.Object({ items: Type.Array(Rule) });

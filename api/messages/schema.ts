import { Type } from '@sinclair/typebox';
import { MESSAGE_STATUSES, PURPOSES, WAYS } from '../../domain/messages/message.ts';
import { Code, Nullable, OneOf, Text, Timestamp } from '../schemas/common.ts';
import { Next } from '../schemas/paging.ts';

const closed = { additionalProperties: false };
export const WaySchema = OneOf(WAYS, 'how a person is written to');
export const PurposeSchema = OneOf(PURPOSES, '`service`: about what they bought; `marketing`: an offer, which needs their consent');
export const Ways = Type.Array(WaySchema, { minItems: 1, maxItems: 3, uniqueItems: true, description: 'in order of preference' });
const Value = Type.Union([Text(500, 0), Type.Integer(), Type.Object({ pickupCode: Type.String({ description: 'the code of this fulfillment order, filled in when the message is sent' }) }, closed)]);
export const Params = Type.Record(Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_]{0,39}$' }), Value, { description: 'what the template is filled with; nothing personal', maxProperties: 30, additionalProperties: false });

export const MessageSchema = Type.Object({
  id: Type.String(), key: Type.String(), order: Nullable(Type.String()), purpose: PurposeSchema, template: Type.String(), params: Type.Unknown(), ways: Type.Array(WaySchema), status: OneOf(MESSAGE_STATUSES),
  reason: Nullable(Type.String({ description: 'why it failed or was not sent' })), error: Nullable(Type.String({ description: 'what the last try met' })), way: Nullable(WaySchema), messenger: Nullable(Type.String()),
  attempts: Type.Integer(), dueAt: Timestamp, expiresAt: Timestamp, createdAt: Timestamp, sentAt: Nullable(Timestamp), settledAt: Nullable(Timestamp),
});
export const MessageParams = Type.Object({ id: Type.String({ maxLength: 64 }) });
export const MessageList = Type.Object({ messages: Type.Array(MessageSchema), next: Next });
export const AskBody = Type.Object({ key: Text(100, 1, { description: 'the same key is one message' }), template: Code, params: Type.Optional(Params), ways: Ways }, closed);

export const TemplateText = Type.Object({ subject: Type.Optional(Nullable(Text(200))), body: Text(5_000, 1, { description: '{name} stands for a parameter, {recipient} for the name of the person' }), providerTemplate: Type.Optional(Nullable(Text(64))) }, closed);
export const TemplateBody = Type.Object({ texts: Type.Object({ '*': Type.Optional(TemplateText), wecom: Type.Optional(TemplateText), sms: Type.Optional(TemplateText), email: Type.Optional(TemplateText) }, { ...closed, minProperties: 1 }) }, closed);
export const TemplateView = Type.Object({ key: Type.String(), texts: Type.Record(Type.String(), Type.Object({ subject: Nullable(Type.String()), body: Type.String(), providerTemplate: Nullable(Type.String()) })) });

const Minute = Type.Integer({ minimum: 0, maximum: 1439, description: 'minute of the day' });
export const RuleBody = Type.Object({ quiet: Type.Object({ from: Minute, to: Minute, timeZone: Text(64) }, { ...closed, description: 'nobody is written to in these hours; from = to: never quiet' }) }, closed);
export const RuleView = Type.Object({ purpose: PurposeSchema, quiet: Type.Object({ from: Type.Integer(), to: Type.Integer(), timeZone: Type.String() }) });

export const ConsentBody = Type.Object({
  consents: Type.Array(Type.Object({ way: WaySchema, address: Text(254, 3), purpose: PurposeSchema, allowed: Type.Boolean() }, closed), { minItems: 1, maxItems: 1_000 }),
  source: Text(100, 1, { description: 'where they said it; nothing personal' }),
}, { ...closed, description: 'Addresses are kept as keyed hashes only.' });

import type { Way } from '../domain/messages/message.ts';

/** One HTTP exchange; no redirect is followed. */
export type MessengerCall = { method: 'GET' | 'POST'; url: string; headers?: Readonly<Record<string, string>>; body?: string };
export type MessengerAnswer = { status: number; headers: Readonly<Record<string, string>>; text: string };
/**
 * What a connector may use. `call` throws PartnerUnreachable where no connection was made, PartnerUnavailable where no answer came (the outcome is then unknown); answers of any status are given.
 * `signed`: JSON under Standard Webhooks, signed with the secret where there is one.
 */
export type MessengerIo = {
  call(call: MessengerCall): Promise<MessengerAnswer>;
  signed(call: { method: 'GET' | 'POST'; url: string; body?: unknown; secret: string | null; messageId: string }): Promise<{ status: number; body: unknown }>;
  now(): number; uuid(): string;
};

/** An account with a provider: its settings by the kind's schema, its secrets in clear. */
export type MessengerAccount = { code: string; settings: Readonly<Record<string, unknown>>; secrets: Readonly<Record<string, string>> };

/** A message as a provider gets it. `key`: the same for every try. `to`: phone number, e-mail address or the WeCom id of a contact. `params`: for providers that hold the text themselves. */
export type OutgoingMessage = { key: string; way: Way; to: string; subject: string | null; text: string; providerTemplate: string | null; params: Readonly<Record<string, string>> };
/** `ref`: the provider's own number of it. */
export type SentMessage = { ref: string | null };
/** What became of it, as far as the provider knows. */
export type DeliveryState = { state: 'under_way' } | { state: 'delivered' } | { state: 'failed'; reason: string };

/**
 * A provider. `send` throws PartnerRefused where this address or message will never do, PartnerThrottled where it was not taken now, PartnerUnreachable where it never got there, and
 * PartnerUnavailable where it is not known whether it was taken.
 */
export type Messenger = {
  send(message: OutgoingMessage): Promise<SentMessage>;
  /** Whether the provider has a message of which no answer came; null: it has not. `since`: when the try began, ms since epoch. */
  find?(message: OutgoingMessage, since: number): Promise<SentMessage | null>;
  /** `sentAt`: ms since epoch. */
  state?(sent: { key: string; ref: string | null; to: string; sentAt: number }): Promise<DeliveryState>;
};

export type MessengerKind = {
  kind: string; name: string; ways: readonly Way[];
  /** what a second try of the same message does: nothing new (`keyed`), or it must first be looked up, or it would be written twice */
  repeats: 'keyed' | 'lookup' | 'never';
  settings: MessengerSettings;
  connect(account: MessengerAccount, io: MessengerIo): Messenger;
};
export type MessengerSettings = { required: readonly string[]; properties: Readonly<Record<string, { type: 'string'; description: string; secret?: boolean; default?: string; pattern?: string; minLength?: number }>> };

/** Waits before the next try where the provider does not say for how long. */
export const THROTTLE_MS = 60_000;

/** JSON of an answer; null where it is none. */
export function json(text: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : null;
  } catch {
    return null;
  }
}

/** `retry-after` in ms; seconds or a date. */
export function retryAfterMs(headers: Readonly<Record<string, string>>, now: number): number {
  const text = headers['retry-after'];
  if (text === undefined) return THROTTLE_MS;
  const ms = /^\d{1,6}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(ms) && ms > 0 ? ms : THROTTLE_MS;
}

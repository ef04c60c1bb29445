/** The way connectors reach partners; the composition root gives the real one, tests give theirs. */
export type HttpRequest = {
  method: 'GET' | 'POST';
  url: string;
  body?: unknown;
  /** signs the request where the partner has a secret */
  secret: string | null;
  /** the same for every retry of one request */
  messageId: string;
};
export type HttpAnswer = { status: number; body: unknown };
/** Resolves with any answer below 500 and 429; throws PartnerUnavailable otherwise (5xx, 429, time-out, no connection): worth another try. */
export type Http = (request: HttpRequest) => Promise<HttpAnswer>;

export class PartnerUnavailable extends Error {
  override readonly name = 'PartnerUnavailable';
}
/** No connection was made: the partner has received nothing. */
export class PartnerUnreachable extends PartnerUnavailable {
  override readonly name = 'PartnerUnavailable';
}
/** The partner is there but wants fewer calls: come again after `retryAfterMs`. */
export class PartnerThrottled extends PartnerUnavailable {
  readonly retryAfterMs: number;
  constructor(message: string, retryAfterMs: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}
/** How long a partner wants to be left alone, ms; 0 where it did not say. */
export const pauseMs = (error: unknown): number => (error instanceof PartnerThrottled ? error.retryAfterMs : 0);
/** Seconds that `retry-after` asks for: a number of them, or a date; null where it says nothing that can be read. `now`: ms since epoch. */
export function retryAfterSeconds(text: string | null | undefined, now: number): number | null {
  if (text === null || text === undefined) return null;
  const seconds = /^\d{1,7}$/.test(text) ? Number(text) : (Date.parse(text) - now) / 1000;
  return Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds) : null;
}
/**
 * The partner answered, and the answer is no: trying again will not help. `account`: it is the account that it refuses (not authorised, a permission or an address missing, a wrong key), whatever is asked: nothing is
 * said of the thing itself, which is asked again once the account is put right.
 */
export class PartnerRefused extends Error {
  override readonly name = 'PartnerRefused';
  readonly status: number;
  readonly account: boolean;
  constructor(status: number, message: string, account = status === 401 || status === 403) {
    super(message);
    this.status = status;
    this.account = account;
  }
}

/** A text field of an answer; null when it is missing or no text. */
export function textField(body: unknown, name: string): string | null {
  const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : null;
  return typeof value === 'string' ? value : null;
}

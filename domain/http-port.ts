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
/** The partner answered, and the answer is no: trying again will not help. */
export class PartnerRefused extends Error {
  override readonly name = 'PartnerRefused';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A text field of an answer; null when it is missing or no text. */
export function textField(body: unknown, name: string): string | null {
  const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : null;
  return typeof value === 'string' ? value : null;
}

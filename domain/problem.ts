/** Every error a client can meet: one table, code → HTTP status and title (RFC 9457 `type` is `/problems/CODE`). */
export const PROBLEMS = {
  malformed: [400, 'The request cannot be read'],
  invalid: [400, 'A field is wrong'],
  unauthenticated: [401, 'An API key is needed'],
  forbidden: [403, 'This key may not do that'],
  not_found: [404, 'There is no such thing'],
  method_not_allowed: [405, 'This method is not known here'],
  duplicate_with_other_body: [409, 'This id was used before with another body'],
  conflict: [409, 'The state does not allow that'],
  handover_blocked: [409, 'The goods must not leave'],
  insufficient_stock: [409, 'There is not enough stock'],
  body_too_large: [413, 'The body is too large'],
  unsupported_media_type: [415, 'This content type is not taken here'],
  unknown_channel: [422, 'This channel is not known'],
  unknown_location: [422, 'This location is not known'],
  unknown_sku: [422, 'This SKU is not known'],
  unknown_carrier: [422, 'This carrier is not known'],
  unprocessable: [422, 'The request makes no sense'],
  idempotency_mismatch: [422, 'This Idempotency-Key was used with another body'],
  overloaded: [429, 'Too many requests at once'],
  internal: [500, 'Something went wrong here'],
  unavailable: [503, 'Not available just now'],
  saturated: [503, 'More arrives than can be worked off'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** An error that a client can act on. `field` is a JSON pointer into the request; `detail` says what is wrong and how to mend it. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly field: string | null;
  readonly extra: Record<string, unknown>;
  constructor(code: ProblemCode, detail: string, field: string | null = null, extra: Record<string, unknown> = {}) {
    super(detail);
    this.name = 'Problem';
    this.code = code;
    this.field = field;
    this.extra = extra;
  }
  get status(): number { return PROBLEMS[this.code][0]; }
  get title(): string { return PROBLEMS[this.code][1]; }
}

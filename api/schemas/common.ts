import { Type, type TSchema } from '@sinclair/typebox';

/** Text without NUL and halves of surrogate pairs, which PostgreSQL cannot hold. */
export const Text = (maxLength: number, minLength = 1, options: object = {}) => Type.String({ minLength, maxLength, pattern: '^[^\\u0000\\ud800-\\udfff]*$', ...options });
export const Code = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]*$', description: 'a code of your own: letters, digits and . _ : -' });
export const Minor = Type.Integer({ minimum: 0, maximum: 9_000_000_000_000, description: 'money in minor units' });
export const Quantity = Type.Integer({ minimum: 1, maximum: 1_000_000, description: "units, in the SKU's base unit" });
export const Currency = Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' });
export const Timestamp = Type.String({ format: 'date-time', description: 'ISO 8601 with offset' });
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
export const OneOf = <const T extends readonly string[]>(values: T, description?: string) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...(description ? { description } : {}) });
export const Reason = Text(500, 1, { description: 'why; it stays on the timeline, so write nothing personal' });

export const ProblemBody = Type.Object({
  type: Type.String(), title: Type.String(), status: Type.Integer(), detail: Type.String(), code: Type.String(), field: Type.Optional(Type.String()), instance: Type.String(),
}, { description: 'Problem details (RFC 9457): what is wrong, where (`field`, a JSON pointer), how to mend it', additionalProperties: true });

/** The error answers that a route can give, for its documentation. */
export const problemResponses = Object.fromEntries(['4xx', '5xx'].map((status) => [status, { description: 'problem details', content: { 'application/problem+json': { schema: ProblemBody } } }]));

/** For routes whose answer is said in the description: anything on success, problem details otherwise. */
export const openResponses = { 200: Type.Unknown(), 201: Type.Unknown(), 204: Type.Null(), ...problemResponses };

import { createHmac, timingSafeEqual } from 'node:crypto';

/** The three headers of Standard Webhooks, as read from a request. */
export interface SignatureHeaders {
  readonly id: string | undefined;
  /** Unix seconds, decimal. */
  readonly timestamp: string | undefined;
  /** One or more `v1,BASE64`, separated by spaces (several while a secret is being rotated). */
  readonly signature: string | undefined;
}

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** How far a timestamp may be from our clock, both ways. */
export const TOLERANCE_SECONDS = 300;

const PREFIX = 'whsec_';

/**
 * The key bytes of a `whsec_BASE64` secret.
 * @throws {Error} when the prefix is missing or the rest is not base64 of at least one byte.
 */
export function decodeSecret(secret: string): Buffer {
  if (!secret.startsWith(PREFIX)) throw new Error('a webhook secret starts with whsec_');
  const text = secret.slice(PREFIX.length);
  const key = Buffer.from(text, 'base64');
  if (key.length === 0 || key.toString('base64').replace(/=+$/, '') !== text.replace(/=+$/, '')) {
    throw new Error('a webhook secret is base64 after whsec_');
  }
  return key;
}

/** `v1,BASE64` of HMAC-SHA256 over `id.timestamp.body` (Standard Webhooks 1.0). `timestamp` is unix seconds. */
export function sign(key: Buffer, id: string, timestamp: number | string, body: Buffer | string): string {
  const mac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body);
  return `v1,${mac.digest('base64')}`;
}

/** Checks the signature of raw bytes, before anybody parses them. `nowSeconds` is unix seconds. */
export function verify(key: Buffer, headers: SignatureHeaders, body: Buffer, nowSeconds: number): Verdict {
  const { id, timestamp, signature } = headers;
  if (!id || !timestamp || !signature) return { ok: false, reason: 'signature headers are missing' };
  if (!/^\d{1,12}$/.test(timestamp)) return { ok: false, reason: 'webhook-timestamp is not unix seconds' };
  if (Math.abs(nowSeconds - Number(timestamp)) > TOLERANCE_SECONDS) {
    return { ok: false, reason: 'webhook-timestamp is outside the window' };
  }
  const expected = Buffer.from(sign(key, id, timestamp, body));
  // Every candidate is compared in constant time; an early exit would only tell which of several matched.
  let matched = false;
  for (const candidate of signature.split(' ')) {
    const given = Buffer.from(candidate);
    if (given.length === expected.length && timingSafeEqual(given, expected)) matched = true;
  }
  return matched ? { ok: true } : { ok: false, reason: 'the signature does not match' };
}

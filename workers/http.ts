import { createHmac } from 'node:crypto';
import type { RawHttp } from '../channels/channel.ts';
import { PartnerUnavailable, PartnerUnreachable, type Http } from '../domain/http-port.ts';

/** Standard Webhooks: `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`; the secret is base64 after `whsec_`. */
export function sign(secret: string, id: string, timestamp: number, body: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}

/** JSON over fetch, signed, with a time limit; no redirects are followed. */
export function createHttp(timeoutMs = 10_000, clock: () => number = Date.now): Http {
  return async ({ method, url, body, secret, messageId }) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const timestamp = Math.floor(clock() / 1000);
    const headers: Record<string, string> = { accept: 'application/json', 'webhook-id': messageId, 'webhook-timestamp': String(timestamp) };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (secret !== null) headers['webhook-signature'] = sign(secret, messageId, timestamp, text);
    const host = URL.canParse(url) ? new URL(url).host : `"${url}"`;
    let response: Response;
    let answer: string;
    try {
      response = await fetch(url, { method, headers, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs), ...(body === undefined ? {} : { body: text }) });
      answer = await response.text();
    } catch (error) {
      throw noAnswer(host, error);
    }
    if (response.status >= 500 || response.status === 429) throw new PartnerUnavailable(`${host} answered ${response.status}`);
    return { status: response.status, body: parse(answer) };
  };
}

/** What platforms speak: any body, any header; every answer is given as it is. */
export function createRawHttp(): RawHttp {
  return async ({ method, url, headers, body }, timeoutMs) => {
    const host = URL.canParse(url) ? new URL(url).host : `"${url}"`;
    try {
      const response = await fetch(url, { method, headers: { ...headers }, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs), ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }) });
      const bytes = Buffer.from(await response.arrayBuffer());
      return { status: response.status, headers: Object.fromEntries(response.headers), text: bytes.toString('utf8'), bytes };
    } catch (error) {
      throw noAnswer(host, error);
    }
  };
}

/** Errors before a connection stood. */
const NO_CONNECTION = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

function noAnswer(host: string, error: unknown): PartnerUnavailable {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  const what = `${host} does not answer: ${error instanceof Error ? error.name : 'unknown error'}`;
  return NO_CONNECTION.has(code) ? new PartnerUnreachable(what) : new PartnerUnavailable(what);
}

function parse(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return { text: text.slice(0, 200) };
  }
}

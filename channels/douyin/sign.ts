import { createHash, createHmac } from 'node:crypto';

/** JSON with keys sorted at every level and nothing but the values between; a bigint is written as the number it is. */
export function sortedJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value as Record<string, unknown>).filter(([, v]) => v !== undefined).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${sortedJson(v)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** The signature of a call (op.jinritemai.com, "API调用指南"): lower hex of HMAC-SHA256 or MD5 over the secret, the fixed fields and the secret again. The token is not signed. */
export function signCall(secret: string, method: 'hmac-sha256' | 'md5', fields: { appKey: string; method: string; paramJson: string; timestamp: string }): string {
  const text = `${secret}app_key${fields.appKey}method${fields.method}param_json${fields.paramJson}timestamp${fields.timestamp}v2${secret}`;
  return method === 'md5' ? createHash('md5').update(text).digest('hex') : createHmac('sha256', secret).update(text).digest('hex');
}

/** `event-sign` of a push: lower hex MD5 over app key, raw body and app secret. */
export const signPush = (appKey: string, body: Buffer, secret: string): string => createHash('md5').update(appKey).update(body).update(secret).digest('hex');

import { createHash, createHmac } from 'node:crypto';

export type SignMethod = 'md5' | 'hmac' | 'hmac-sha256';

/**
 * The signature of a call (open.taobao.com, "API签名算法"): names and values in the order of the names, without empty ones; upper hex of MD5 with the secret before and after them, or of HMAC-MD5 or HMAC-SHA256
 * under the secret.
 */
export function signCall(fields: Readonly<Record<string, string>>, secret: string, method: SignMethod): string {
  const text = Object.entries(fields).filter(([name, value]) => name !== 'sign' && value !== '').sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => name + value).join('');
  const hash = method === 'md5' ? createHash('md5').update(secret + text + secret) : createHmac(method === 'hmac' ? 'md5' : 'sha256', secret).update(text);
  return hash.digest('hex').toUpperCase();
}

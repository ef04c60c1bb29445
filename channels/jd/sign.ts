import { createHash } from 'node:crypto';

/** The signature of a call (jos.jd.com, "API调用协议"): names and values in the order of the names between the secret and the secret, upper hex of MD5. */
export function signCall(fields: Readonly<Record<string, string>>, secret: string): string {
  const text = Object.entries(fields).filter(([name]) => name !== 'sign').sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => name + value).join('');
  return createHash('md5').update(secret + text + secret).digest('hex').toUpperCase();
}

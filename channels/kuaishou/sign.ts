import { createDecipheriv, createHash, createHmac } from 'node:crypto';

/**
 * The signature of a call (open.kwaixiaodian.com, "API调用说明"): `k=v` sorted by key and joined by `&`, then `&signSecret=`; lower hex of MD5, or base64 of HMAC-SHA256 under the same secret.
 * Made before anything is URL-encoded. The sign secret is not the app secret.
 */
export function signCall(fields: Readonly<Record<string, string>>, signSecret: string): string {
  const text = [...Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => `${k}=${v}`), `signSecret=${signSecret}`].join('&');
  return fields['signMethod'] === 'MD5' ? createHash('md5').update(text).digest('hex') : createHmac('sha256', signSecret).update(text).digest('base64');
}

/** The text of a push: base64 of AES-CBC (PKCS#5, zero IV) under the app's message key. Throws where it is not that. */
export function openPush(body: Buffer, privateKey: string): string {
  const key = Buffer.from(privateKey, 'base64');
  const text = body.toString('latin1').trim();
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw new SyntaxError('the body is not base64');
  const decipher = createDecipheriv(`aes-${key.length * 8}-cbc`, key, Buffer.alloc(16));
  return Buffer.concat([decipher.update(Buffer.from(text, 'base64')), decipher.final()]).toString('utf8');
}

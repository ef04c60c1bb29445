import { createCipheriv, createHash, createHmac } from 'node:crypto';

/** What stands under a call: every field but the signature, by name, with & between, and the sign secret at the end. */
export function expectedSign(form: ReadonlyMap<string, string>, secret: string): string {
  let line = '';
  for (const name of [...form.keys()].filter((n) => n !== 'sign').sort()) line += `${name}=${form.get(name) ?? ''}&`;
  line += `signSecret=${secret}`;
  if (form.get('signMethod') === 'MD5') return createHash('md5').update(line, 'utf8').digest('hex');
  return createHmac('sha256', secret).update(Buffer.from(line, 'utf8')).digest('base64');
}

/** A message under the app's key, as the platform's message service sends it. */
export function seal(plain: string, key64: string): string {
  const key = Buffer.from(key64, 'base64');
  const algorithm = { 16: 'aes-128-cbc', 24: 'aes-192-cbc', 32: 'aes-256-cbc' }[key.length];
  if (algorithm === undefined) throw new RangeError('the key must be 16, 24 or 32 bytes');
  const cipher = createCipheriv(algorithm, key, Buffer.from('00'.repeat(16), 'hex'));
  return cipher.update(plain, 'utf8', 'base64') + cipher.final('base64');
}

import { createCipheriv, createHash, randomBytes } from 'node:crypto';

/** The digest over whatever is signed, in the order of its characters. */
export function digest(values: string[]): string {
  const line = values.slice().sort((x, y) => (x < y ? -1 : x > y ? 1 : 0)).join('');
  return createHash('sha1').update(line, 'utf8').digest('hex');
}

/** An event as WeChat wraps it: salt, big-endian length, text, app id, filled up to a multiple of 32. */
export function wrap(text: string, appId: string, key43: string, salt: Buffer | string = randomBytes(16)): string {
  const secret = Buffer.from(key43 + '=', 'base64');
  const body = Buffer.from(text, 'utf8');
  const size = Buffer.from(body.length.toString(16).padStart(8, '0'), 'hex');
  let block = Buffer.concat([Buffer.isBuffer(salt) ? salt : Buffer.from(salt, 'latin1'), size, body, Buffer.from(appId)]);
  const missing = 32 - (block.length % 32);
  block = Buffer.concat([block, Buffer.from(new Uint8Array(missing).fill(missing))]);
  const aes = createCipheriv('aes-256-cbc', secret, secret.subarray(0, 16)).setAutoPadding(false);
  return aes.update(block, undefined, 'base64') + aes.final('base64');
}

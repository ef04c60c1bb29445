import { createCipheriv, createDecipheriv, createHash, timingSafeEqual } from 'node:crypto';

/** Blocks of the padding are twice those of the cipher. */
const BLOCK = 32;

/** sha1 over its parts, sorted and joined: token, timestamp, nonce, and for a message the cipher text. */
export const signature = (...parts: readonly string[]): string => createHash('sha1').update([...parts].sort().join('')).digest('hex');

export function sameSignature(given: string | null, right: string): boolean {
  const [a, b] = [Buffer.from(given ?? ''), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}

const keyOf = (encodingAesKey: string): Buffer => Buffer.from(`${encodingAesKey}=`, 'base64');

/** WXBizMsgCrypt: AES-256-CBC under the key, IV its first half, PKCS#7 in blocks of 32; 16 random bytes, length, message, app id. Throws RangeError where it is not that. */
export function open(encrypted: string, encodingAesKey: string): { message: string; appId: string; random: Buffer } {
  const key = keyOf(encodingAesKey);
  const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, 16));
  decipher.setAutoPadding(false);
  const padded = Buffer.concat([decipher.update(Buffer.from(encrypted, 'base64')), decipher.final()]);
  const pad = padded.at(-1) ?? 0;
  if (pad < 1 || pad > BLOCK || pad > padded.length) throw new RangeError('the padding is wrong');
  const plain = padded.subarray(0, padded.length - pad);
  if (plain.length < 20) throw new RangeError('the message is too short');
  const end = 20 + plain.readUInt32BE(16);
  if (end > plain.length) throw new RangeError('the message is cut off');
  return { message: plain.subarray(20, end).toString('utf8'), appId: plain.subarray(end).toString('utf8'), random: Buffer.from(plain.subarray(0, 16)) };
}

/** The same the other way, for answers that must be encrypted. `random`: 16 bytes. */
export function close(message: string, appId: string, encodingAesKey: string, random: Buffer): string {
  const key = keyOf(encodingAesKey);
  const text = Buffer.from(message, 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  const plain = Buffer.concat([random, length, text, Buffer.from(appId, 'utf8')]);
  const pad = BLOCK - (plain.length % BLOCK);
  const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16));
  cipher.setAutoPadding(false);
  return Buffer.concat([cipher.update(Buffer.concat([plain, Buffer.alloc(pad, pad)])), cipher.final()]).toString('base64');
}

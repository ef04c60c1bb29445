import { createHash } from 'node:crypto';

const KEPT = /[A-Za-z0-9*\-_.]/;

/** The platform's side of msgDigest, byte by byte as java.net.URLEncoder describes it. */
export function digestOf(data: string, stamp: string, word: string): string {
  let encoded = '';
  for (const byte of Buffer.from(`${data}${stamp}${word}`, 'utf8')) {
    const char = String.fromCharCode(byte);
    if (char === ' ') encoded += '+';
    else if (byte < 128 && KEPT.test(char)) encoded += char;
    else encoded += `%${byte < 16 ? '0' : ''}${byte.toString(16).toUpperCase()}`;
  }
  return createHash('md5').update(encoded, 'ascii').digest('base64');
}

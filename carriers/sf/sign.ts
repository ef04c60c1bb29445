import { createHash } from 'node:crypto';

/** Java's `URLEncoder` in UTF-8: keeps `A-Za-z0-9 * - _ .`, a space becomes `+`. */
export function javaUrlEncode(text: string): string {
  return encodeURIComponent(text).replace(/%20/g, '+').replace(/[!'()~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** 丰桥 msgDigest: base64 of the MD5 bytes of the encoded `msgData + timestamp + checkword`. */
export function msgDigest(msgData: string, timestamp: string, checkword: string): string {
  return createHash('md5').update(javaUrlEncode(msgData + timestamp + checkword), 'utf8').digest('base64');
}

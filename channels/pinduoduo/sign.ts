import { createHash } from 'node:crypto';

const md5 = (text: string): string => createHash('md5').update(text, 'utf8').digest('hex');

/** The signature of a call (open.pinduoduo.com, "接入指南"): upper hex MD5 over the secret, every field and its value in the order of the fields' names, and the secret again. Empty values are left out. */
export function signCall(fields: Readonly<Record<string, string>>, secret: string): string {
  const text = Object.entries(fields).filter(([name, value]) => name !== 'sign' && value !== '').sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => name + value).join('');
  return md5(`${secret}${text}${secret}`).toUpperCase();
}

/** Where the message service is opened: its digest is the base64 of the lower hex MD5 over app, time (ms since epoch) and secret. Known from four clients of the community, not from the vendor. */
export function streamPath(clientId: string, secret: string, ms: number): string {
  return `/message/${clientId}/${ms}/${encodeURIComponent(Buffer.from(md5(`${clientId}${ms}${secret}`)).toString('base64'))}`;
}

import { createHash, createHmac } from 'node:crypto';

/** RFC 3986, as Alibaba Cloud wants it: everything but letters, digits and - _ . ~ */
export const encode = (text: string): string => encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export type AcsRequest = { host: string; action: string; version: string; query: Readonly<Record<string, string>>; date: string; nonce: string; accessKeyId: string; accessKeySecret: string };

/** Alibaba Cloud's signature V3 (ACS3-HMAC-SHA256) of an RPC call without a body. `date`: ISO 8601 in UTC, whole seconds. Returns the headers and the query as it was signed. */
export function signAcs3({ host, action, version, query, date, nonce, accessKeyId, accessKeySecret }: AcsRequest): { headers: Record<string, string>; query: string } {
  const payload = sha256('');
  const headers: Record<string, string> = { host, 'x-acs-action': action, 'x-acs-content-sha256': payload, 'x-acs-date': date, 'x-acs-signature-nonce': nonce, 'x-acs-version': version };
  const names = Object.keys(headers).sort();
  const canonicalQuery = Object.keys(query).sort().map((name) => `${encode(name)}=${encode(query[name] ?? '')}`).join('&');
  const signed = names.join(';');
  const request = ['POST', '/', canonicalQuery, `${names.map((name) => `${name}:${headers[name] ?? ''}`).join('\n')}\n`, signed, payload].join('\n');
  const signature = createHmac('sha256', accessKeySecret).update(`ACS3-HMAC-SHA256\n${sha256(request)}`).digest('hex');
  return { headers: { ...headers, authorization: `ACS3-HMAC-SHA256 Credential=${accessKeyId},SignedHeaders=${signed},Signature=${signature}` }, query: canonicalQuery };
}

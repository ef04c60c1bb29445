import { createHash, createHmac } from 'node:crypto';

export type Signed = { token: string; appKey: string; path: string; body: string; timestamp: string };
const HMAC: Readonly<Record<string, string>> = { HMacMD5: 'md5', HMacSHA1: 'sha1', HMacSHA256: 'sha256', HMacSHA512: 'sha512' };

/** JDL: the parts in their fixed order between the secret; `md5-salt` as lower-case hexadecimal MD5, an HMAC (key: the secret) in base64. */
export function jdlSign(secret: string, algorithm: string, s: Signed): string {
  const text = [secret, 'access_token', s.token, 'app_key', s.appKey, 'method', s.path, 'param_json', s.body, 'timestamp', s.timestamp, 'v', '2.0', secret].join('');
  const hash = HMAC[algorithm];
  return hash === undefined ? createHash('md5').update(text, 'utf8').digest('hex') : createHmac(hash, secret).update(text, 'utf8').digest('base64');
}

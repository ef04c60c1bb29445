import { createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto';
import { standardWebhook as judge } from '../../domain/webhooks/standard-webhook.ts';
import type { Push } from '../channel.ts';

/** Standard Webhooks: a secret that both have (`whsec_`), or the public half of a pair that is the sender's own (`whpk_`); base64 after it. */
const PUBLIC = 'whpk_';

function byMac(key: Buffer, body: Buffer, prefix: string, signature: Buffer): boolean {
  const right = createHmac('sha256', key).update(prefix).update(body).digest();
  return signature.length === right.length && timingSafeEqual(signature, right);
}
function byPair(key: Buffer, body: Buffer, prefix: string, signature: Buffer): boolean {
  return verify(null, Buffer.concat([Buffer.from(prefix), body]), createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') }, format: 'jwk' }), signature);
}

/** Whether to believe a push. Each kind of key believes signatures of its own version only: a public key is no secret. */
export function standardWebhook(secret: string, push: Pick<Push, 'headers' | 'now' | 'body'>): ReturnType<typeof judge> {
  const pair = secret.startsWith(PUBLIC);
  const key = Buffer.from(secret.replace(/^wh(?:sec|pk)_/, ''), 'base64');
  return judge(push.headers, push.now, pair ? 'v1a' : 'v1', (prefix, base64) => (pair ? byPair : byMac)(key, push.body, prefix, Buffer.from(base64, 'base64')));
}

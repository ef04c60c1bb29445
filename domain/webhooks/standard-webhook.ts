/** A push signed longer ago may be somebody's copy. */
const WINDOW_S = 300;

/** `v1`: HMAC-SHA256 with a secret that both have; `v1a`: ed25519 with the sender's own key. */
export type SignatureVersion = 'v1' | 'v1a';

/**
 * Whether to believe a push that is signed by Standard Webhooks: `webhook-signature` holds `v1,BASE64` or `v1a,BASE64` (several, while a secret changes) over `id.timestamp.body`; only those of `version` count.
 * `signed`: whether this base64 is the signature of `prefix` and the raw body, without telling by time where they differ. `now`: ms since epoch.
 */
export function standardWebhook(
  headers: Readonly<Record<string, string | undefined>>, now: number, version: SignatureVersion, signed: (prefix: string, base64: string) => boolean,
): 'good' | 'signature' | 'stale' | 'malformed' {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  if (id === undefined || timestamp === undefined || signatures === undefined || !/^\d{1,12}$/.test(timestamp)) return 'malformed';
  if (!signatures.split(' ').some((s) => s.startsWith(`${version},`) && signed(`${id}.${timestamp}.`, s.slice(version.length + 1)))) return 'signature';
  return Math.abs(now / 1000 - Number(timestamp)) > WINDOW_S ? 'stale' : 'good';
}

/** A push signed longer ago may be somebody's copy. */
const WINDOW_S = 300;

/**
 * Whether to believe a push that is signed by Standard Webhooks: `webhook-signature` holds `v1,BASE64` (several, while a secret changes) of HMAC-SHA256 over `id.timestamp.body`.
 * `signed`: whether this base64 is the signature of `prefix` and the raw body, compared in constant time. `now`: ms since epoch.
 */
export function standardWebhook(headers: Readonly<Record<string, string | undefined>>, now: number, signed: (prefix: string, base64: string) => boolean): 'good' | 'signature' | 'stale' | 'malformed' {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  if (id === undefined || timestamp === undefined || signatures === undefined || !/^\d{1,12}$/.test(timestamp)) return 'malformed';
  if (!signatures.split(' ').some((s) => s.startsWith('v1,') && signed(`${id}.${timestamp}.`, s.slice(3)))) return 'signature';
  return Math.abs(now / 1000 - Number(timestamp)) > WINDOW_S ? 'stale' : 'good';
}

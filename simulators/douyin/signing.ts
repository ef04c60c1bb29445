import { createHash, createHmac } from 'node:crypto';

/** The text under a call's signature: the secret, name and value of the five signed fields in this order, the secret. */
export function callSignature(secret: string, how: string, q: { appKey: string; method: string; json: string; timestamp: string }): string {
  const pairs: [string, string][] = [['app_key', q.appKey], ['method', q.method], ['param_json', q.json], ['timestamp', q.timestamp], ['v', '2']];
  const text = [secret, ...pairs.flat(), secret].join('');
  return (how === 'md5' ? createHash('md5') : createHmac('sha256', secret)).update(text, 'utf8').digest('hex');
}

export const eventSignature = (appKey: string, body: string, secret: string): string => createHash('md5').update([appKey, body, secret].join(''), 'utf8').digest('hex');

/** A call's timestamp, either way of writing it, in ms. */
export function readTimestamp(text: string): number {
  return /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(`${text.replace(' ', 'T')}+08:00`);
}

/** What the platform insists on: keys in order at every level, nothing between. Numbers stay as they stand, so it is checked on the text. */
export function isCanonical(json: string): boolean {
  const order = (value: unknown): unknown => (Array.isArray(value) ? value.map(order) : typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, order(v)])) : value);
  const quoted = json.replace(/([:[,])(-?\d{16,})(?=[,\]}])/g, '$1"$2"');
  return JSON.stringify(order(JSON.parse(quoted))) === quoted;
}

import type { SettingsSchema } from '../carrier.ts';

export const settings: SettingsSchema = {
  required: ['key', 'customer', 'salt', 'carriers'],
  properties: {
    key: { type: 'string', description: 'authorisation key (授权key)', minLength: 1, maxLength: 100, secret: true },
    customer: { type: 'string', description: 'customer', maxLength: 100 },
    salt: { type: 'string', description: 'signs its callbacks; a text of your own', minLength: 8, maxLength: 64, secret: true },
    carriers: { type: 'object', description: 'whose parcels it follows: {our carrier: its code, e.g. "shunfeng"}', minProperties: 1, additionalProperties: { type: 'string' } },
    callbackUrl: { type: 'string', description: 'this account\'s push address as the world sees it: the public URL and `pushPath`', pattern: '^https?://', maxLength: 500 },
    baseUrl: { type: 'string', description: 'where it is reached', pattern: '^https?://', maxLength: 500, default: 'https://poll.kuaidi100.com' },
    codes: { type: 'object', description: 'what a statusCode means where the default is wrong: {code: milestone or "note"}', additionalProperties: { type: 'string' }, default: {} },
    timeoutMs: { type: 'integer', description: 'patience, ms', minimum: 100, maximum: 60_000 },
  },
};

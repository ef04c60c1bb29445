import type { SettingsSchema } from '../carrier.ts';

/** Envelope and message types: M. Fields inside, the type of the push and its actions: GK, hence settings. */
export const settings: SettingsSchema = {
  required: ['providerId', 'secret', 'carriers', 'channel', 'sender', 'template'],
  properties: {
    providerId: { type: 'string', description: 'logistic_provider_id (resource code)', minLength: 1, maxLength: 100 },
    secret: { type: 'string', description: 'signs both ways', minLength: 1, maxLength: 200, secret: true },
    toCode: { type: 'string', description: 'to_code', maxLength: 64, default: 'TMS_WAYBILL' },
    channel: { type: 'string', description: 'the shop whose orders get their numbers here', minLength: 1, maxLength: 64 },
    carriers: { type: 'object', description: 'whose numbers it gives: {our carrier: its cpCode, e.g. "YTO"}', minProperties: 1, additionalProperties: { type: 'string' } },
    sender: {
      type: 'object', description: 'who sends, as subscribed there: {name, phone, province, city, district, street}', required: ['name', 'phone', 'province', 'city', 'street'], additionalProperties: false,
      properties: Object.fromEntries(['name', 'phone', 'province', 'city', 'district', 'street'].map((name) => [name, { type: 'string', maxLength: 200 }])),
    },
    template: { type: 'string', description: 'templateUrl of the print component', maxLength: 500 },
    baseUrl: { type: 'string', description: 'gateway', pattern: '^https?://', maxLength: 500, default: 'https://link.cainiao.com' },
    pushType: { type: 'string', description: 'msg_type of a tracking push', maxLength: 100, default: 'CNTECH_LV_LOGISTICS_DETAIL_PUSH' },
    actions: { type: 'object', description: 'what an action means where the default is wrong: {action: milestone or "note"}', additionalProperties: { type: 'string' }, default: {} },
    timeoutMs: { type: 'integer', description: 'patience, ms', minimum: 100, maximum: 60_000 },
  },
};

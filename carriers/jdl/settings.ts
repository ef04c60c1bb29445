import type { SettingsSchema } from '../carrier.ts';

/** Signature and the path of create: M. Other paths, the fields of answers and the states: GK, hence settings. */
export const settings: SettingsSchema = {
  required: ['appKey', 'appSecret', 'accessToken', 'customerCode', 'sender'],
  properties: {
    appKey: { type: 'string', description: 'app_key', minLength: 1, maxLength: 100 },
    appSecret: { type: 'string', description: 'signs our calls', minLength: 1, maxLength: 200, secret: true },
    accessToken: { type: 'string', description: 'access_token; set it anew before it ends', maxLength: 200, secret: true },
    customerCode: { type: 'string', description: 'customer code (青龙业主号)', maxLength: 64 },
    sender: {
      type: 'object', description: 'who sends: {name, phone, street}; the rest is the location\'s', required: ['name', 'phone'], additionalProperties: false,
      properties: { name: { type: 'string', maxLength: 60 }, phone: { type: 'string', maxLength: 30 }, street: { type: 'string', maxLength: 200 } },
    },
    algorithm: { type: 'string', description: 'of the signature', enum: ['md5-salt', 'HMacMD5', 'HMacSHA1', 'HMacSHA256', 'HMacSHA512'], default: 'md5-salt' },
    domain: { type: 'string', description: 'LOP-DN', maxLength: 64, default: 'ECAP' },
    products: { type: 'object', description: 'its product by our service; the first is used for an unknown one', additionalProperties: { type: 'string' }, default: { standard: 'ed-m-0001' } },
    paths: { type: 'object', description: 'paths where the defaults are wrong: {create, cancel, trace}', additionalProperties: { type: 'string' }, default: { create: '/ecap/v1/orders/create', cancel: '/ecap/v1/orders/cancel', trace: '/ecap/v1/orders/trace/query' } },
    states: { type: 'object', description: 'what a trace state means where the default is wrong: {state: milestone or "note"}', additionalProperties: { type: 'string' }, default: {} },
    baseUrl: { type: 'string', description: 'gateway', pattern: '^https?://', maxLength: 500, default: 'https://api.jdl.com' },
    timeoutMs: { type: 'integer', description: 'patience, ms', minimum: 100, maximum: 60_000 },
  },
};

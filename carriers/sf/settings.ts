import type { SettingsSchema } from '../carrier.ts';

/** Facts and their confidence: docs/carriers.md. What is not sure stands here as a default. */
export const settings: SettingsSchema = {
  required: ['partnerId', 'checkword', 'monthlyCard', 'sender'],
  properties: {
    partnerId: { type: 'string', description: 'customer code (partnerID)', minLength: 1, maxLength: 64 },
    checkword: { type: 'string', description: 'check word of this environment', minLength: 1, maxLength: 128, secret: true },
    monthlyCard: { type: 'string', description: 'monthly account (月结卡号)', maxLength: 40 },
    sender: {
      type: 'object', description: 'who sends: {name, phone, street}; province and city are the location\'s', required: ['name', 'phone'], additionalProperties: false,
      properties: { name: { type: 'string', maxLength: 60 }, phone: { type: 'string', maxLength: 30 }, street: { type: 'string', maxLength: 200 } },
    },
    baseUrl: { type: 'string', description: 'gateway', pattern: '^https?://', maxLength: 500, default: 'https://sfapi.sf-express.com' },
    auth: { type: 'string', description: '`digest` (msgDigest) or `token` (/oauth2/accessToken)', enum: ['digest', 'token'], default: 'digest' },
    services: { type: 'object', description: 'expressTypeId by our service; the first is used for an unknown one', additionalProperties: { type: 'integer' }, default: { standard: 2, express: 1 } },
    label: { type: 'string', description: '`cloud` (COM_RECE_CLOUD_PRINT_WAYBILLS) or `drawn` by us', enum: ['cloud', 'drawn'], default: 'cloud' },
    template: { type: 'string', description: 'template of the cloud label', maxLength: 100, default: 'fm_150_standard' },
    cargo: { type: 'string', description: 'what is in the parcels', maxLength: 60, default: '商品' },
    opCodes: { type: 'object', description: 'what an opCode means where the default is wrong: {code: milestone or "note"}', additionalProperties: { type: 'string' }, default: {} },
    existsCode: { type: 'string', description: 'error code of an orderId that exists already', maxLength: 20, default: '8016' },
    unknownOrderCode: { type: 'string', description: 'error code of an orderId that it does not have: its waybill never came to be', maxLength: 20, default: '8024' },
    intercept: { type: 'object', description: 'fields of EXP_RECE_WANTED_INTERCEPT besides the waybill', default: { serviceCode: '2', role: '1', payMode: '4' } },
    senders: { type: 'array', description: 'addresses that pushes may come from; empty: any', items: { type: 'string' }, maxItems: 50, default: [] },
    timeoutMs: { type: 'integer', description: 'patience, ms', minimum: 100, maximum: 60_000 },
  },
};

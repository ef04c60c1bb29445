import type { SettingsSchema } from '../carrier.ts';

export const settings: SettingsSchema = {
  required: ['apiKey', 'webhookSecret', 'carriers', 'sender'],
  properties: {
    apiKey: { type: 'string', description: 'API key', minLength: 1, maxLength: 200, secret: true },
    webhookSecret: { type: 'string', description: 'secret of the webhook', minLength: 1, maxLength: 200, secret: true },
    carriers: { type: 'object', description: 'whose parcels it knows: {our carrier: its name, e.g. "USPS"}', minProperties: 1, additionalProperties: { type: 'string' } },
    sender: {
      type: 'object', description: 'who sends: {name, phone, street, postcode}; the rest is the location\'s', required: ['name', 'phone', 'street', 'postcode'], additionalProperties: false,
      properties: { name: { type: 'string', maxLength: 60 }, phone: { type: 'string', maxLength: 30 }, street: { type: 'string', maxLength: 200 }, postcode: { type: 'string', maxLength: 20 } },
    },
    services: { type: 'object', description: 'its service by ours, e.g. {standard: "GroundAdvantage"}; the cheapest rate where none is named', additionalProperties: { type: 'string' }, default: {} },
    issues: { type: 'boolean', description: 'buy labels with it; false: only follow parcels', default: true },
    baseUrl: { type: 'string', description: 'where it is reached', pattern: '^https?://', maxLength: 500, default: 'https://api.easypost.com' },
    timeoutMs: { type: 'integer', description: 'patience, ms', minimum: 100, maximum: 120_000 },
  },
};

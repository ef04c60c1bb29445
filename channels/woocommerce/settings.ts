import type { SettingsSchema } from '../channel.ts';

/** A WooCommerce shop, by a REST API key with read/write access. */
export const settings: SettingsSchema = {
  required: ['baseUrl', 'consumerKey', 'consumerSecret', 'webhookSecret'],
  properties: {
    baseUrl: { type: 'string', pattern: '^https?://[^?#]*[^/?#]$', description: 'the address of the shop, without the slash at the end; its API is under /wp-json/wc/v3' },
    consumerKey: { type: 'string', minLength: 1, secret: true, description: 'the consumer key of its REST API (ck_…)' },
    consumerSecret: { type: 'string', minLength: 1, secret: true, description: 'the consumer secret of its REST API (cs_…)' },
    webhookSecret: { type: 'string', minLength: 1, secret: true, description: 'the secret of its webhooks (order created, updated, deleted, restored)' },
    carriers: { type: 'object', additionalProperties: { type: 'string' }, default: {}, description: 'our carrier codes → the name that the customer reads' },
    parcelNote: { type: 'string', minLength: 1, maxLength: 500, default: 'Sent with {carrier}, tracking number {waybillNo}', description: 'the note that tells a customer of a parcel, with {carrier} and {waybillNo}' },
    mapByMerchantCode: { type: 'boolean', default: true, description: 'map a new product at once to the SKU that it names' },
    checkEveryS: { type: 'integer', minimum: 10, default: 3600, description: 'how often its figures are compared with what it was told, seconds' },
    timeoutMs: { type: 'integer', minimum: 100, maximum: 60_000, default: 15_000, description: 'how long it may take to answer, milliseconds' },
  },
};

/** The settings as the schema has checked them. */
export type WooSettings = { baseUrl: string; carriers: Record<string, string>; parcelNote: string };

import type { SettingsSchema } from '../channel.ts';

/** A Shopify shop, by a custom app's Admin API token. */
export const settings: SettingsSchema = {
  required: ['shopDomain', 'clientSecret', 'accessToken', 'locationId'],
  properties: {
    shopDomain: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]*\\.myshopify\\.com$', description: 'the shop, NAME.myshopify.com' },
    baseUrl: { type: 'string', pattern: '^https?://', description: 'where its API is, if not at https:// and the shop domain' },
    apiVersion: { type: 'string', pattern: '^20(2[6-9]|[3-9]\\d)-(01|04|07|10)$', default: '2026-04', description: 'the version of the Admin API, 2026-01 or later: before it stock cannot be set as we set it' },
    clientSecret: { type: 'string', minLength: 1, secret: true, description: "the app's client secret, by which webhooks are signed" },
    accessToken: { type: 'string', minLength: 1, secret: true, description: "the app's Admin API access token for this shop" },
    locationId: { type: 'string', pattern: '^\\d+$', description: 'the Shopify location whose available quantity we set' },
    carriers: { type: 'object', additionalProperties: { type: 'string' }, default: {}, description: 'our carrier codes → the company that Shopify shows' },
    notifyCustomer: { type: 'boolean', default: true, description: 'let Shopify tell the customer of a parcel' },
    testOrders: { type: 'string', enum: ['hold', 'ignore', 'take'], default: 'hold', description: 'what becomes of orders that were bought with play money (a test gateway): held with that reason, passed over, or taken as any other' },
    mapByMerchantCode: { type: 'boolean', default: true, description: 'map a new variant at once to the SKU that it names' },
    checkEveryS: { type: 'integer', minimum: 10, default: 3600, description: 'how often its figures are compared with what it was told, seconds' },
    timeoutMs: { type: 'integer', minimum: 100, maximum: 60_000, default: 10_000, description: 'how long it may take to answer, milliseconds' },
  },
};

/** The settings as the schema has checked them. */
export type ShopifySettings = { shopDomain: string; baseUrl?: string; apiVersion: string; locationId: string; carriers: Record<string, string>; notifyCustomer: boolean; testOrders: 'hold' | 'ignore' | 'take' };

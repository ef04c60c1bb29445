import type { SettingsSchema } from '../channel.ts';

const path = { type: 'string', pattern: '^\\$' } as const;
const paths = (description: string, names: readonly string[], required: readonly string[] = []) => ({
  type: 'object' as const, description, additionalProperties: false, properties: Object.fromEntries(names.map((n) => [n, path])), required: [...required],
});
const request = (description: string, more: Record<string, unknown> = {}) => ({
  type: 'object' as const, description, additionalProperties: false, required: ['url'],
  properties: { url: { type: 'string', pattern: '^/' }, method: { type: 'string', enum: ['GET', 'POST', 'PUT', 'DELETE'] }, body: {}, ...more },
});

/** A shop system that a customer connects by configuration alone: where its calls are, and where in its JSON our fields stand. */
export const settings: SettingsSchema = {
  required: ['baseUrl', 'fetch', 'order', 'line'],
  properties: {
    baseUrl: { type: 'string', pattern: '^https?://', description: 'where its API begins, without the slash at the end' },
    apiKey: { type: 'string', minLength: 1, secret: true, description: 'sent as {apiKey} in `headers`; without `headers` as "Authorization: Bearer"' },
    headers: { type: 'object', additionalProperties: { type: 'string' }, description: 'headers of every call, with {apiKey}' },
    webhookSecret: { type: 'string', pattern: '^(whsec_[A-Za-z0-9+/]{32,}={0,2}|whpk_[A-Za-z0-9+/]{43}=)$', secret: true, description: 'the secret of its Standard Webhooks signature (whsec_ and base64), or its public key where it signs with ed25519 (whpk_ and base64)' },
    push: paths('where a push names its order', ['orderId', 'version', 'topic'], ['orderId']),
    fetch: request('how an order is read; {id} in the URL', { root: path }),
    list: request('how orders changed between {from} and {to} are listed; {page} is what `next` gave', { items: path, id: path, version: path, next: path, firstPage: { type: 'string' } }),
    order: paths('where the fields of an order stand',
      ['externalId', 'version', 'status', 'currency', 'orderedAt', 'paidAt', 'shipBy', 'cashOnDelivery', 'buyerId', 'buyerName', 'name', 'phone', 'country', 'province', 'city', 'district', 'street', 'postcode', 'lines', 'freight',
        'discount', 'buyerRemark', 'sellerRemark', 'session', 'fulfilledBy'], ['externalId', 'version', 'status', 'lines', 'name', 'street', 'city', 'province']),
    line: paths('where the fields of a line stand', ['lineId', 'itemId', 'sku', 'merchantCode', 'title', 'quantity', 'cancelled', 'unitPrice', 'discount', 'gift'], ['lineId', 'sku', 'quantity', 'unitPrice']),
    afterSales: {
      type: 'object', description: 'where after-sales stand in an order', additionalProperties: false, required: ['items', 'id', 'kind', 'status'],
      properties: { items: path, id: path, kind: path, status: path, lines: path, lineId: path, quantity: path, reason: path, version: path, amount: path },
    },
    parcels: {
      type: 'object', description: "where the parcels of an order stand that the platform's own warehouse ships", additionalProperties: false, required: ['items', 'number'], properties: { items: path, carrier: path, number: path },
    },
    statuses: { type: 'object', additionalProperties: { type: 'string', enum: ['unpaid', 'to_ship', 'part_shipped', 'shipped', 'done', 'cancelled'] }, default: {}, description: "its words for an order's status → ours; ours need no line" },
    afterSaleKinds: { type: 'object', additionalProperties: { type: 'string', enum: ['refund', 'return', 'exchange', 'resend', 'repair'] }, default: {}, description: 'its words for the kind of an after-sale → ours' },
    afterSaleStatuses: { type: 'object', additionalProperties: { type: 'string', enum: ['requested', 'agreed', 'goods_sent', 'done', 'refused', 'closed'] }, default: {}, description: "its words for an after-sale's status → ours" },
    money: { type: 'string', enum: ['minor', 'major'], default: 'major', description: 'whether its amounts are whole minor units (fen, cents) or decimals of the major unit' },
    times: { type: 'string', enum: ['iso', 's', 'ms'], default: 'iso', description: 'how it writes times: ISO 8601, or seconds or milliseconds since 1970' },
    country: { type: 'string', pattern: '^[A-Z]{2}$', default: 'CN', description: 'the country of addresses that name none' },
    stock: request('how the stock of one SKU is told: {sku}, {itemId}, {quantity} (the new figure), {change} (the difference), {key} (the same for every try)', { kind: { type: 'string', enum: ['set', 'keyed'] } }),
    readStock: request('how the stock of one SKU is read; {sku}, {itemId}', { sellable: path }),
    shipment: request('how a parcel is told: {id}, {carrier}, {waybillNo}, {key}, {last}, {lines} (by `shipmentLine`)', { line: { type: 'object' } }),
    addressAnswer: request('how a wished address is agreed to or refused: {id}, {approved}'),
    afterSaleAnswer: request('how an after-sale is decided: {id}, {afterSaleId}, {approved}, {reason}, {key}'),
    cancel: request('how our own cancellation is told: {id}, {reason}, {key}'),
    wantedAddress: paths('where an address stands that the buyer asks for instead', ['name', 'phone', 'country', 'province', 'city', 'district', 'street', 'postcode'], ['name', 'street', 'city', 'province']),
    carriers: { type: 'object', additionalProperties: { type: 'string' }, default: {}, description: 'our carrier codes → its own' },
    mapByMerchantCode: { type: 'boolean', default: false, description: 'map a new listing at once to the SKU that its merchant code names' },
    platformLocation: { type: 'string', description: "the location that stands for the platform's own warehouse" },
    checkEveryS: { type: 'integer', minimum: 10, default: 3600, description: 'how often its figures are compared with what it was told, seconds' },
    timeoutMs: { type: 'integer', minimum: 100, maximum: 60_000, default: 10_000, description: 'how long it may take to answer, milliseconds' },
  },
};

type Paths = Readonly<Record<string, string>>;
type Request = { url: string; method?: 'GET' | 'POST' | 'PUT' | 'DELETE'; body?: unknown };
/** The settings as the schema has checked them. */
export type GenericSettings = {
  baseUrl: string; headers?: Record<string, string>; push?: Paths; fetch: Request & { root?: string }; list?: Request & { items?: string; id?: string; version?: string; next?: string; firstPage?: string };
  order: Paths; line: Paths; afterSales?: Paths; parcels?: Paths; statuses: Record<string, string>; afterSaleKinds: Record<string, string>; afterSaleStatuses: Record<string, string>; money: 'minor' | 'major'; times: 'iso' | 's' | 'ms';
  country: string; stock?: Request & { kind?: 'set' | 'keyed' }; readStock?: Request & { sellable?: string }; shipment?: Request & { line?: Record<string, unknown> }; addressAnswer?: Request; afterSaleAnswer?: Request; cancel?: Request;
  wantedAddress?: Paths; carriers: Record<string, string>;
};

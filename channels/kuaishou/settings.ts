import type { SettingsSchema } from '../channel.ts';

const text = { type: 'string' } as const;
const texts = { type: 'array' as const, items: text };

/** A shop of 快手小店. What public material leaves open (after-sale numbers, error codes, the stock reading) stands here, to be mended without code. */
export const settings: SettingsSchema = {
  required: ['appKey', 'appSecret', 'signSecret', 'messageKey'],
  properties: {
    baseUrl: { type: 'string', pattern: '^https?://', default: 'https://openapi.kwaixiaodian.com', description: 'the open platform' },
    appKey: { type: 'string', minLength: 1, description: 'appkey of the app' },
    appSecret: { type: 'string', minLength: 1, secret: true, description: 'appSecret of the app: for tokens only' },
    signSecret: { type: 'string', minLength: 1, secret: true, description: 'signSecret of the app: signs calls; not the appSecret' },
    messageKey: { type: 'string', pattern: '^(?:[A-Za-z0-9+/]{22}==|[A-Za-z0-9+/]{32}|[A-Za-z0-9+/]{43}=)$', secret: true, description: "the message service's private key (base64 of 16, 24 or 32 bytes)" },
    code: { type: 'string', minLength: 1, secret: true, description: 'the authorisation code, good once and for two minutes' },
    refreshToken: { type: 'string', minLength: 1, secret: true, description: 'a refresh token to begin with, instead of a code' },
    signMethod: { type: 'string', enum: ['HMAC_SHA256', 'MD5'], default: 'HMAC_SHA256', description: 'how calls are signed' },
    carriers: { type: 'object', additionalProperties: { type: 'integer' }, default: {}, description: 'our carrier codes → expressCode of 物流公司编号' },
    otherCarrier: { type: 'integer', default: 9999, description: 'expressCode of a carrier that `carriers` does not name (9999: 其他)' },
    splitStatus: { type: 'object', additionalProperties: { type: 'integer' }, default: { part: 2, all: 1 }, description: 'confirmDeliveryStatus of open.order.goods.split.deliver: more parcels follow, or none' },
    returnAddressId: { type: 'string', pattern: '^\\d+$', description: 'addressId that agreed returns are sent to' },
    refuseReason: { type: 'integer', default: 1, description: 'sellerDisagreeReason of open.seller.order.refund.disagree.refund' },
    refundStatus: {
      type: 'object', additionalProperties: { type: 'string', enum: ['requested', 'agreed', 'goods_sent', 'done', 'refused', 'closed'] }, description: 'status of an after-sale → ours',
      default: { 10: 'requested', 11: 'requested', 20: 'requested', 21: 'requested', 22: 'agreed', 23: 'agreed', 30: 'agreed', 40: 'goods_sent', 45: 'agreed', 50: 'agreed', 60: 'done', 70: 'closed' },
    },
    totalIncludesFreight: { type: 'boolean', default: true, description: 'totalFee holds expressFee' },
    stockFields: { ...texts, default: ['skuStock', 'stock'], description: 'where open.item.sku.list.get says what is left of a SKU: the first that is there' },
    platformWarehouses: { ...texts, default: [], description: "warehouseCode of the platform's own warehouses" },
    restores: { type: 'string', enum: ['never', 'unpaid', 'cancelled'], default: 'unpaid', description: 'of which cancelled orders it puts the units back' },
    tokenErrors: { ...texts, default: ['24', '28', 'TOKEN_EXPIRED', 'INVALID_TOKEN', 'access_token'], description: 'result, code, sub_code or words of error_msg when the access token is no good any more' },
    throttleErrors: { ...texts, default: ['1017', 'Exceed quota limit', 'Exceed qps limit'], description: 'the same, when calls come too fast' },
    retryErrors: { ...texts, default: ['系统', '稍后', '繁忙', 'system', 'timeout', 'busy'], description: 'the same, when the call may succeed later' },
    mapByMerchantCode: { type: 'boolean', default: true, description: 'map a new listing at once to the SKU that its merchant code (skuNick) names' },
    platformLocation: { type: 'string', description: "the location that stands for the platform's own warehouse" },
    checkEveryS: { type: 'integer', minimum: 10, default: 3600, description: 'how often its figures are compared with what it was told, seconds' },
    timeoutMs: { type: 'integer', minimum: 100, maximum: 60_000, default: 10_000, description: 'how long it may take to answer, milliseconds' },
  },
};

/** The settings as the schema has checked them. */
export type KuaishouSettings = {
  baseUrl: string; appKey: string; signMethod: 'HMAC_SHA256' | 'MD5'; carriers: Record<string, number>; otherCarrier: number; splitStatus: Record<'part' | 'all', number>; returnAddressId?: string; refuseReason: number;
  refundStatus: Record<string, 'requested' | 'agreed' | 'goods_sent' | 'done' | 'refused' | 'closed'>; totalIncludesFreight: boolean; stockFields: string[]; platformWarehouses: string[];
  restores: 'never' | 'unpaid' | 'cancelled'; tokenErrors: string[]; throttleErrors: string[]; retryErrors: string[];
};

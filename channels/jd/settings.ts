import type { SeenAfterSale } from '../../domain/channel/seen-order.ts';
import type { SettingsSchema } from '../channel.ts';

const text = { type: 'string' } as const;
const texts = { type: 'array' as const, items: text };
export const GATEWAY = 'https://api.jd.com';
export const SIGN_ON = 'https://open-oauth.jd.com';

/** A shop of JD (POP). What comes from its clients rather than from JD (update model, numbers of refunds, error words) stands here, to be mended without code. */
export const settings: SettingsSchema = {
  required: ['appKey', 'appSecret'],
  properties: {
    baseUrl: { type: 'string', pattern: '^https?://[^?#]*[^/?#]$', default: GATEWAY, description: 'the open platform, without the slash at the end; calls go to /routerjson' },
    authUrl: { type: 'string', pattern: '^https?://[^?#]*[^/?#]$', description: `where tokens are given (/oauth2); none: ${SIGN_ON}, or baseUrl where that is another one` },
    appKey: { type: 'string', minLength: 1, description: 'appKey of the app' },
    appSecret: { type: 'string', minLength: 1, secret: true, description: 'appSecret of the app' },
    code: { type: 'string', minLength: 1, secret: true, description: 'the authorisation code, good once' },
    refreshToken: { type: 'string', minLength: 1, secret: true, description: 'a refresh token to begin with, instead of a code' },
    orderStates: {
      ...texts, default: ['WAIT_SELLER_STOCK_OUT', 'WAIT_SELLER_DELIVERY', 'WAIT_GOODS_RECEIVE_CONFIRM', 'PAUSE', 'POP_ORDER_PAUSE', 'LOCKED', 'FINISHED_L', 'TRADE_CANCELED'],
      description: 'states to list (order_state of jingdong.pop.order.search)',
    },
    nothingToSend: { ...texts, default: ['75'], description: 'orderType of orders of which nothing is sent (75: LOC, served in a shop): they wait with that reason' },
    platformOrders: { ...texts, default: ['京仓订单', '云仓订单'], description: "storeOrder of orders that JD's own warehouses ship" },
    parcels: { type: 'string', enum: ['units', 'whole'], default: 'units', description: 'units: each parcel is told as it leaves, with what is in it (jingdong.pop.order.partial.outship); whole: all waybills at once, with the last' },
    outshipType: { type: 'object', additionalProperties: { type: 'integer' }, default: { belongType: 1, deliveryType: 1 }, description: 'belongType and deliveryType of jingdong.pop.order.partial.outship' },
    carriers: { type: 'object', additionalProperties: text, default: {}, description: 'our carrier codes → logistics ids of JD (SF: 467, ZTO: 1499 …)' },
    stockModel: { type: 'string', default: 'POP_SOP', description: 'stockModel of jingdong.ware.stock.sku.query and .set' },
    updateModel: { type: 'string', default: 'incrStockIn', description: 'updateModel of jingdong.ware.stock.sku.set that adds to the stock' },
    storeId: { type: 'integer', default: 0, description: "the shop's warehouse at JD whose stock is told (0: the one that all have)" },
    refundStatus: {
      type: 'object', additionalProperties: { type: 'string', enum: ['requested', 'agreed', 'goods_sent', 'done', 'refused', 'closed'] }, description: 'status of a refund application (jingdong.pop.afs.soa.refundapply) → ours',
      default: { 0: 'requested', 1: 'agreed', 2: 'refused', 3: 'done', 4: 'requested', 5: 'agreed', 6: 'done', 7: 'agreed', 8: 'refused', 9: 'done', 10: 'requested' },
    },
    refundSkus: { ...texts, default: ['skuList', 'refundSkus', 'skus'], description: 'where a refund application names its SKUs, asked for by showSku; none there: it is of the whole order' },
    checkUserName: { type: 'string', minLength: 1, default: 'oms', description: 'who decides on refund applications' },
    rejectType: { type: 'integer', default: 5, description: 'rejectType of a refusal (5: other)' },
    restores: { type: 'string', enum: ['never', 'unpaid', 'cancelled'], default: 'cancelled', description: 'of which cancelled orders it puts the units back' },
    tokenErrors: { ...texts, default: ['19', 'access_token', 'token已过期', 'token不存在'], description: 'code of error_response, or a part of its words, when the access token is no good any more' },
    throttleErrors: { ...texts, default: ['22', '限流', '调用频率', '调用次数', 'rate limit', 'too frequent'], description: 'the same, when calls come too fast' },
    retryErrors: { ...texts, default: ['系统', '超时', '稍后', '繁忙', 'timeout', 'system error', 'busy'], description: 'the same, when the call may succeed later' },
    sentErrors: { ...texts, default: ['已出库', '重复出库', '运单号已'], description: 'a part of its words when it knows the waybill of an order already' },
    mapByMerchantCode: { type: 'boolean', default: true, description: 'map a new listing at once to the SKU that its merchant code (outerSkuId) names' },
    platformLocation: { type: 'string', description: "the location that stands for JD's own warehouse (京东仓)" },
    checkEveryS: { type: 'integer', minimum: 10, default: 3600, description: 'how often its figures are compared with what it was told, seconds' },
    timeoutMs: { type: 'integer', minimum: 100, maximum: 60_000, default: 10_000, description: 'how long it may take to answer, milliseconds' },
  },
};

/** The settings as the schema has checked them. */
export type JdSettings = {
  baseUrl: string; authUrl?: string; appKey: string; orderStates: string[]; nothingToSend: string[]; platformOrders: string[]; parcels: 'units' | 'whole'; outshipType: Record<string, number>; carriers: Record<string, string>;
  stockModel: string; updateModel: string; storeId: number; refundStatus: Record<string, SeenAfterSale['status']>; refundSkus: string[]; checkUserName: string; rejectType: number; restores: 'never' | 'unpaid' | 'cancelled';
  tokenErrors: string[]; throttleErrors: string[]; retryErrors: string[]; sentErrors: string[];
};

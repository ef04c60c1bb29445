import type { SettingsSchema } from '../channel.ts';
import type { SignMethod } from './sign.ts';

const text = { type: 'string' } as const;
const texts = { type: 'array' as const, items: text };

/** A shop of Taobao or Tmall. What public material leaves open (error words, who puts units back, topics) stands here, to be mended without code. */
export const settings: SettingsSchema = {
  required: ['appKey', 'appSecret'],
  properties: {
    baseUrl: { type: 'string', pattern: '^https?://[^?#]*[^/?#]$', default: 'https://eco.taobao.com', description: 'the open platform, without the slash at the end; calls go to /router/rest' },
    appKey: { type: 'string', minLength: 1, description: 'AppKey of the app' },
    appSecret: { type: 'string', minLength: 1, secret: true, description: 'AppSecret of the app' },
    code: { type: 'string', minLength: 1, secret: true, description: 'the authorisation code, good once and for 30 minutes' },
    refreshToken: { type: 'string', minLength: 1, secret: true, description: 'a refresh token to begin with, instead of a code' },
    session: { type: 'string', minLength: 1, secret: true, description: 'the session key of an app whose sessions have a fixed length and cannot be refreshed, instead of both' },
    signMethod: { type: 'string', enum: ['md5', 'hmac', 'hmac-sha256'], default: 'hmac-sha256', description: 'how calls are signed' },
    group: { type: 'string', description: 'group of the message queue (taobao.tmc.group.add): one for each shop of an app; none: the default group' },
    sellerId: { type: 'string', pattern: '^\\d+$', description: "the shop's taobao_user_id: messages of other shops in its queue are left there" },
    topics: { ...texts, default: [], description: 'topics to ask for (taobao.tmc.user.permit); none: those of the app' },
    queueEveryS: { type: 'integer', minimum: 1, maximum: 3600, default: 10, description: 'how often an empty message queue is looked at, seconds' },
    tradeTypes: { ...texts, default: [], description: 'trade types to list (type of taobao.trades.sold.increment.get); none: the default five of the platform' },
    platformWarehouses: { ...texts, default: [], description: 'store_code of the warehouses that Cainiao ships from, where logistics_infos does not say so' },
    carriers: { type: 'object', additionalProperties: text, default: {}, description: 'our carrier codes → company_code of taobao.logistics.companies.get' },
    returnAddressId: { type: 'string', pattern: '^\\d+$', description: 'seller_address_id that agreed returns are sent to; none: the default of the shop' },
    reviewer: { type: 'string', minLength: 1, description: 'Tmall: operator of taobao.rp.refund.review, asked before a refund is agreed to; none: it is not asked' },
    restores: { type: 'string', enum: ['never', 'unpaid', 'cancelled'], default: 'unpaid', description: 'of which cancelled orders it puts the units back' },
    tokenErrors: { ...texts, default: ['26', '27', 'invalid-sessionkey', 'session-expired', 'sessionkey-not-generated-by-server'], description: 'code, or a part of sub_code, when the session is no good any more' },
    throttleErrors: { ...texts, default: ['7', 'accesscontrol.limited-by'], description: 'the same, when calls come too fast' },
    retryErrors: { ...texts, default: ['isp.'], description: 'the same, when the call may succeed later' },
    noOrderErrors: { ...texts, default: ['isv.trade-not-exist'], description: 'the same, when the shop has no such order' },
    sentErrors: { ...texts, default: ['consign-duplicate', '已用于此交易', '重复发货'], description: 'a part of sub_code or sub_msg when it knows the waybill of an order already' },
    mapByMerchantCode: { type: 'boolean', default: true, description: 'map a new listing at once to the SKU that its merchant code (outer_sku_id, outer_iid) names' },
    platformLocation: { type: 'string', description: 'the location that stands for the warehouses of Cainiao' },
    checkEveryS: { type: 'integer', minimum: 10, default: 3600, description: 'how often its figures are compared with what it was told, seconds' },
    timeoutMs: { type: 'integer', minimum: 100, maximum: 60_000, default: 10_000, description: 'how long it may take to answer, milliseconds' },
  },
};

/** The settings as the schema has checked them. */
export type TaobaoSettings = {
  baseUrl: string; appKey: string; signMethod: SignMethod; group?: string; sellerId?: string; topics: string[]; tradeTypes: string[]; platformWarehouses: string[]; carriers: Record<string, string>;
  returnAddressId?: string; reviewer?: string; restores: 'never' | 'unpaid' | 'cancelled'; tokenErrors: string[]; throttleErrors: string[]; retryErrors: string[]; noOrderErrors: string[]; sentErrors: string[];
};

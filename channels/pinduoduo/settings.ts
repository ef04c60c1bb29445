import type { SettingsSchema } from '../channel.ts';

const texts = { type: 'array' as const, items: { type: 'string' } };
const STATES = ['requested', 'agreed', 'goods_sent', 'done', 'refused', 'closed'] as const;

/** A shop of 拼多多. What its documentation leaves open (lengths of silence, which depots ship by themselves, error words) stands here, to be mended without code. */
export const settings: SettingsSchema = {
  required: ['clientId', 'clientSecret', 'mallId'],
  properties: {
    baseUrl: { type: 'string', pattern: '^https?://', default: 'https://gw-api.pinduoduo.com', description: 'the gateway; its second domain is https://opengw-api.yangkeduo.com' },
    messageUrl: { type: 'string', pattern: '^wss?://', description: 'the message service; without it wss://message-api.pinduoduo.com for the usual gateway, and the same host as baseUrl for any other' },
    clientId: { type: 'string', minLength: 1, pattern: '^[A-Za-z0-9_-]+$', description: 'client_id of the app; shops of one app share its connection for messages' },
    clientSecret: { type: 'string', minLength: 1, secret: true, description: 'client_secret of the app' },
    mallId: { type: 'string', pattern: '^\\d{1,19}$', description: 'mall_id of the shop: owner_id of its token' },
    code: { type: 'string', minLength: 1, secret: true, description: 'the authorisation code, good once' },
    refreshToken: { type: 'string', minLength: 1, secret: true, description: 'a refresh token to begin with, instead of a code' },
    topics: { ...texts, default: [], description: "topics asked for with pdd.pmc.user.permit; none: all of the app's" },
    carriers: { type: 'object', additionalProperties: { type: 'integer' }, default: {}, description: 'our carrier codes → logistics_id of pdd.logistics.companies.get' },
    refundAddressId: { type: 'string', pattern: '^\\d+$', description: 'the address that returns are sent to (pdd.refund.address.list.get); needed to agree to a return' },
    platformDepots: { ...texts, default: [], description: 'depot_code of subscribed depots whose orders are shipped without us' },
    afterSaleStatus: {
      type: 'object', additionalProperties: { type: 'string', enum: [...STATES] }, description: 'after_sales_status → ours',
      default: {
        2: 'requested', 3: 'requested', 4: 'agreed', 5: 'agreed', 6: 'refused', 7: 'agreed', 8: 'requested', 9: 'closed', 10: 'done', 11: 'closed', 12: 'closed', 13: 'closed', 14: 'requested', 15: 'agreed', 16: 'done', 17: 'closed', 18: 'agreed',
        21: 'requested', 22: 'agreed', 24: 'closed', 25: 'done', 27: 'goods_sent', 31: 'agreed', 32: 'agreed', 33: 'requested',
      },
    },
    restores: { type: 'string', enum: ['never', 'unpaid', 'cancelled'], default: 'unpaid', description: 'of which cancelled orders it puts the units back' },
    tokenErrors: { ...texts, default: ['10019', '20032'], description: 'error_code or sub_code when the access token is no good any more' },
    throttleErrors: { ...texts, default: ['52101', '70031', '70036'], description: 'the same, when calls come too fast' },
    retryErrors: { ...texts, default: ['50000', '50002', '52001', '52002', '52102', '52103', '70033'], description: 'the same, when the call may succeed later' },
    unknownOrderErrors: { ...texts, default: ['不存在'], description: 'words of the answer when it has no such order' },
    heartbeatMs: { type: 'integer', minimum: 10, maximum: 60_000, default: 8_000, description: 'how often our sign of life goes over the connection for messages, milliseconds' },
    silenceMs: { type: 'integer', minimum: 50, maximum: 600_000, default: 60_000, description: 'how long it may be silent before it counts as dead, milliseconds' },
    mapByMerchantCode: { type: 'boolean', default: true, description: 'map a new listing at once to the SKU that its merchant code (outer_id) names' },
    platformLocation: { type: 'string', description: 'the location that stands for the depots of platformDepots' },
    checkEveryS: { type: 'integer', minimum: 10, default: 3600, description: 'how often its figures are compared with what it was told, seconds' },
    timeoutMs: { type: 'integer', minimum: 100, maximum: 60_000, default: 10_000, description: 'how long it may take to answer, milliseconds' },
  },
};

/** The settings as the schema has checked them. */
export type PinduoduoSettings = {
  baseUrl: string; messageUrl?: string; clientId: string; mallId: string; topics: string[]; carriers: Record<string, number>; refundAddressId?: string; platformDepots: string[];
  afterSaleStatus: Record<string, (typeof STATES)[number]>; restores: 'never' | 'unpaid' | 'cancelled';
  tokenErrors: string[]; throttleErrors: string[]; retryErrors: string[]; unknownOrderErrors: string[]; heartbeatMs: number; silenceMs: number;
};

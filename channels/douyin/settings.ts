import type { SettingsSchema } from '../channel.ts';

/** A shop of 抖店. What is not sure of the protocol (error words, after-sale types) stands here, to be mended without code. */
export const settings: SettingsSchema = {
  required: ['appKey', 'appSecret'],
  properties: {
    baseUrl: { type: 'string', pattern: '^https?://', default: 'https://openapi-fxg.jinritemai.com', description: 'the open platform; its sandbox is https://openapi-sandbox.jinritemai.com' },
    appKey: { type: 'string', minLength: 1, description: 'app_key of the app' },
    appSecret: { type: 'string', minLength: 1, secret: true, description: 'app secret of the app' },
    shopId: { type: 'string', pattern: '^\\d+$', description: 'the shop of a self-use app; a tool app gives `code` instead' },
    code: { type: 'string', minLength: 1, secret: true, description: 'the authorisation code of a tool app, good for ten minutes' },
    refreshToken: { type: 'string', minLength: 1, secret: true, description: 'a refresh token to begin with, instead of a code' },
    signMethod: { type: 'string', enum: ['hmac-sha256', 'md5'], default: 'hmac-sha256', description: 'how calls are signed' },
    carriers: { type: 'object', additionalProperties: { type: 'string' }, default: {}, description: 'our carrier codes → company_code of /order/logisticsCompanyList' },
    tokenErrors: { type: 'array', items: { type: 'string' }, default: ['isv.access-token-expired', 'isv.access-token-no-existed', 'isv.invalid-access-token'], description: 'how sub_code begins when the access token is no good any more' },
    throttleErrors: { type: 'array', items: { type: 'string' }, default: ['isv.flow-limit', 'isp.flow-limit', 'isv.app-call-limited'], description: 'how sub_code begins when calls come too fast' },
    afterSaleTypes: {
      type: 'object', additionalProperties: { type: 'integer' }, default: { agreeRefund: 201, refuseRefund: 202, agreeReturn: 101, refuseReturn: 102 }, description: '`type` of /afterSale/operate for each decision; without agreeExchange, refuseExchange, agreeResend, refuseResend, agreeRepair, refuseRepair those are decided at the platform\'s desk',
    },
    answeredErrors: { type: 'array', items: { type: 'string' }, default: ['20309541'], description: 'sub_code, or the number at its end, when there is nothing to decide (any more)' },
    addressAnswers: { type: 'object', additionalProperties: { type: 'integer' }, default: { agree: 0, refuse: 1001 }, description: 'is_approved of /order/addressConfirm for each answer' },
    platformInventoryTypes: { type: 'array', items: { type: 'string' }, default: ['4'], description: "inventory_type of what the platform's own warehouse (云仓) ships" },
    warehouseId: { type: 'string', minLength: 1, description: 'out_warehouse_id of the warehouse whose stock this shop tells, where its SKUs are sold by region (sku_type 1)' },
    mapByMerchantCode: { type: 'boolean', default: true, description: 'map a new listing at once to the SKU that its merchant code names' },
    platformLocation: { type: 'string', description: "the location that stands for the platform's own warehouse (云仓)" },
    checkEveryS: { type: 'integer', minimum: 10, default: 3600, description: 'how often its figures are compared with what it was told, seconds' },
    timeoutMs: { type: 'integer', minimum: 100, maximum: 60_000, default: 12_000, description: 'how long it may take to answer, milliseconds' },
  },
};

/** The settings as the schema has checked them. */
export type DouyinSettings = {
  baseUrl: string; appKey: string; shopId?: string; signMethod: 'hmac-sha256' | 'md5'; carriers: Record<string, string>; tokenErrors: string[]; throttleErrors: string[];
  afterSaleTypes: Readonly<Record<string, number>>; answeredErrors: string[]; addressAnswers: Record<'agree' | 'refuse', number>; platformInventoryTypes: string[]; warehouseId?: string;
};

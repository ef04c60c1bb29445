import type { SettingsSchema } from '../channel.ts';

/** A shop of 视频号小店 (微信小店). Token calls, unknown status numbers and what public material leaves open stand here, to be mended without code. */
export const settings: SettingsSchema = {
  required: ['appId', 'appSecret', 'token', 'encodingAesKey'],
  properties: {
    baseUrl: { type: 'string', pattern: '^https?://', default: 'https://api.weixin.qq.com', description: 'the API' },
    appId: { type: 'string', minLength: 1, description: 'appid of the shop' },
    appSecret: { type: 'string', minLength: 1, secret: true, description: 'appsecret of the shop: for tokens only' },
    token: { type: 'string', minLength: 1, secret: true, description: 'the Token of the message push: signs addresses and messages' },
    encodingAesKey: { type: 'string', pattern: '^[A-Za-z0-9+/]{43}$', secret: true, description: 'EncodingAESKey of the message push' },
    replayWindowS: { type: 'integer', minimum: 30, maximum: 86_400, default: 14_400, description: 'a push signed longer ago is refused, seconds. WeChat pushes again for 3.6 hours, and nobody says whether each try is signed anew: below that, its last tries may be lost to the poll' },
    warehouseId: { type: 'string', minLength: 1, description: 'out_warehouse_id that stock is told to; without one it is the shop\'s common stock' },
    lockedWithin: { type: 'boolean', default: true, description: 'num of a warehouse still holds lock_stock (ordered, not paid)' },
    encodeSensitive: { type: 'boolean', default: true, description: 'ask for receivers in their encoded form (order/sensitiveinfo/decode opens it); false: in the clear, into the vault' },
    statuses: { type: 'object', additionalProperties: { type: 'string', enum: ['unpaid', 'to_ship', 'part_shipped', 'shipped', 'done', 'cancelled'] }, default: {}, description: 'further order status numbers → ours (190 is seen and nowhere explained)' },
    carriers: { type: 'object', additionalProperties: { type: 'string' }, default: {}, description: 'our carrier codes → delivery_id of order/deliverycompanylist/new/get' },
    deliverType: { type: 'integer', default: 1, description: 'deliver_type: 1 own waybill, 2 online waybill' },
    returnAddressId: { type: 'string', pattern: '^\\d+$', description: 'address_id that agreed returns are sent to' },
    mapByMerchantCode: { type: 'boolean', default: true, description: 'map a new listing at once to the SKU that its merchant code (sku_code) names' },
    platformLocation: { type: 'string', description: 'not used: the platform ships nothing itself' },
    checkEveryS: { type: 'integer', minimum: 10, default: 3600, description: 'how often its figures are compared with what it was told, seconds' },
    timeoutMs: { type: 'integer', minimum: 100, maximum: 60_000, default: 10_000, description: 'how long it may take to answer, milliseconds' },
  },
};

/** The settings as the schema has checked them. */
export type WechatSettings = {
  baseUrl: string; appId: string; replayWindowS: number; warehouseId?: string; lockedWithin: boolean; encodeSensitive: boolean; carriers: Record<string, string>; deliverType: number; returnAddressId?: string;
  statuses: Record<string, 'unpaid' | 'to_ship' | 'part_shipped' | 'shipped' | 'done' | 'cancelled'>;
};

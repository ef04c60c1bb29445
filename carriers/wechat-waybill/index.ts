import type { CarrierKind } from '../carrier.ts';
import { platformCapabilities, platformSettings } from '../platform-waybill.ts';
import { textMap } from '../read.ts';
import { connect } from './connector.ts';

/** The electronic waybills of WeChat Channels' shops (视频号小店). */
export const wechatWaybill: CarrierKind = {
  kind: 'wechat-waybill', name: '视频号电子面单', timeoutMs: 10_000, connect, capabilities: platformCapabilities, covers: (s) => Object.keys(textMap(s['carriers'])), limits: { '*': { perSecond: 10, burst: 20 } },
  settings: platformSettings({
    required: ['shopId', 'accounts'],
    properties: {
      shopId: { type: 'string', description: 'shop_id of the waybill account (account/get)', minLength: 1, maxLength: 100 },
      accounts: { type: 'object', description: "its waybill accounts: {the platform's code of the carrier: acct_id}", minProperties: 1, additionalProperties: { type: 'string' } },
      sites: { type: 'object', description: "branches of carriers that have some: {the platform's code of the carrier: site_code}", additionalProperties: { type: 'string' }, default: {} },
      baseUrl: { type: 'string', description: 'where it is reached', pattern: '^https?://', maxLength: 500, default: 'https://api.weixin.qq.com' },
    },
  }, { prepare: 'order/precreate', get: 'order/create', print: 'print/get', cancel: 'order/cancel', balance: 'account/get' }),
};

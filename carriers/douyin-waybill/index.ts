import type { CarrierKind } from '../carrier.ts';
import { platformCapabilities, platformSettings } from '../platform-waybill.ts';
import { textMap } from '../read.ts';
import { connect } from './connector.ts';

/** Douyin's (抖店) electronic waybills. */
export const douyinWaybill: CarrierKind = {
  kind: 'douyin-waybill', name: '抖店电子面单', timeoutMs: 10_000, connect, capabilities: platformCapabilities, covers: (s) => Object.keys(textMap(s['carriers'])), limits: { '*': { perSecond: 20, burst: 40 } },
  settings: platformSettings({
    required: ['appKey', 'appSecret'],
    properties: {
      appKey: { type: 'string', description: 'app_key', minLength: 1, maxLength: 100 }, appSecret: { type: 'string', description: 'app secret', minLength: 1, maxLength: 200, secret: true },
      baseUrl: { type: 'string', description: 'where it is reached', pattern: '^https?://', maxLength: 500, default: 'https://openapi-fxg.jinritemai.com' },
    },
  }, { get: 'logistics.newCreateOrder', print: 'logistics.waybillApply', cancel: 'logistics.cancelOrder', balance: 'logistics.listShopNetsite' }),
};

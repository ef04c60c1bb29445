import type { CarrierKind } from '../carrier.ts';
import { platformCapabilities, platformSettings } from '../platform-waybill.ts';
import { textMap } from '../read.ts';
import { connect } from './connector.ts';

/** Pinduoduo's (拼多多) electronic waybills. */
export const pinduoduoWaybill: CarrierKind = {
  kind: 'pinduoduo-waybill', name: '拼多多电子面单', timeoutMs: 10_000, connect, capabilities: platformCapabilities, covers: (s) => Object.keys(textMap(s['carriers'])), limits: { '*': { perSecond: 20, burst: 40 } },
  settings: platformSettings({
    required: ['clientId', 'clientSecret', 'userId'],
    properties: {
      clientId: { type: 'string', description: 'client_id', minLength: 1, maxLength: 100 }, clientSecret: { type: 'string', description: 'client_secret', minLength: 1, maxLength: 200, secret: true },
      userId: { type: 'string', description: 'user_id of who asks: the mall_id', pattern: '^\\d{1,15}$' },
      orderChannel: { type: 'string', description: 'order_channels_type: where the orders come from', pattern: '^[A-Z]{2,10}$', default: 'PDD' },
      baseUrl: { type: 'string', description: 'where it is reached', pattern: '^https?://', maxLength: 500, default: 'https://gw-api.pinduoduo.com' },
    },
  }, { get: 'pdd.waybill.get', cancel: 'pdd.waybill.cancel', balance: 'pdd.waybill.search' }),
};

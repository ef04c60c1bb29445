import type { CarrierKind } from '../carrier.ts';
import { platformCapabilities, platformSettings } from '../platform-waybill.ts';
import { textMap } from '../read.ts';
import { connect } from './connector.ts';

/** Kuaishou's (快手小店) electronic waybills. */
export const kuaishouWaybill: CarrierKind = {
  kind: 'kuaishou-waybill', name: '快手电子面单', timeoutMs: 10_000, connect, capabilities: platformCapabilities, covers: (s) => Object.keys(textMap(s['carriers'])), limits: { '*': { perSecond: 20, burst: 40 } },
  settings: platformSettings({
    required: ['appKey', 'signSecret'],
    properties: {
      appKey: { type: 'string', description: 'appkey', minLength: 1, maxLength: 100 }, signSecret: { type: 'string', description: 'signSecret (not the app secret)', minLength: 1, maxLength: 200, secret: true },
      baseUrl: { type: 'string', description: 'where it is reached', pattern: '^https?://', maxLength: 500, default: 'https://openapi.kwaixiaodian.com' },
    },
  }, { get: 'open.express.ebill.get', cancel: 'open.express.ebill.cancel', balance: 'open.express.subscribe.query' }),
};

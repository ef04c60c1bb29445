import type { CarrierKind } from '../carrier.ts';
import { platformCapabilities, platformSettings } from '../platform-waybill.ts';
import { textMap } from '../read.ts';
import { connect } from './connector.ts';

/** JD's electronic waybills of many carriers (京东无界电子面单). */
export const jdWaybill: CarrierKind = {
  kind: 'jd-waybill', name: '京东电子面单', timeoutMs: 10_000, connect, capabilities: platformCapabilities, covers: (s) => Object.keys(textMap(s['carriers'])), limits: { '*': { perSecond: 10, burst: 20 } },
  settings: platformSettings({
    required: ['appKey', 'appSecret', 'vendorCode', 'vendorName'],
    properties: {
      appKey: { type: 'string', description: 'app_key', minLength: 1, maxLength: 100 }, appSecret: { type: 'string', description: 'app secret', minLength: 1, maxLength: 200, secret: true },
      vendorCode: { type: 'string', description: 'the shop\'s vender id (商家编码)', minLength: 1, maxLength: 50 }, vendorName: { type: 'string', description: 'the shop\'s name', minLength: 1, maxLength: 100 },
      providers: {
        type: 'object', description: "contracts with carriers: {the platform's code: {providerId, branchCode (by branch) or settlementCode (directly run)}}", default: {},
        additionalProperties: { type: 'object', additionalProperties: false, properties: { providerId: { type: 'integer' }, branchCode: { type: 'string' }, settlementCode: { type: 'string' } } },
      },
      salePlatform: { type: 'string', description: 'salePlatform: where the orders come from (0010001: JD)', maxLength: 20, default: '0010001' },
      sealedFields: { type: 'object', description: 'names of encrypted fields in a receiver: {name, phone, street}', additionalProperties: { type: 'string' }, default: { name: 'fullname', phone: 'mobile', street: 'fullAddress' } },
      printParameters: { type: 'object', description: 'further parameters of the print service, e.g. ewCustomerCode', additionalProperties: { type: 'string' }, default: {} },
      retryErrors: { type: 'array', items: { type: 'string' }, description: 'codes of error_response after which the call may succeed later, the token\'s included', default: ['19', '20', '67', '66'] },
      baseUrl: { type: 'string', description: 'where it is reached', pattern: '^https?://', maxLength: 500, default: 'https://api.jd.com' },
    },
  }, { get: 'jingdong.ldop.alpha.waybill.receive', print: 'jingdong.printing.printData.pullData', cancel: 'jingdong.ldop.alpha.waybill.api.unbind', balance: 'jingdong.ldop.alpha.vendor.stock.queryByProviderCode' }),
};

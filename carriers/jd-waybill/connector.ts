import { createHash } from 'node:crypto';
import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import type { Account, CarrierConnector, CarrierIo } from '../carrier.ts';
import { platformWaybills, senderOf, type Question } from '../platform-waybill.ts';
import { bag, inChina, list, parseJson, text, textMap, type Bag } from '../read.ts';

/** Upper hexadecimal MD5 over the secret, the sorted fields, and the secret (protocols.md A4.2). */
export function signCall(secret: string, fields: Readonly<Record<string, string>>): string {
  return createHash('md5').update(`${secret}${Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => k + v).join('')}${secret}`, 'utf8').digest('hex').toUpperCase();
}

const BUSY_MS = 1_000;
/** A number of its carrier, for a sale on a platform. */
const [ORDINARY, ONE, PREPAID, MALL_ORDER] = [1, 1, 0, 1];
const MOST_OBJECT_ID = 20;

/** JD's waybills of many carriers (无界电子面单): a number first, then its print data from the cloud print service. */
export function connect(account: Account, io: CarrierIo): CarrierConnector {
  const { settings, secrets } = account;
  const methods = textMap(settings['methods']);
  const [sealed, providers] = [textMap(settings['sealedFields']), bag(settings['providers'])];
  const vendorCode = String(settings['vendorCode']);
  const s = senderOf(settings);
  const address = (a: { name: string; phone: string; province: string; city: string; district?: string; street: string }): object => ({
    provinceName: a.province, cityName: a.city, countryName: a.district ?? '', countrysideName: '', address: a.street, contact: a.name, phone: a.phone, mobile: a.phone,
  });

  async function call({ method, params }: Question): Promise<Bag> {
    const fields = { method, access_token: (await io.token()).access, app_key: String(settings['appKey']), timestamp: inChina(io.now()), format: 'json', v: '2.0', '360buy_param_json': JSON.stringify(params) };
    const answer = await io.call({
      family: method, method: 'POST', url: `${String(settings['baseUrl']).replace(/\/$/, '')}/routerjson`, headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ...fields, sign: signCall(secrets['appSecret'] ?? '', fields) }).toString(),
    });
    const body = bag(parseJson(answer.text));
    const name = `${method.replaceAll('.', '_')}_respon`; // "responce" (sic); one method was seen with "response"
    const found = Object.keys(body).find((key) => key.startsWith(name));
    if (found === undefined) {
      const error = bag(body['error_response']);
      const message = `京东 ${method}: ${text(error['code']) ?? answer.status} ${text(error['zh_desc']) ?? text(error['en_desc']) ?? ''}`.trim();
      if (/限流|频|limit/i.test(message)) throw io.throttled(method, BUSY_MS);
      throw textMap({ code: error['code'] })['code'] === undefined || (settings['retryErrors'] as string[]).includes(text(error['code']) ?? '') ? new PartnerUnavailable(message) : new PartnerRefused(422, message);
    }
    const outer = bag(body[found]);
    const result = outer['resultInfo'] === undefined ? bag(outer['returnType'] ?? outer['result'] ?? outer) : bag(outer['resultInfo']);
    const status = result['statusCode'];
    if (status !== undefined && Number(status) !== 0) throw new PartnerRefused(422, `京东 ${method}: ${text(status) ?? ''} ${text(result['statusMessage']) ?? ''}`.trim());
    return result;
  }

  return platformWaybills(account, {
    call,
    get: (r, carrier) => ({
      method: methods['get'] ?? '', params: { content: {
        waybillType: ORDINARY, waybillCount: ONE, providerCode: carrier, ...bag(providers[carrier]), salePlatform: settings['salePlatform'], platformOrderNo: r.order ?? r.requestId, vendorOrderCode: r.requestId, vendorCode, vendorName: settings['vendorName'],
        fromAddress: address(s), weight: r.weightG / 1000, volume: (r.volumeMm3 ?? 0) / 1000, payType: PREPAID, goodsMoney: 0, shouldPayMoney: 0, needGuarantee: false, guaranteeMoney: 0, goodsName: '商品',
        // `oaid` opens a receiver that JD's shop encrypted.
        ...(r.to.sealed?.['oaid'] === undefined ? {} : { oaid: r.to.sealed['oaid'] }),
        toAddress: address({ ...r.to, name: r.to.sealed?.[sealed['name'] ?? ''] ?? r.to.name, phone: r.to.sealed?.[sealed['phone'] ?? ''] ?? r.to.phone, street: r.to.sealed?.[sealed['street'] ?? ''] ?? r.to.street }),
      } },
    }),
    given: (answer) => ({ waybillNo: text(list(bag(answer['data'])['waybillCodeList'])[0]), printData: null, refused: null }),
    print: (waybillNo, carrier) => ({
      method: methods['print'] ?? '', params: { param1: {
        objectId: waybillNo.slice(-MOST_OBJECT_ID), cpCode: carrier, parameters: { eCustomerCode: vendorCode, ...textMap(settings['printParameters']) }, wayBillInfos: [{ wayBillCode: waybillNo, popFlag: MALL_ORDER }],
      } },
    }),
    printed(answer, waybillNo) {
      const found = list(answer['prePrintDatas']).map(bag).find((d) => text(d['wayBillNo']) === waybillNo);
      return found === undefined || text(found['perPrintData']) === null ? null : { templateUrl: settings['template'], perPrintData: found['perPrintData'] };
    },
    cancel: (waybillNo, carrier) => ({ method: methods['cancel'] ?? '', params: { providerCode: carrier, ...(bag(providers[carrier])['providerId'] === undefined ? {} : { providerId: bag(providers[carrier])['providerId'] }), waybillCode: waybillNo } }),
    balance: (carrier) => ({ method: methods['balance'] ?? '', params: { vendorCode, providerCode: carrier, ...(bag(providers[carrier])['branchCode'] === undefined ? {} : { branchCode: bag(providers[carrier])['branchCode'] }) } }),
    left: (answer) => list(answer['data']).map(bag).map((d) => ({ branch: text(d['branchCode']) ?? '', left: text(d['amount']) === null ? null : Number(d['amount']) })),
  });
}

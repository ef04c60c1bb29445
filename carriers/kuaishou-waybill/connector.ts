import { createHmac } from 'node:crypto';
import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import type { Account, CarrierConnector, CarrierIo } from '../carrier.ts';
import { platformWaybills, senderOf, type Question } from '../platform-waybill.ts';
import { bag, list, parseJson, text, textMap, type Bag } from '../read.ts';

/** Base64 HMAC-SHA256 of the sorted pairs and the secret's tail, before any encoding (protocols.md A2.1). */
export function signForm(secret: string, form: Readonly<Record<string, string>>): string {
  const text_ = Object.entries(form).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => `${k}=${v}`).join('&');
  return createHmac('sha256', secret).update(`${text_}&signSecret=${secret}`, 'utf8').digest('base64');
}

const BUSY_MS = 1_000;

/** Kuaishou: the number and its print data come together. */
export function connect(account: Account, io: CarrierIo): CarrierConnector {
  const { settings, secrets } = account;
  const methods = textMap(settings['methods']);
  const base = String(settings['baseUrl']).replace(/\/$/, '');
  const s = senderOf(settings);

  async function call({ method, params }: Question): Promise<Bag> {
    const form = { appkey: String(settings['appKey']), method, version: '1', param: JSON.stringify(params), access_token: (await io.token()).access, timestamp: String(io.now()), signMethod: 'HMAC_SHA256' };
    const answer = await io.call({
      family: method, method: 'POST', url: `${base}/${method.replaceAll('.', '/')}`, headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ...form, sign: signForm(secrets['signSecret'] ?? '', form) }).toString(),
    });
    const body = bag(parseJson(answer.text));
    if (Number(body['result']) === 1) return body;
    const said = `${text(body['code']) ?? ''} ${text(body['error_msg']) ?? text(body['msg']) ?? ''}`.trim();
    if (/qps|限流|频/i.test(said)) throw io.throttled(method, BUSY_MS);
    throw body['result'] === undefined || Number(body['result']) === 0 ? new PartnerUnavailable(`快手 ${method}: ${said}`) : new PartnerRefused(422, `快手 ${method}: ${said}`);
  }

  return platformWaybills(account, {
    call,
    get: (r, carrier) => ({
      method: methods['get'] ?? '', params: { getEbillOrderRequest: [{
        expressCompanyCode: carrier, requestId: r.requestId, packageCode: r.requestId, orderChannel: 'KUAI_SHOU', tradeOrderCode: r.order ?? r.requestId, templateUrl: settings['template'], totalPackageWeight: r.weightG, itemList: [{ itemTitle: '商品', itemQuantity: 1 }],
        senderContract: { name: s.name, mobile: s.phone }, senderAddress: { provinceName: s.province, cityName: s.city, districtName: s.district, detailAddress: s.street },
        receiverContract: { name: r.to.sealed?.['encryptedConsignee'] ?? r.to.name, mobile: r.to.sealed?.['encryptedMobile'] ?? r.to.phone },
        receiverAddress: { provinceName: r.to.province, cityName: r.to.city, districtName: r.to.district, detailAddress: r.to.sealed?.['encryptedAddress'] ?? r.to.street },
      }] },
    }),
    given(answer, requestId) {
      const found = list(answer['data']).map(bag).find((d) => text(d['requestId']) === requestId);
      const item = bag(list(found?.['data'])[0]);
      const waybillNo = text(item['waybillCode']);
      return {
        waybillNo, printData: waybillNo === null ? null : { templateURL: settings['template'], printData: item['printData'], signature: item['signature'], key: item['key'] },
        refused: waybillNo === null && found && Number(found['baseResponse'] === undefined ? 0 : bag(found['baseResponse'])['result']) !== 1 ? text(bag(found['baseResponse'])['errorMsg']) ?? 'refused' : null,
      };
    },
    cancel: (waybillNo, carrier) => ({ method: methods['cancel'] ?? '', params: { expressCompanyCode: carrier, waybillCode: waybillNo } }),
    balance: (carrier) => ({ method: methods['balance'] ?? '', params: { expressCompanyCode: carrier } }),
    left: (answer) => list(answer['data']).map(bag).map((b) => ({ branch: text(b['netSiteCode']) ?? '', left: text(b['availableQuantity']) === null ? null : Number(b['availableQuantity']) })),
  });
}

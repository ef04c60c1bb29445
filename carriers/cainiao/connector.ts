import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import type { Account, Balance, CarrierConnector, CarrierIo, WaybillRequest } from '../carrier.ts';
import { bag, inverse, list, parseJson, text, textMap, type Bag } from '../read.ts';
import { receive } from './push.ts';
import { dataDigest } from './sign.ts';

const BUSY_MS = 1_000;
const BUSY = /LIMIT|FLOW|BUSY/i;
const SYSTEM = /SYSTEM|TIMEOUT|S9\d/i;

/** Cainiao LINK. What the platform sealed goes through as it is; print data comes back for its own component and is kept unread. */
export function connect(account: Account, io: CarrierIo): CarrierConnector {
  const { settings, secrets } = account;
  const carriers = textMap(settings['carriers']);
  const url = `${String(settings['baseUrl']).replace(/\/$/, '')}/gateway/link.do`;
  const cpCode = (carrier: string | undefined): string => {
    const cp = carrier === undefined ? undefined : carriers[carrier];
    if (cp === undefined) throw new PartnerRefused(0, `"${carrier ?? ''}" is not in the setting carriers of ${account.code}`);
    return cp;
  };
  async function call(type: string, content: Bag): Promise<Bag> {
    const body = JSON.stringify(content);
    const answer = await io.call({
      family: type, method: 'POST', url, headers: { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' },
      body: new URLSearchParams({ msg_type: type, logistic_provider_id: String(settings['providerId']), to_code: String(settings['toCode']), logistics_interface: body, data_digest: dataDigest(body, secrets['secret'] ?? '') }).toString(),
    });
    const given = parseJson(answer.text);
    if (given === null) throw new PartnerUnavailable(`Cainiao did not answer in JSON (${answer.status})`);
    const found = bag(given);
    if (String(found['success']) === 'true') return found;
    const code = text(found['errorCode']) ?? '';
    if (BUSY.test(code)) throw io.throttled(type, BUSY_MS);
    const message = `Cainiao ${type}: ${code} ${text(found['errorMsg']) ?? ''}`.trim();
    throw SYSTEM.test(code) ? new PartnerUnavailable(message) : new PartnerRefused(422, message);
  }

  return {
    receive: (push) => receive(account, push),
    async createWaybill(request) {
      const body = await call('TMS_WAYBILL_GET', wanted(settings, cpCode(request.carrier), request));
      const given = bag(list(body['waybillCloudPrintResponseList']).map(bag).find((w) => text(w['objectId']) === request.requestId));
      const [waybillNo, printData] = [text(given['waybillCode']), text(given['printData'])];
      if (waybillNo === null || printData === null) throw new PartnerUnavailable('Cainiao gave no waybill');
      return { waybillNo, label: { type: 'application/json', bytes: Buffer.from(printData, 'utf8') } };
    },
    async cancelWaybill({ waybillNo, carrier }) {
      if (waybillNo === null) throw new PartnerRefused(0, 'Cainiao takes back a waybill by its number only, and none was received');
      const body = await call('TMS_WAYBILL_DISCARD', { cpCode: cpCode(carrier), waybillCode: waybillNo });
      return String(body['discardResult']) === 'true' ? 'cancelled' : 'refused';
    },
    async subscribe({ carrier, waybillNo }) { await call('CNTECH_LV_LOGISTICS_DETAIL_SUBSCRIBE', { cpCode: cpCode(carrier), mailNo: waybillNo }); },
    async balance() {
      const body = await call('TMS_WAYBILL_SUBSCRIPTION_QUERY', {});
      return list(body['waybillApplySubscriptionCols']).map(bag).flatMap((cp): Balance[] => {
        const carrier = inverse(carriers, text(cp['cpCode']));
        if (carrier === null) return [];
        return list(cp['branchAccountCols']).map(bag).map((b) => ({ carrier, branch: text(b['branchCode']) ?? '', left: text(b['quantity']) === null ? null : Math.floor(Number(b['quantity'])) }));
      });
    },
  };
}

function wanted(settings: Account['settings'], cpCode: string, r: WaybillRequest): Bag {
  const s = bag(settings['sender']);
  const { to } = r;
  return {
    cpCode, needEncrypt: true,
    sender: { name: s['name'], mobile: s['phone'], address: { province: s['province'], city: s['city'], district: s['district'], detail: s['street'] } },
    tradeOrderInfoDtos: [{
      objectId: r.requestId, templateUrl: settings['template'], orderInfo: { tradeOrderList: [r.order ?? r.requestId] }, packageInfo: { id: r.requestId, weight: r.weightG, items: [{ name: '商品', count: 1 }] },
      recipient: { name: to.name, mobile: to.phone, address: { province: to.province, city: to.city, ...(to.district === undefined ? {} : { district: to.district }), detail: to.street }, ...to.sealed },
    }],
  };
}

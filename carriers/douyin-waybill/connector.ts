import { createHmac } from 'node:crypto';
import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import type { Account, CarrierConnector, CarrierIo } from '../carrier.ts';
import { platformWaybills, senderOf, type Question } from '../platform-waybill.ts';
import { bag, inChina, list, parseJson, text, textMap, type Bag } from '../read.ts';

/** JSON with its keys sorted at every level, nothing between. */
function sorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sorted).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value).filter(([, v]) => v !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => `${JSON.stringify(k)}:${sorted(v)}`).join(',')}}`;
}

/** Lower hexadecimal HMAC-SHA256 of the secret, the fixed fields and the secret (protocols.md A1.1); the token is not signed. */
export function signCall(secret: string, q: { appKey: string; method: string; json: string; timestamp: string }): string {
  return createHmac('sha256', secret).update(`${secret}app_key${q.appKey}method${q.method}param_json${q.json}timestamp${q.timestamp}v2${secret}`).digest('hex');
}

const BUSY_MS = 1_000;

/** Douyin: a number first, then its print data. */
export function connect(account: Account, io: CarrierIo): CarrierConnector {
  const { settings, secrets } = account;
  const methods = textMap(settings['methods']);
  const [base, appKey, secret] = [String(settings['baseUrl']).replace(/\/$/, ''), String(settings['appKey']), secrets['appSecret'] ?? ''];
  const s = senderOf(settings);

  async function call({ method, params }: Question): Promise<Bag> {
    const json = sorted(params);
    const timestamp = inChina(io.now());
    const query = new URLSearchParams({ app_key: appKey, method, access_token: (await io.token()).access, timestamp, v: '2', sign: signCall(secret, { appKey, method, json, timestamp }), sign_method: 'hmac-sha256' });
    const answer = await io.call({ family: method, method: 'POST', url: `${base}/${method.replaceAll('.', '/')}?${query.toString()}`, headers: { 'content-type': 'application/json;charset=UTF-8' }, body: json });
    const body = bag(parseJson(answer.text));
    const code = Number(body['code']);
    if (code === 10000) return bag(body['data']);
    const sub = text(body['sub_code']) ?? '';
    if (/limit|too-many/i.test(sub)) throw io.throttled(method, BUSY_MS);
    const message = `抖店 ${method}: ${text(body['code']) ?? answer.status} ${sub} ${text(body['sub_msg']) ?? ''}`.trim();
    throw code === 40002 || code === 40004 || code === 50002 ? new PartnerRefused(422, message) : new PartnerUnavailable(message);
  }

  return platformWaybills(account, {
    call,
    get: (r, carrier) => ({
      method: methods['get'] ?? '', params: {
        logistics_code: carrier, sender_info: { address: { country_code: 'CHN', province_name: s.province, city_name: s.city, district_name: s.district, detail_address: s.street }, contact: { name: s.name, mobile: s.phone } },
        order_infos: [{
          order_id: r.order ?? r.requestId, pack_id: r.requestId, items: [{ item_name: '商品', item_count: 1 }], total_pack_count: 1, weight: r.weightG,
          receiver_info: { address: { country_code: 'CHN', province_name: r.to.province, city_name: r.to.city, district_name: r.to.district, detail_address: r.to.sealed?.['encrypt_detail'] ?? r.to.street },
            contact: { name: r.to.sealed?.['encrypt_post_receiver'] ?? r.to.name, mobile: r.to.sealed?.['encrypt_post_tel'] ?? r.to.phone } },
        }],
      },
    }),
    given(answer, requestId) {
      const made = list(answer['ebill_infos']).map(bag).find((e) => text(e['pack_id']) === requestId);
      const failed = list(answer['err_infos']).map(bag)[0];
      return { waybillNo: made ? text(made['track_no']) : null, printData: null, refused: made || !failed ? null : `${text(failed['err_code']) ?? ''} ${text(failed['err_msg']) ?? ''}`.trim() };
    },
    print: (waybillNo, carrier) => ({ method: methods['print'] ?? '', params: { waybill_applies: [{ logistics_code: carrier, track_no: waybillNo }] } }),
    printed(answer, waybillNo) {
      const found = list(answer['waybill_infos']).map(bag).find((w) => text(w['track_no']) === waybillNo);
      return found ? { templateURL: settings['template'], printData: found['print_data'], sign: found['sign'], params: found['params'] } : null;
    },
    cancel: (waybillNo, carrier) => ({ method: methods['cancel'] ?? '', params: { logistics_code: carrier, track_no: waybillNo } }),
    balance: (carrier) => ({ method: methods['balance'] ?? '', params: { logistics_code: carrier } }),
    left: (answer) => list(answer['netsites']).map(bag).map((n) => ({ branch: text(n['netsite_code']) ?? '', left: text(n['amount']) === null ? null : Number(n['amount']) })),
  });
}

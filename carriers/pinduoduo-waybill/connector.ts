import { createHash } from 'node:crypto';
import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import type { Account, CarrierConnector, CarrierIo } from '../carrier.ts';
import { platformWaybills, senderOf, type Question } from '../platform-waybill.ts';
import { bag, list, parseJson, text, textMap, type Bag } from '../read.ts';

/** Upper hexadecimal MD5 over the secret, the sorted fields with a value, and the secret (protocols.md A4.3). */
export function signForm(secret: string, form: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(form).filter(([name, value]) => name !== 'sign' && value !== '').sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('md5').update(`${secret}${pairs.map(([name, value]) => name + value).join('')}${secret}`, 'utf8').digest('hex').toUpperCase();
}

const BUSY_MS = 1_000;
const BUSY = new Set(['52101', '70031', '70036']);
const LATER = new Set(['10019', '20032', '50000', '50002', '52001', '52002', '52102', '52103', '70033']);

/** Pinduoduo: the number and its print data come together. */
export function connect(account: Account, io: CarrierIo): CarrierConnector {
  const { settings, secrets } = account;
  const methods = textMap(settings['methods']);
  const s = senderOf(settings);
  const address = (a: { province: string; city: string; district?: string; street: string }): object => ({ province: a.province, city: a.city, district: a.district ?? '', detail: a.street });

  async function call({ method, params }: Question): Promise<Bag> {
    const form = {
      type: method, client_id: String(settings['clientId']), access_token: (await io.token()).access, timestamp: String(Math.floor(io.now() / 1000)), data_type: 'JSON', version: 'V1',
      ...Object.fromEntries(Object.entries(params).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)])),
    };
    const answer = await io.call({
      family: method, method: 'POST', url: `${String(settings['baseUrl']).replace(/\/$/, '')}/api/router`, headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ...form, sign: signForm(secrets['clientSecret'] ?? '', form) }).toString(),
    });
    const body = bag(parseJson(answer.text));
    const found = Object.keys(body).find((name) => name.endsWith('_response') && name !== 'error_response');
    if (found !== undefined) {
      const given = bag(body[found]);
      if (given['cancel_result'] === false) throw new PartnerRefused(422, `拼多多 ${method}: the number is not taken back`);
      return given;
    }
    const error = bag(body['error_response']);
    const code = text(error['error_code']) ?? '';
    if (BUSY.has(code)) throw io.throttled(method, BUSY_MS);
    const message = `拼多多 ${method}: ${code || answer.status} ${text(error['sub_msg']) ?? text(error['error_msg']) ?? ''}`.trim();
    throw code === '' || LATER.has(code) ? new PartnerUnavailable(message) : new PartnerRefused(422, message);
  }

  return platformWaybills(account, {
    call,
    get: (r, carrier) => ({
      method: methods['get'] ?? '', params: { param_waybill_cloud_print_apply_new_request: {
        wp_code: carrier, need_encrypt: true, sender: { name: s.name, mobile: s.phone, address: address(s) },
        trade_order_info_dtos: [{
          object_id: r.requestId, template_url: settings['template'], user_id: Number(settings['userId']), order_info: { order_channels_type: settings['orderChannel'], trade_order_list: [r.order ?? r.requestId] },
          package_info: { id: r.requestId, items: [{ name: '商品', count: 1 }], weight: r.weightG },
          recipient: { name: r.to.sealed?.['receiver_name'] ?? r.to.name, mobile: r.to.sealed?.['receiver_phone'] ?? r.to.phone, address: address({ ...r.to, street: r.to.sealed?.['receiver_address'] ?? r.to.street }) },
        }],
      } },
    }),
    given(answer, requestId) {
      const made = list(answer['modules']).map(bag).find((m) => text(m['object_id']) === requestId);
      const waybillNo = made ? text(made['waybill_code']) : null;
      return { waybillNo, printData: waybillNo === null ? null : made?.['print_data'], refused: null };
    },
    cancel: (waybillNo, carrier) => ({ method: methods['cancel'] ?? '', params: { wp_code: carrier, waybill_code: waybillNo } }),
    balance: (carrier) => ({ method: methods['balance'] ?? '', params: { wp_code: carrier } }),
    left: (answer) => list(answer['waybill_apply_subscription_cols']).map(bag).flatMap((c) => list(c['branch_account_cols']).map(bag)).map((b) => ({ branch: text(b['branch_code']) ?? '', left: text(b['quantity']) === null ? null : Number(b['quantity']) })),
  });
}

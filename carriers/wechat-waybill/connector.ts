import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import type { Account, CarrierConnector, CarrierIo, WaybillRequest } from '../carrier.ts';
import { platformWaybills, senderOf, type Question } from '../platform-waybill.ts';
import { bag, list, parseJson, text, textMap, type Bag } from '../read.ts';

const BUSY = -1;
const TOKEN = new Set([40001, 40014, 42001]);
const THROTTLED: Readonly<Record<number, number>> = { 45011: 5_000, 45009: 600_000 };

/** WeChat Channels: what is asked for is checked and named first (`precreate`), then it gets its number under that name, then its print data. */
export function connect(account: Account, io: CarrierIo): CarrierConnector {
  const { settings } = account;
  const methods = textMap(settings['methods']);
  const [accounts, sites] = [textMap(settings['accounts']), textMap(settings['sites'])];
  const s = senderOf(settings);

  async function call({ method, params }: Question): Promise<Bag> {
    const answer = await io.call({
      family: method, method: 'POST', url: `${String(settings['baseUrl']).replace(/\/$/, '')}/channels/ec/logistics/ewaybill/biz/${method}?access_token=${encodeURIComponent((await io.token()).access)}`, headers: { 'content-type': 'application/json' },
      // Order ids are numbers beyond 2^53.
      body: JSON.stringify(params).replace(/"#(\d+)"/g, '$1'),
    });
    const parsed = parseJson(answer.text);
    if (parsed === null) throw new PartnerUnavailable(`视频号 ${method} answered ${answer.status} and no JSON`);
    const body = bag(parsed);
    const code = Number(body['errcode'] ?? 0);
    if (code === 0) return body;
    const wait = THROTTLED[code];
    if (wait !== undefined) throw io.throttled(method, wait);
    const message = `视频号 ${method}: ${code} ${text(body['delivery_error_msg']) ?? text(body['errmsg']) ?? ''}`.trim();
    throw code === BUSY || TOKEN.has(code) ? new PartnerUnavailable(message) : new PartnerRefused(422, message);
  }

  const order = (r: WaybillRequest, carrier: string): Bag => ({
    delivery_id: carrier, shop_id: settings['shopId'], ewaybill_acct_id: accounts[carrier] ?? '', ...(sites[carrier] === undefined ? {} : { site_code: sites[carrier] }),
    sender: { name: s.name, mobile: s.phone, province: s.province, city: s.city, county: s.district, street: '', address: s.street },
    receiver: {
      name: r.to.sealed?.['user_name'] ?? r.to.name, mobile: r.to.sealed?.['tel_number'] ?? r.to.phone, province: r.to.province, city: r.to.city, county: r.to.district ?? '', street: '', address: r.to.sealed?.['detail_info'] ?? r.to.street,
    },
    ec_order_list: [{ ec_order_id: number(r.order ?? ''), goods_list: [{ good_name: '商品', good_count: 1 }] }], remark: r.requestId,
  });

  return platformWaybills(account, {
    call,
    prepare: { ask: (r, carrier) => ({ method: methods['prepare'] ?? '', params: order(r, carrier) }), read: (answer) => text(answer['ewaybill_order_id']) },
    get: (r, carrier, prepared) => ({ method: methods['get'] ?? '', params: { ...order(r, carrier), ewaybill_order_id: prepared, template_id: settings['template'], ext_info: { package_weight_g: r.weightG } } }),
    given: (answer) => ({ waybillNo: text(answer['waybill_id']), printData: null, refused: null }),
    print: (_waybillNo, _carrier, prepared) => ({ method: methods['print'] ?? '', params: { ewaybill_order_id: prepared, template_id: settings['template'] } }),
    printed: (answer) => (text(answer['print_info']) === null ? null : { templateId: settings['template'], printInfo: answer['print_info'] }),
    cancel: (waybillNo, carrier, prepared) => ({ method: methods['cancel'] ?? '', params: { ewaybill_order_id: prepared, delivery_id: carrier, ...(waybillNo === null ? {} : { waybill_id: waybillNo }) } }),
    balance: (carrier) => ({ method: methods['balance'] ?? '', params: { delivery_id: carrier } }),
    left: (answer) => list(answer['account_list']).map(bag).map((a) => ({ branch: text(bag(a['site_info'])['site_code']) ?? text(a['acct_id']) ?? '', left: text(a['available']) === null ? null : Number(a['available']) })),
  });
}

/** An id as the number that it wants; anything else stays text. */
const number = (id: string): string => (/^[1-9]\d{0,18}$/.test(id) ? `#${id}` : id);

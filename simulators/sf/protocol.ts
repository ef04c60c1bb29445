import { randomUUID } from 'node:crypto';
import type { CourierParcel, CourierStep, Route } from '../courier/courier.ts';
import type { BadPush, CourierHost, CourierProtocol, PushRequest } from '../courier/protocol.ts';
import { plainPdf, underFaults } from '../courier/start-courier.ts';
import { digestOf } from './signing.ts';

type Data = Record<string, unknown>;
const CODES: Partial<Record<CourierStep, string>> = {
  picked_up: '50', in_transit: '31', out_for_delivery: '44', attempt_failed: '33', exception: '70', returning: '648', returned: '80', delivered: '80',
};
const chinese = (ms: number): string => new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
const outer = (code: string, message = '', data: unknown = null) => ({ apiResultCode: code, apiErrorMsg: message, apiResponseID: randomUUID(), apiResultData: data === null ? null : JSON.stringify(data) });
const good = (msgData: unknown) => outer('A1000', '', { success: true, errorCode: 'S0000', errorMsg: null, msgData });
const bad = (errorCode: string, errorMsg: string) => outer('A1000', '', { success: false, errorCode, errorMsg, msgData: null });
const route = (r: Route, parcel: CourierParcel) => ({ mailno: parcel.no, acceptTime: chinese(r.at), acceptAddress: r.place, remark: r.remark, opCode: CODES[r.step] ?? '30', id: r.id, orderid: parcel.orderId });

/** Routes as XML in a form, the older way of the same push. */
function xmlPush(routes: readonly ReturnType<typeof route>[], how: BadPush | undefined): PushRequest {
  const escaped = (value: unknown): string => String(value).replace(/[&<"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '"': '&quot;' })[c] ?? c);
  const elements = routes.map((r) => `<WaybillRoute ${Object.entries(how === 'forged' ? { mailno: r.mailno, opCode: '80' } : r).map(([name, value]) => `${name}="${escaped(value)}"`).join(' ')}/>`).join('');
  const document = `<?xml version='1.0' encoding='UTF-8'?><Request service='RoutePushService' lang='zh-CN'><Body>${elements}</Body></Request>`;
  return { headers: { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' }, body: new URLSearchParams({ content: how === 'truncated' ? document.slice(0, -20) : document }).toString() };
}

/** 丰桥 as far as an order needs it: signed forms, two layers of answers, routes pushed in batches of ten until `0000`. */
export const sf: CourierProtocol = {
  batch: 10, retries: [600_000, 600_000, 600_000, 600_000, 600_000], deadlineMs: 5_000,
  word: (step) => CODES[step] ?? null,
  acknowledged: (status, body) => {
    if (/^<Response service="RoutePushService"><Head>OK<\/Head><\/Response>$/.test(body)) return status === 200;
    try {
      return status === 200 && (JSON.parse(body) as { return_code?: unknown }).return_code === '0000';
    } catch {
      return false;
    }
  },
  push(events, host, { bad: how }) {
    if (host.settings['pushFormat'] === 'xml') return xmlPush(events.map((e) => route(e.route, e.parcel)), how);
    const body = JSON.stringify({ Body: { WaybillRoute: events.map((e) => route(e.route, e.parcel)) } });
    // Routes carry no signature: a forger does not know our address, and that is all. `forged` goes to the right address with what no route is.
    if (how === 'forged') return { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ Body: { WaybillRoute: [{ mailno: events[0]?.parcel.no, opCode: '80' }] } }) };
    return { headers: { 'content-type': 'application/json;charset=utf-8' }, body: how === 'truncated' ? body.slice(0, -20) : body };
  },
  expireTokens(host) { tokens(host).clear(); },
  routes(app, host) {
    const { settings, courier } = host;
    const seen = new Set<string>();

    app.post('/oauth2/accessToken', (request) => {
      const form = new URLSearchParams(String(request.body));
      if (form.get('partnerID') !== settings['partnerId'] || form.get('secret') !== settings['checkword'] || form.get('grantType') !== 'password') return { apiResultCode: 'A1006', apiErrorMsg: 'secret' };
      const accessToken = randomUUID().replace(/-/g, '').toUpperCase();
      tokens(host).set(accessToken, host.clock() + 7_200_000);
      return { apiResultCode: 'A1000', accessToken, expiresIn: 7200, apiResponseID: randomUUID() };
    });

    app.get('/labels/:no', (request, reply) => {
      const { no } = request.params as { no: string };
      if (request.headers['x-auth-token'] !== `label-${no}` || !courier.parcels.has(no)) return reply.code(403).send({ error: 'token' });
      return reply.header('content-type', 'application/pdf').send(plainPdf(`SF label of ${no}`));
    });

    app.post('/std/service', (request) => {
      const form = new URLSearchParams(String(request.body));
      const [partner, id, service, stamp, data] = ['partnerID', 'requestID', 'serviceCode', 'timestamp', 'msgData'].map((name) => form.get(name) ?? '') as [string, string, string, string, string];
      if ([partner, id, service, stamp, data].some((x) => x === '') || id.length > 40) return outer('A1001', 'missing parameter');
      if (partner !== settings['partnerId']) return outer('A1004', 'no right to the service');
      const digest = form.get('msgDigest');
      const token = form.get('accessToken');
      if (digest !== null ? digest !== digestOf(data, stamp, String(settings['checkword'])) : (tokens(host).get(token ?? '') ?? 0) <= host.clock()) return outer('A1006', 'bad digest');
      if (seen.has(id)) return outer('A1007', 'requestID repeated');
      seen.add(id);
      const writes = service === 'EXP_RECE_CREATE_ORDER' || service === 'EXP_RECE_UPDATE_ORDER';
      return underFaults(host, writes, { down: () => outer('A1009', 'backend down'), throttled: () => outer('A1005', 'too fast') }, () => serve(host, service, JSON.parse(data) as Data));
    });
  },
};

const known = new WeakMap<CourierHost['counts'], Map<string, number>>();
function tokens(host: CourierHost): Map<string, number> {
  let map = known.get(host.counts);
  if (!map) known.set(host.counts, (map = new Map()));
  return map;
}

const orderView = (parcel: CourierParcel) => ({ orderId: parcel.orderId, originCode: '021', destCode: '571', filterResult: 2, waybillNoInfoList: [{ waybillType: 1, waybillNo: parcel.no }], routeLabelInfo: [{ code: '1000', routeLabelData: { destRouteLabel: '571W' } }] });

function serve(host: CourierHost, service: string, data: Data): unknown {
  const { courier } = host;
  const parcel = courier.byOrder.get(String(data['orderId']));
  switch (service) {
    case 'EXP_RECE_CREATE_ORDER': {
      const contacts = data['contactInfoList'] as Data[] | undefined;
      const receiver = contacts?.find((c) => c['contactType'] === 2);
      if (!receiver || ['contact', 'tel', 'province', 'city', 'address'].some((name) => !receiver[name]) || !contacts?.some((c) => c['contactType'] === 1)) return bad('8001', 'contacts');
      if (!(data['cargoDetails'] as Data[] | undefined)?.[0]?.['name'] || !data['monthlyCard']) return bad('8002', 'cargo or monthlyCard');
      if (parcel) return bad('8016', '重复下单');
      if (receiver['province'] === '西沙') return good({ orderId: data['orderId'], filterResult: 3, waybillNoInfoList: null });
      return good(orderView(courier.issue('SF', 'sf', String(data['orderId']), { request: data })));
    }
    case 'EXP_RECE_SEARCH_ORDER_RESP': return parcel ? good(orderView(parcel)) : bad('8024', '未下单');
    case 'EXP_RECE_UPDATE_ORDER': {
      if (!parcel) return bad('8024', '未下单');
      if (data['dealType'] !== 2) return bad('8003', 'dealType');
      if (parcel.status === 'issued') parcel.status = 'cancelled';
      return parcel.status === 'cancelled' ? good({ orderId: parcel.orderId, resStatus: 2 }) : bad('8037', '已揽收');
    }
    case 'EXP_RECE_SEARCH_ROUTES': {
      const numbers = data['trackingNumber'] as string[];
      if (!data['checkPhoneNo']) return bad('20007', 'checkPhoneNo');
      return good({ routeResps: numbers.map((no) => ({ mailNo: no, routes: (courier.parcels.get(no)?.routes ?? []).map((r) => { const { acceptTime, acceptAddress, remark, opCode } = route(r, courier.parcel(no)); return { acceptTime, acceptAddress, remark, opCode }; }) })) });
    }
    case 'EXP_RECE_WANTED_INTERCEPT': {
      const wanted = courier.parcels.get(String(data['waybillNo']));
      if (!wanted || !data['serviceCode']) return bad('8250', 'waybill');
      return wanted.status === 'delivered' ? bad('8252', '已签收') : good({});
    }
    case 'COM_RECE_CLOUD_PRINT_WAYBILLS': {
      const no = String((data['documents'] as Data[] | undefined)?.[0]?.['masterWaybillNo']);
      if (!courier.parcels.has(no) || !data['templateCode']) return outer('A1000', '', { success: false, errorCode: 'BSP.OFS.00004', errorMessage: 'waybill' });
      return outer('A1000', '', { success: true, obj: { clientCode: host.settings['partnerId'], fileType: 'pdf', files: [{ url: `${host.url()}/labels/${no}`, token: `label-${no}`, waybillNo: no, pageCount: 1 }] } });
    }
    default: return outer('A1004', `no right to ${service}`);
  }
}

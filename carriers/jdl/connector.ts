import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import { MILESTONES, type TrackingStatus } from '../../domain/order/milestone.ts';
import type { Account, CarrierConnector, CarrierEvent, CarrierIo, WaybillRequest } from '../carrier.ts';
import { bag, chinaTime, inChina, list, parseJson, text, textMap, type Bag } from '../read.ts';
import { jdlSign } from './sign.ts';

const BUSY_MS = 1_000;
/** The gateway's: too fast; a passing fault (GK). */
const BUSY = new Set(['429', '1201']);
const AGAIN = new Set(['500', '502', '503', '999']);
const STATES: Readonly<Record<string, TrackingStatus>> = {
  200001: 'picked_up', 200010: 'in_transit', 200020: 'out_for_delivery', 200025: 'ready_for_pickup', 200030: 'attempt_failed', 200040: 'exception', 200050: 'returning', 200060: 'returned', 200070: 'delivered',
};

/** JD Logistics. The fulfillment order's id is the orderId, so that a repeated order is the same one. */
export function connect(account: Account, io: CarrierIo): CarrierConnector {
  const { settings, secrets } = account;
  const base = String(settings['baseUrl']).replace(/\/$/, '');
  const paths = textMap(settings['paths']);
  const own = textMap(settings['states']);
  const head = { customerCode: settings['customerCode'], orderOrigin: 1 };

  async function call(what: 'create' | 'cancel' | 'trace', args: Bag): Promise<Bag> {
    const path = paths[what] ?? `/ecap/v1/orders/${what}`;
    const body = JSON.stringify([args]);
    const [timestamp, token, appKey, algorithm] = [inChina(io.now()), secrets['accessToken'] ?? '', String(settings['appKey']), String(settings['algorithm'])];
    const sign = jdlSign(secrets['appSecret'] ?? '', algorithm, { token, appKey, path, body, timestamp });
    const query = new URLSearchParams({ 'LOP-DN': String(settings['domain']), app_key: appKey, access_token: token, timestamp, v: '2.0', sign, algorithm });
    const answer = await io.call({ family: what, method: 'POST', url: `${base}${path}?${query.toString()}`, headers: { 'content-type': 'application/json;charset=utf-8', 'lop-tz': '8' }, body });
    const given = parseJson(answer.text);
    if (given === null) throw new PartnerUnavailable(`JDL did not answer in JSON (${answer.status})`);
    const found = bag(given);
    const code = text(found['code']) ?? String(answer.status);
    if (found['success'] === true) return bag(found['data']);
    if (BUSY.has(code)) throw io.throttled(what, BUSY_MS);
    const message = `JDL ${what}: ${code} ${text(found['msg']) ?? text(found['message']) ?? ''}`.trim();
    throw AGAIN.has(code) ? new PartnerUnavailable(message) : new PartnerRefused(422, message);
  }

  return {
    async createWaybill(request) {
      const waybillNo = text((await call('create', { ...head, ...order(settings, request) }))['waybillCode']);
      if (waybillNo === null) throw new PartnerUnavailable('JDL has not given a waybill yet');
      return { waybillNo };
    },
    async cancelWaybill({ requestId, waybillNo }, reason) {
      try {
        await call('cancel', { ...head, orderId: requestId, ...(waybillNo === null ? {} : { waybillCode: waybillNo }), cancelReason: reason });
        return 'cancelled';
      } catch (error) {
        if (error instanceof PartnerRefused) return 'refused';
        throw error;
      }
    },
    async events({ waybillNo }) {
      const data = await call('trace', { ...head, waybillCode: waybillNo });
      return list(data['traceDetails']).map(bag).flatMap((t): CarrierEvent[] => {
        const [at, state, description, city] = [chinaTime(t['operationTime']), text(t['state']), text(t['operationRemark']), text(t['city'])];
        if (at === null || state === null) return [];
        const said = own[state];
        const status = said === undefined ? STATES[state] ?? 'note' : MILESTONES.find((m) => m === said) ?? 'note';
        return [{ eventId: `${waybillNo}|${at}|${state}`, waybillNo, status, source: state, occurredAt: at, ...(description === null ? {} : { description }), ...(city === null ? {} : { city }) }];
      });
    },
  };
}

function order(settings: Account['settings'], r: WaybillRequest): Bag {
  const sender = bag(settings['sender']);
  const products = textMap(settings['products']);
  if (r.cashOnDelivery && r.cashOnDelivery.currency !== 'CNY') throw new PartnerRefused(422, `JDL collects CNY only, not ${r.cashOnDelivery.currency}`);
  return {
    orderId: r.requestId, productsReq: { productCode: products[r.service] ?? Object.values(products)[0] }, settleType: 3,
    senderContact: { name: r.from.phone ? r.from.name : sender['name'], mobile: r.from.phone ?? sender['phone'], fullAddress: `${r.from.province}${r.from.city}${r.from.street ?? String(sender['street'] ?? r.from.name ?? '')}` },
    receiverContact: { name: r.to.name, mobile: r.to.phone === '' ? sender['phone'] : r.to.phone, fullAddress: `${r.to.province}${r.to.city}${r.to.district ?? ''}${r.to.street}` },
    cargoes: [{ name: '商品', quantity: 1, weight: r.weightG / 1000, volume: (r.volumeMm3 ?? 1_000_000) / 1000 }],
    ...(r.cashOnDelivery ? { addedProducts: [{ productCode: 'ed-a-0009', productAttrs: { shouldPayMoney: (r.cashOnDelivery.amount / 100).toFixed(2) } }] } : {}),
  };
}

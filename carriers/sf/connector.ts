import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import type { Account, CarrierConnector, CarrierIo, WaybillRequest } from '../carrier.ts';
import { bag, list, text, type Bag } from '../read.ts';
import { createSfClient, type SfAnswer } from './client.ts';
import { receive, routeEvent } from './push.ts';

/** SF Express. The fulfillment order's id is the orderId, so that a repeated order is the same one: it is then asked for. */
export function connect(account: Account, io: CarrierIo): CarrierConnector {
  const { settings } = account;
  const sf = createSfClient(account, io);
  const refused = (what: string, { code, message }: SfAnswer): PartnerRefused => new PartnerRefused(422, `SF ${what}: ${code} ${message}`);

  return {
    receive: (push) => receive(account, push),
    async createWaybill(request) {
      if (request.cashOnDelivery && request.cashOnDelivery.currency !== 'CNY') throw new PartnerRefused(422, `SF collects CNY only, not ${request.cashOnDelivery.currency}`);
      let answer = await sf.call('EXP_RECE_CREATE_ORDER', order(settings, request));
      if (!answer.success && answer.code === settings['existsCode']) answer = await sf.call('EXP_RECE_SEARCH_ORDER_RESP', { searchType: '1', orderId: request.requestId, language: 'zh-CN' });
      if (!answer.success) throw refused('refused the order', answer);
      if (Number(answer.data['filterResult']) === 3) throw new PartnerRefused(422, `SF does not deliver there: ${text(answer.data['remark']) ?? 'filterResult 3'}`);
      const waybillNo = list(answer.data['waybillNoInfoList']).map(bag).find((w) => Number(w['waybillType']) === 1)?.['waybillNo'];
      // filterResult 1: somebody there looks at the address first; the number comes later, under the same orderId.
      if (typeof waybillNo !== 'string' || waybillNo === '') throw new PartnerUnavailable('SF has not given a waybill yet');
      return { waybillNo };
    },
    async cancelWaybill({ requestId }) {
      const answer = await sf.call('EXP_RECE_UPDATE_ORDER', { orderId: requestId, dealType: 2, language: 'zh-CN' });
      if (!answer.success) return answer.code === settings['unknownOrderCode'] ? 'cancelled' : 'refused';
      return Number(answer.data['resStatus']) === 2 ? 'cancelled' : 'refused';
    },
    async label({ waybillNo }) {
      const answer = await sf.call('COM_RECE_CLOUD_PRINT_WAYBILLS', { templateCode: settings['template'], version: '2.0', fileType: 'pdf', sync: true, documents: [{ masterWaybillNo: waybillNo }] });
      const file = bag(list(answer.data['files'])[0]);
      const [url, token] = [text(file['url']), text(file['token'])];
      if (!answer.success || url === null) throw refused('gives no label', answer);
      return { type: 'application/pdf', bytes: await sf.download(url, token ?? '') };
    },
    async events({ waybillNo, phoneTail }) {
      const answer = await sf.call('EXP_RECE_SEARCH_ROUTES', { language: 'zh-CN', trackingType: 1, trackingNumber: [waybillNo], methodType: 1, ...(phoneTail === null ? {} : { checkPhoneNo: phoneTail }) });
      if (!answer.success) throw refused('gives no routes', answer);
      return list(answer.data['routeResps']).map(bag).flatMap((r) => list(r['routes']).flatMap((route) => routeEvent(account, text(r['mailNo']), bag(route)) ?? []));
    },
    async intercept(waybillNo) {
      const answer = await sf.call('EXP_RECE_WANTED_INTERCEPT', { ...bag(settings['intercept']), waybillNo, monthlyCardNo: settings['monthlyCard'] });
      return answer.success ? { outcome: 'accepted', reason: null } : { outcome: 'refused', reason: `${answer.code} ${answer.message}`.trim() };
    },
    ...(settings['auth'] === 'token' ? { nextToken: () => sf.nextToken() } : {}),
  };
}

function order(settings: Account['settings'], r: WaybillRequest): Bag {
  const sender = bag(settings['sender']);
  const services = bag(settings['services']);
  return {
    language: 'zh-CN', orderId: r.requestId, monthlyCard: settings['monthlyCard'], payMethod: 1, expressTypeId: services[r.service] ?? Object.values(services)[0] ?? 2, parcelQty: 1, totalWeight: r.weightG / 1000,
    isDocall: 0, isReturnRoutelabel: 1, cargoDetails: [{ name: settings['cargo'], count: 1 }],
    contactInfoList: [
      { contactType: 1, contact: r.from.phone ? r.from.name : sender['name'], tel: r.from.phone ?? sender['phone'], country: r.from.country ?? 'CN', province: r.from.province, city: r.from.city, address: r.from.street ?? sender['street'] ?? r.from.name ?? r.from.city },
      { contactType: 2, contact: r.to.name, tel: r.to.phone === '' ? sender['phone'] : r.to.phone, country: r.to.country, province: r.to.province, city: r.to.city, ...(r.to.district === undefined ? {} : { county: r.to.district }), address: r.to.street },
    ],
    // 代收货款: the amount in yuan, to the monthly account.
    ...(r.cashOnDelivery ? { serviceList: [{ name: 'COD', value: (r.cashOnDelivery.amount / 100).toFixed(2), value1: settings['monthlyCard'] }] } : {}),
  };
}

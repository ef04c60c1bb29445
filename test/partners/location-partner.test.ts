import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PartnerRefused, PartnerUnavailable, type HttpAnswer, type HttpRequest } from '../../domain/http-port.ts';
import { createLocationPartner, type ReleaseMessage } from '../../partners/location-partner.ts';
import { createHttp } from '../../workers/http.ts';
import { startWms, type Simulator, type WmsOptions } from '../../simulators/wms/start-wms.ts';
import { FakeTributary, plain, polled, SECRET, signed } from '../simulators/support/fake-tributary.ts';

const order = (changes: Partial<ReleaseMessage> = {}): ReleaseMessage => ({
  fulfillmentOrderId: `ful_${randomUUID()}`, orderId: 'ord_1', locationCode: 'SH-01', priority: 3, shipBy: '2026-11-23T09:00:00.000Z', carrier: 'sim', waybillNo: 'W-1',
  shipTo: { name: '王小明', phone: '13800000000', country: 'CN', province: '上海', city: '上海', district: '浦东', street: '1 Example Road', postcode: '200000' },
  lines: [{ lineNo: 1, sku: 'TEE-M', quantity: 2 }, { lineNo: 2, sku: 'CAP', quantity: 1, gift: true }], buyerRemark: '请快', sellerRemark: 'ok',
  cashOnDelivery: { amount: 1880, currency: 'CNY' }, ...changes,
});
const failure = (promise: Promise<unknown>): Promise<unknown> => promise.then((value) => value, (error: unknown) => error);

describe('against the WMS simulator, which was written apart from it', () => {
  let tributary: FakeTributary;
  let wms: Simulator;
  beforeEach(async () => { tributary = await new FakeTributary().listen(); });
  afterEach(async () => {
    await wms.close();
    await tributary.close();
  });
  async function start(options: Partial<WmsOptions> = {}): Promise<ReturnType<typeof createLocationPartner>> {
    wms = await startWms({ tributaryUrl: tributary.url, apiKey: 'key-1', secret: SECRET, speed: 1, ...options });
    return createLocationPartner(createHttp(), `${wms.url}/`, SECRET);
  }
  const at = async (id: string): Promise<unknown> => (await signed(wms.url, 'GET', `/v1/fulfillment-orders/${id}`)).body['status'];

  it('a signed release is taken; the same again gives the same answer, and is one order', async () => {
    const partner = await start();
    const message = order();
    const first = await partner.release(message);
    expect(first).toEqual({ partnerRef: expect.stringMatching(/^W[0-9A-Z]{11}$/) as string });
    expect(await Promise.all(Array.from({ length: 5 }, () => partner.release(message)))).toEqual(Array.from({ length: 5 }, () => first));
    expect((await plain(wms.url, 'GET', '/_control/stats')).body).toMatchObject({ open: 1 });
    expect(await at(message.fulfillmentOrderId)).toBe('received');
  });

  it('a bare message without any of the optional fields is taken too', async () => {
    const partner = await start();
    const { carrier: _c, waybillNo: _w, buyerRemark: _b, sellerRemark: _s, cashOnDelivery: _d, ...bare } = order();
    expect(await partner.release(bare)).toHaveProperty('partnerRef');
  });

  it('a reminder is taken for an order that is there; one that is not, or no such call, says so', async () => {
    const partner = await start();
    const message = order();
    await partner.release(message);
    const at = '2026-11-23T09:10:00.000Z';
    expect([await partner.remind(message.fulfillmentOrderId, at), await partner.remind('ful_none', at)]).toEqual([true, false]);
    expect((await signed(wms.url, 'POST', `/v1/fulfillment-orders/${message.fulfillmentOrderId}/remind`, { rerouteAt: 'soon' })).status).toBe(400);
    expect((await plain(wms.url, 'POST', `/v1/fulfillment-orders/${message.fulfillmentOrderId}/remind`, { rerouteAt: at })).status).toBe(401);
  });

  it('another body under the same id is refused for good', async () => {
    const partner = await start();
    const message = order();
    await partner.release(message);
    const refused = await failure(partner.release({ ...message, priority: 9 }));
    expect(refused).toBeInstanceOf(PartnerRefused);
    expect(refused).toMatchObject({ status: 409, message: 'the location refused the order (409)' });
  });

  it('a wrong secret, a clock far off and no signature at all are refused, and nothing is taken', async () => {
    await start();
    const message = order();
    for (const wrong of [
      createLocationPartner(createHttp(), wms.url, 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
      createLocationPartner(createHttp(10_000, () => Date.now() - 400_000), wms.url, SECRET),
      createLocationPartner(createHttp(), wms.url, null),
    ]) {
      expect(await failure(wrong.release(message))).toMatchObject({ name: 'PartnerRefused', status: 401 });
      expect(await failure(wrong.cancel(message.fulfillmentOrderId, 'no'))).toMatchObject({ name: 'PartnerRefused', status: 401 });
    }
    expect(await at(message.fulfillmentOrderId)).toBeUndefined();
  });

  it('cancels what has not been packed, again and again; what it never got counts as cancelled', async () => {
    const partner = await start();
    const message = order();
    await partner.release(message);
    expect(await partner.cancel(message.fulfillmentOrderId, 'the customer 改主意')).toEqual({ outcome: 'cancelled', reason: null });
    expect(await partner.cancel(message.fulfillmentOrderId, 'again')).toEqual({ outcome: 'cancelled', reason: null });
    expect(await at(message.fulfillmentOrderId)).toBe('cancelled');
    expect(await partner.cancel('ful_never', 'x')).toEqual({ outcome: 'cancelled', reason: null });
  });

  it('hears when a cancellation comes too late', async () => {
    const partner = await start({ speed: 100_000 });
    const message = order();
    await partner.release(message);
    await tributary.until(() => tributary.types(message.fulfillmentOrderId).includes('goods_issue'));
    expect(await partner.cancel(message.fulfillmentOrderId, 'too late')).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(/^(packed|handed_over)$/) as string });
  });

  it('a location in trouble is unavailable, not refusing: 5xx', async () => {
    const partner = await start();
    const message = order();
    await partner.release(message);
    await plain(wms.url, 'PUT', '/_control/faults', { error500: { rate: 1 } });
    expect(await failure(partner.release(message))).toBeInstanceOf(PartnerUnavailable);
    expect(await failure(partner.cancel(message.fulfillmentOrderId, 'x'))).toBeInstanceOf(PartnerUnavailable);
    await plain(wms.url, 'PUT', '/_control/faults', {});
    expect(await partner.release(message)).toHaveProperty('partnerRef');
  });

  it('tells its stock, page after page, less what has left; a location without any refuses', async () => {
    const partner = await start({ speed: 100_000 });
    const many = Object.fromEntries(Array.from({ length: 2500 }, (_, i) => [`S-${String(i).padStart(4, '0')}`, i]));
    await plain(wms.url, 'PUT', '/_control/stock', { 'SH-01': { ...many, 'TEE-M': 10, CAP: 1 }, 'BJ-01': { CAP: 7 } });
    const before = await partner.pullSnapshot('SH-01', 'stock-1');
    expect(before.lines).toEqual([{ sku: 'CAP', condition: 'sellable', quantity: 1 }, ...Object.entries(many).map(([sku, quantity]) => ({ sku, condition: 'sellable', quantity })), { sku: 'TEE-M', condition: 'sellable', quantity: 10 }]);
    const message = order();
    await partner.release(message);
    await tributary.until(() => tributary.types(message.fulfillmentOrderId).includes('goods_issue'));
    await polled(async () => (await plain(wms.url, 'GET', '/_control/stats')).body, (now) => now['open'] === 0);
    const after = await partner.pullSnapshot('SH-01', 'stock-2');
    expect([after.lines[0], after.lines.at(-1)]).toEqual([{ sku: 'CAP', condition: 'sellable', quantity: 0 }, { sku: 'TEE-M', condition: 'sellable', quantity: 8 }]);
    expect(Date.parse(after.takenAt)).toBeGreaterThanOrEqual(Date.parse(before.takenAt));
    expect((await partner.pullSnapshot('BJ-01', 'stock-3')).lines).toEqual([{ sku: 'CAP', condition: 'sellable', quantity: 7 }]);
    expect(await failure(partner.pullSnapshot('XX-01', 'stock-4'))).toMatchObject({ name: 'PartnerRefused', status: 404 });
    expect(await failure(createLocationPartner(createHttp(), wms.url, null).pullSnapshot('BJ-01', 'stock-5'))).toMatchObject({ name: 'PartnerRefused', status: 401 });
  });
});

describe('what it sends, and what it makes of answers', () => {
  const requests: HttpRequest[] = [];
  const answering = (answer: HttpAnswer) => createLocationPartner((request) => {
    requests.push(request);
    return Promise.resolve(answer);
  }, 'http://wms.test/base/', 'whsec_AA');
  beforeEach(() => { requests.length = 0; });

  it('every request of one order keeps its message id, so that a retry is known as one', async () => {
    const partner = answering({ status: 201, body: { partnerRef: 'P-1' } });
    const message = order({ fulfillmentOrderId: 'ful_1' });
    await partner.release(message);
    await partner.release(message);
    await answering({ status: 200, body: { outcome: 'refused', reason: 'packed' } }).cancel('ful_1', 'why');
    expect(requests).toEqual([
      { method: 'POST', url: 'http://wms.test/base/v1/fulfillment-orders', body: message, secret: 'whsec_AA', messageId: 'release-ful_1' },
      { method: 'POST', url: 'http://wms.test/base/v1/fulfillment-orders', body: message, secret: 'whsec_AA', messageId: 'release-ful_1' },
      { method: 'POST', url: 'http://wms.test/base/v1/fulfillment-orders/ful_1/cancel', body: { reason: 'why' }, secret: 'whsec_AA', messageId: 'cancel-ful_1' },
    ]);
  });

  it.each([[201, null], [200, {}], [200, { partnerRef: 7 }], [200, { text: '<html>' }], [204, null], [302, null], [400, {}], [404, {}]])('release: %i %j is no acceptance', async (status, body) => {
    expect(await failure(answering({ status, body }).release(order()))).toMatchObject({ name: 'PartnerRefused', status });
  });

  it.each([[200, {}], [200, { outcome: 'perhaps' }], [201, { outcome: 'cancelled' }], [302, null], [409, { outcome: 'cancelled' }]])('cancel: %i %j is no answer to go by', async (status, body) => {
    expect(await failure(answering({ status, body }).cancel('ful_1', 'x'))).toMatchObject({ name: 'PartnerRefused', status });
  });

  it('passes on that nobody was reached', async () => {
    const partner = createLocationPartner(() => Promise.reject(new PartnerUnavailable('gone')), 'http://wms.test', null);
    await expect(partner.release(order())).rejects.toThrow(PartnerUnavailable);
    await expect(partner.cancel('ful_1', 'x')).rejects.toThrow(PartnerUnavailable);
  });
});

import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CarrierIo, WaybillRequest } from '../../../carriers/carrier.ts';
import { connect } from '../../../carriers/generic/connector.ts';
import type { Http } from '../../../domain/http-port.ts';
import { PartnerUnavailable, type HttpAnswer, type HttpRequest } from '../../../domain/http-port.ts';
import { createHttp } from '../../../workers/http.ts';
import { startCarrier, type CarrierOptions, type Simulator } from '../../../simulators/carrier/start-carrier.ts';
import { FakeTributary, plain, SECRET } from '../../simulators/support/fake-tributary.ts';

const parcel = (changes: Partial<WaybillRequest> = {}): WaybillRequest => ({
  requestId: `ful_${randomUUID()}`, service: 'standard', from: { city: '上海', province: '上海' },
  to: { name: '王小明', phone: '13800000000', country: 'CN', province: '浙江', city: '杭州', street: '1 Example Road' }, weightG: 800, ...changes,
});
/** The connector over an Http port, as a carrier that is known by its address alone gets it. */
function generic(http: Http, baseUrl: string, secret: string | null) {
  const c = connect({ code: 'sim', settings: { baseUrl }, secrets: secret === null ? {} : { secret } }, { signed: http } as CarrierIo);
  const draft = { kept: null, keep: (text: string) => Promise.resolve(text) };
  return {
    createWaybill: (request: WaybillRequest) => c.createWaybill!(request, draft), cancelWaybill: (waybillNo: string, reason: string) => c.cancelWaybill!({ requestId: 'r', waybillNo, carrier: 'sim', draft: null }, reason),
    events: (waybillNo: string) => c.events!({ carrier: 'sim', waybillNo, phoneTail: null }), intercept: c.intercept!,
  };
}
const failure = (promise: Promise<unknown>): Promise<unknown> => promise.then((value) => value, (error: unknown) => error);

describe('against the carrier simulator, which was written apart from it', () => {
  let tributary: FakeTributary;
  let sim: Simulator;
  beforeEach(async () => { tributary = await new FakeTributary().listen(); });
  afterEach(async () => {
    await sim.close();
    await tributary.close();
  });
  async function start(options: Partial<CarrierOptions> = {}): Promise<ReturnType<typeof generic>> {
    sim = await startCarrier({ tributaryUrl: tributary.url, apiKey: 'key-1', secret: SECRET, speed: 1, ...options });
    return generic(createHttp(), sim.url, SECRET);
  }
  const pickUp = (no: string) => plain(sim.url, 'POST', `/v1/waybills/${no}/pickup`, { weightG: 800 });
  const stats = async () => (await plain(sim.url, 'GET', '/_control/stats')).body;

  it('issues a waybill, the same one for the same request, however often and at once', async () => {
    const carrier = await start();
    const request = parcel();
    const first = await carrier.createWaybill(request);
    expect(first.waybillNo).toMatch(/^SIM/);
    expect(await Promise.all(Array.from({ length: 5 }, () => carrier.createWaybill(request)))).toEqual(Array.from({ length: 5 }, () => first));
    expect((await carrier.createWaybill(parcel())).waybillNo).not.toBe(first.waybillNo);
    expect(await carrier.createWaybill(parcel({ cashOnDelivery: { amount: 1, currency: 'CNY' } }))).toHaveProperty('waybillNo');
    expect(await stats()).toMatchObject({ byStatus: { issued: 3 } });
  });

  it('a wrong secret, a clock far off and no signature at all are refused, and nothing is issued', async () => {
    await start();
    for (const wrong of [
      generic(createHttp(), sim.url, 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
      generic(createHttp(10_000, () => Date.now() + 400_000), sim.url, SECRET),
      generic(createHttp(), sim.url, null),
    ]) {
      expect(await failure(wrong.createWaybill(parcel()))).toMatchObject({ name: 'PartnerRefused', status: 401 });
      expect(await failure(wrong.cancelWaybill('SIM1', 'x'))).toMatchObject({ name: 'PartnerRefused', status: 401 });
      expect(await failure(wrong.intercept('SIM1', 'r', 'x'))).toMatchObject({ name: 'PartnerRefused', status: 401 });
    }
    expect(await stats()).toHaveProperty('byStatus', {});
  });

  it('takes back a waybill that was not picked up, again and again; an unknown one is as good as cancelled', async () => {
    const carrier = await start();
    const { waybillNo } = await carrier.createWaybill(parcel());
    expect(await carrier.cancelWaybill(waybillNo, 'not needed')).toBe('cancelled');
    expect(await carrier.cancelWaybill(waybillNo, 'not needed')).toBe('cancelled');
    expect(await pickUp(waybillNo)).toMatchObject({ status: 409 });
    expect(await carrier.cancelWaybill('NO/SUCH waybill', 'x')).toBe('cancelled');
  });

  it('hears that a parcel was picked up already', async () => {
    const carrier = await start();
    const { waybillNo } = await carrier.createWaybill(parcel());
    expect(await pickUp(waybillNo)).toMatchObject({ status: 200 });
    expect(await carrier.cancelWaybill(waybillNo, 'too late')).toBe('refused');
  });

  it('turns a parcel round, one interception however often it is asked for, and it comes back', async () => {
    const carrier = await start({ speed: 10_000_000 });
    const { waybillNo } = await carrier.createWaybill(parcel());
    expect(await carrier.intercept(waybillNo, 'refund-1', 'refunded')).toEqual({ outcome: 'accepted', reason: null });
    expect(await carrier.intercept(waybillNo, 'refund-1', 'refunded')).toEqual({ outcome: 'accepted', reason: null });
    await pickUp(waybillNo);
    await tributary.until(() => tributary.tracking(waybillNo).some((e) => e['status'] === 'returned'));
    expect(new Set(tributary.tracking(waybillNo).map((e) => e['status']))).toEqual(new Set(['picked_up', 'returning', 'returned']));
  });

  it('hears that it is too late to turn round', async () => {
    const carrier = await start({ speed: 10_000_000 });
    const { waybillNo } = await carrier.createWaybill(parcel());
    await pickUp(waybillNo);
    await tributary.until(() => tributary.tracking(waybillNo).some((e) => e['status'] === 'delivered'));
    expect(await carrier.intercept(waybillNo, 'refund-1', 'refunded')).toEqual({ outcome: 'refused', reason: 'delivered' });
    // A parcel that there is none to turn round is no answer to go by.
    expect(await failure(carrier.intercept('NONE', 'refund-1', 'x'))).toMatchObject({ name: 'PartnerRefused', status: 404 });
  });

  it('a carrier in trouble is unavailable, not refusing', async () => {
    const carrier = await start();
    const { waybillNo } = await carrier.createWaybill(parcel());
    await plain(sim.url, 'PUT', '/_control/faults', { error500: { rate: 1 } });
    expect(await failure(carrier.createWaybill(parcel()))).toBeInstanceOf(PartnerUnavailable);
    expect(await failure(carrier.intercept(waybillNo, 'r', 'x'))).toBeInstanceOf(PartnerUnavailable);
    expect(await failure(carrier.cancelWaybill(waybillNo, 'x'))).toBeInstanceOf(PartnerUnavailable);
  });
});

describe('what it sends, and what it makes of answers', () => {
  const requests: HttpRequest[] = [];
  const answering = (answer: HttpAnswer) => generic((request) => {
    requests.push(request);
    return Promise.resolve(answer);
  }, 'http://carrier.test/', null);
  beforeEach(() => { requests.length = 0; });

  it('keeps one message id for each thing asked, and escapes what stands in an address', async () => {
    const request = parcel({ requestId: 'ful_1' });
    await answering({ status: 201, body: { waybillNo: 'W 1/2' } }).createWaybill(request);
    await answering({ status: 200, body: { outcome: 'cancelled' } }).cancelWaybill('W 1/2', 'why');
    await answering({ status: 200, body: { outcome: 'accepted' } }).intercept('W 1/2', 'r-1', 'why');
    expect(requests).toEqual([
      { method: 'POST', url: 'http://carrier.test/v1/waybills', body: request, secret: null, messageId: 'waybill-ful_1' },
      { method: 'POST', url: 'http://carrier.test/v1/waybills/W%201%2F2/cancel', body: { reason: 'why' }, secret: null, messageId: 'cancel-W 1/2' },
      { method: 'POST', url: 'http://carrier.test/v1/waybills/W%201%2F2/intercept', body: { requestId: 'r-1', reason: 'why' }, secret: null, messageId: 'intercept-r-1' },
    ]);
  });

  it.each([[201, null], [200, {}], [200, { waybillNo: 7 }], [302, null], [400, {}], [409, {}]])('waybill: %i %j is no waybill', async (status, body) => {
    expect(await failure(answering({ status, body }).createWaybill(parcel()))).toMatchObject({ name: 'PartnerRefused', status });
  });

  it.each([[200, {}], [200, { outcome: 'perhaps' }], [302, null], [409, {}]])('cancel and intercept: %i %j is no answer to go by', async (status, body) => {
    expect(await failure(answering({ status, body }).cancelWaybill('W', 'x'))).toMatchObject({ name: 'PartnerRefused', status });
    expect(await failure(answering({ status, body }).intercept('W', 'r', 'x'))).toMatchObject({ name: 'PartnerRefused', status });
  });
});

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { decodeId } from '../../../domain/ids.ts';
import type { HttpAnswer, HttpRequest } from '../../../domain/http-port.ts';
import { TestApi } from '../../support/api.ts';
import { defaultAnswer } from '../../support/world.ts';

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.open({ stock: 50 });
  await api.world.store.pool.query(`insert into carriers (code, name, base_url) values ('dear', 'a dearer carrier', 'http://dear.test'), ('small', 'letters only', 'http://small.test')`);
  await api.world.store.pool.query(`insert into carrier_rates select 'dear', zone, first_weight_g, first_cost + 500, step_g, step_cost, transit_days from carrier_rates where carrier = 'sim'`);
  await api.world.store.pool.query(`insert into carrier_rates (carrier, zone, first_weight_g, first_cost, step_g, step_cost, transit_days, max_weight_g) values ('small', 'same_city', 1000, 900, 500, 100, 1, 1)`);
  await api.world.store.network.reload();
});
afterEach(async () => {
  api.world.partners.answer = defaultAnswer;
  expect((await runAudit(api.world.store.pool)).violations).toEqual([]);
});
afterAll(async () => { await api.close(); });

const refusedBy = (...hosts: string[]) => (request: HttpRequest): HttpAnswer => (hosts.some((h) => request.url.startsWith(`http://${h}.test`)) && request.url.endsWith('/v1/waybills') ? { status: 422, body: { code: 'address_not_served' } } : defaultAnswer(request));
async function shipped(): Promise<string> {
  const { id } = await api.world.capture({ channel: 'own', lines: [{ sku: 'SKU-1', quantity: 1, unitPrice: 1000 }] });
  await api.advance(id);
  return id;
}
const carrierOf = (id: string) => api.world.one<{ carrier: string; tried: string[]; waybill: string | null; status: string }>(
  'select carrier, carriers_tried tried, waybill_no waybill, status from fulfillment_orders where order_id = $1 order by id limit 1', decodeId('ord', id));

test('the cheapest carrier has the parcel, and nobody else is asked', async () => {
  const id = await shipped();
  expect(await carrierOf(id)).toMatchObject({ carrier: 'sim', tried: [], status: 'released' });
});

test('a carrier that refuses makes room for the next one that takes the weight; the location is told of that one', async () => {
  api.world.partners.answer = refusedBy('carrier');
  const id = await shipped();
  expect(await carrierOf(id)).toMatchObject({ carrier: 'dear', tried: ['sim'], status: 'released', waybill: expect.stringMatching(/^W-/) as string });
  expect((await api.world.events(id)).filter((e) => e === 'fulfillment.carrier_changed')).toHaveLength(1);
  expect(api.world.partners.to('/fulfillment-orders').at(-1)?.body).toMatchObject({ carrier: 'dear' });
});

test('when all refuse, the location is not told, and the order goes the way of a refused release', async () => {
  api.world.partners.answer = refusedBy('carrier', 'dear');
  const told = (): number => api.world.partners.requests.filter((r) => r.url.endsWith('/fulfillment-orders')).length;
  const before = told();
  const { id } = await api.world.capture({ channel: 'own', lines: [{ sku: 'SKU-2', quantity: 1, unitPrice: 1000 }] });
  await api.advance(id);
  expect(await carrierOf(id)).toMatchObject({ carrier: 'dear', tried: ['sim'], status: 'rejected', waybill: null });
  expect(told()).toBe(before);
});

test('a carrier that an operator has forced is not exchanged', async () => {
  api.world.partners.answer = refusedBy('carrier');
  const { id } = await api.world.capture({ channel: 'own', lines: [{ sku: 'SKU-3', quantity: 1, unitPrice: 1000 }] });
  await api.world.store.pool.query(`update orders set forced_carrier = 'sim' where id = $1`, [decodeId('ord', id)]);
  await api.advance(id);
  expect(await carrierOf(id)).toMatchObject({ carrier: 'sim', tried: [], status: 'rejected' });
});

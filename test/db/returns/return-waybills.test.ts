import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createCarrierTending } from '../../../activities/carriers/tend.ts';
import { authoriseReturn, endReturn, requestReturn } from '../../../db/returns/returns.ts';
import { PartnerUnavailable, type HttpRequest } from '../../../domain/http-port.ts';
import { decodeId } from '../../../domain/ids.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { TestApi } from '../../support/api.ts';
import { defaultAnswer } from '../../support/world.ts';

let api: TestApi;
let id: string;
let rma: string;
beforeAll(async () => {
  api = await TestApi.open({ stock: 500 });
  // Asked before the other one, "sim".
  await api.world.store.pool.query(`insert into carriers (code, name, base_url) values ('early', 'first by its name', 'http://early.test')`);
  await api.world.store.network.reload();
});
beforeEach(async () => {
  id = await api.order();
  await api.deliver(id);
  rma = await requestReturn(api.world.store.writer, decodeId('ord', id) as string, { kind: 'refund', reason: 'too small', method: 'label', lines: [{ line: 1, quantity: 1 }] }, null, 'key:test');
});
afterEach(async () => {
  api.world.partners.answer = defaultAnswer;
  await tend(); // nothing is left for the next test
});
afterAll(async () => { await api.close(); });

const step = (n = 1): Promise<unknown> => new MockActivityEnvironment({ attempt: n }).run(() => api.world.activities(null).return({ orderId: id }));
const tend = () => createCarrierTending({ ...api.world.store, http: api.world.partners.http, raw: api.world.raw }, createLogger('test', 'silent')).settleWaybills();
const end = (as: 'refused' | 'cancelled') => endReturn(api.world.store.writer, rma, as, 'kept', 'key:test');
const asksFor = (r: HttpRequest, carrier: 'early' | 'carrier'): boolean => r.url === `http://${carrier}.test/v1/waybills`;
const asked = (carrier: 'early' | 'carrier'): number => api.world.partners.requests.filter((r) => asksFor(r, carrier) && (r.body as { requestId: string }).requestId === rma).length;
const rows = async (): Promise<unknown[]> => (await api.world.store.pool.query<{ row: string }>(`select concat_ws(' ', carrier, state, waybill_no) "row" from waybills where request_id = $1 order by carrier`, [rma])).rows.map((r) => r.row);
const now = () => api.world.one<{ status: string; carrier: string | null; no: string | null }>('select status, carrier, waybill_no no from returns where id = $1', decodeId('rma', rma));

test.each(['refused', 'cancelled'] as const)('%s after it was authorised: its number is taken back', async (as) => {
  await step();
  expect([await now(), await rows()]).toEqual([{ status: 'authorised', carrier: 'early', no: `W-${rma}` }, [`early issued W-${rma}`]]);
  await end(as);
  expect(await rows()).toEqual([`early void W-${rma}`]);
  expect([await tend(), await rows(), api.world.partners.to(`/waybills/W-${rma}/cancel`).map((r) => r.url)]).toEqual([1, [`early cancelled W-${rma}`], [`http://early.test/v1/waybills/W-${rma}/cancel`]]);
});

test('who refuses makes room for the next', async () => {
  api.world.partners.answer = (r) => (asksFor(r, 'early') ? { status: 422, body: { code: 'no' } } : defaultAnswer(r));
  await step();
  expect([await now(), await rows()]).toEqual([{ status: 'authorised', carrier: 'sim', no: `W-${rma}` }, ['early void', `sim issued W-${rma}`]]);
});

test('whose answer is lost in all tries makes room for the next, and is not asked again when that one has to be', async () => {
  api.world.partners.answer = (r) => {
    if (asksFor(r, 'early')) throw new PartnerUnavailable('no answer');
    return defaultAnswer(r);
  };
  await expect(step(5)).rejects.toThrow('no answer');
  expect([await now(), await rows(), asked('early'), asked('carrier')]).toEqual([{ status: 'requested', carrier: null, no: null }, ['early asked'], 1, 0]);
  // Killed while the next one is asked.
  api.world.partners.answer = (r) => {
    if (asksFor(r, 'early')) throw new PartnerUnavailable('no answer');
    if (asksFor(r, 'carrier')) throw new Error('killed');
    return defaultAnswer(r);
  };
  await expect(step(6)).rejects.toThrow('killed');
  expect([await rows(), asked('early'), asked('carrier')]).toEqual([['early void', 'sim asked'], 2, 1]);
  api.world.partners.answer = defaultAnswer;
  await step(7);
  expect([await now(), await rows(), asked('early'), asked('carrier')]).toEqual([{ status: 'authorised', carrier: 'sim', no: `W-${rma}` }, ['early void', `sim issued W-${rma}`], 2, 2]);
});

test.each(['answered', 'lost'])('cancelled while a carrier is giving its number, and the answer is %s: it is taken back', async (how) => {
  const { pool } = api.world.store;
  api.world.partners.answer = async (r) => {
    if (!asksFor(r, 'early')) return defaultAnswer(r);
    // As if it had been asked only now, by a try that had begun before.
    const { rows: [row] } = await pool.query('delete from waybills where request_id = $1 returning *', [rma]);
    await end('cancelled');
    await pool.query('insert into waybills select * from jsonb_populate_record(null::waybills, $1)', [JSON.stringify(row)]);
    if (how === 'lost') throw new PartnerUnavailable('no answer');
    return defaultAnswer(r);
  };
  await (how === 'lost' ? expect(step()).rejects.toThrow('no answer') : step());
  expect([await now(), await rows()]).toEqual([{ status: 'cancelled', carrier: null, no: null }, [how === 'lost' ? 'early void' : `early void W-${rma}`]]);
});

test('authorised twice, the number that stands is not taken back', async () => {
  await step();
  const place = { locationId: api.world.locationId('L-1'), carrier: 'early', waybillNo: `W-${rma}` };
  await authoriseReturn(api.world.store.writer, rma, place, 'system');
  await authoriseReturn(api.world.store.writer, rma, { ...place, waybillNo: 'OTHER' }, 'system');
  expect([await now(), await rows()]).toEqual([{ status: 'authorised', carrier: 'early', no: `W-${rma}` }, [`early issued W-${rma}`]]);
});

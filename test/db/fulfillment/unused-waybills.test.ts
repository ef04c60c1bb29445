import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createCarrierTending } from '../../../activities/carriers/tend.ts';
import { abandonWaybill, askWaybill, takeDueWaybills, voidWaybills, waybillEnded, waybillIssued } from '../../../db/carriers/waybills.ts';
import { recordWaybill } from '../../../db/fulfillment/release.ts';
import { cancelOrder } from '../../../db/orders/cancel-order.ts';
import { requestRefund } from '../../../db/orders/refund-request.ts';
import { decodeId } from '../../../domain/ids.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { advance } from '../../support/advance.ts';
import { defaultAnswer, World, type Fulfillment } from '../../support/world.ts';

let world: World;
beforeAll(async () => { world = await World.create({ locations: 1, stock: 500 }); });
afterEach(async () => {
  world.partners.answer = defaultAnswer;
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});
afterAll(async () => { await world.close(); });

const uuid = (id: string): string => decodeId('ord', id) as string;
const refund = (id: string) => requestRefund(world.store.writer, uuid(id), 'changed their mind', 'key:test');
const tend = () => createCarrierTending({ ...world.store, http: world.partners.http, raw: world.raw }, createLogger('test', 'silent')).settleWaybills();
const waybill = (f: Fulfillment) => world.one<{ state: string; no: string | null; error: string | null }>('select state, waybill_no no, error from waybills where request_id = $1', f.id);
const asked = (no: string): number => world.partners.to(`/waybills/${no}/cancel`).length;
async function order(before?: 'ship'): Promise<{ id: string; f: Fulfillment }> {
  const { id } = await world.capture();
  await advance(world, id, before);
  return { id, f: (await world.fulfillments(id))[0]! };
}

test.each([
  ['odd', { status: 409, body: { code: 'manifested' } }, { state: 'kept', error: 'the carrier did not cancel the waybill (409)' }],
  ['no', { status: 200, body: { outcome: 'refused' } }, { state: 'kept', error: 'the carrier would not take it back' }],
  ['yes', { status: 200, body: { outcome: 'cancelled' } }, { state: 'cancelled', error: null }],
])('the location agrees to a cancellation: whatever the carrier says (%s), it is cancelled and refunded', async (_, answer, ended) => {
  world.partners.answer = (r) => (r.url.includes('/waybills/') && r.url.endsWith('/cancel') ? answer : defaultAnswer(r));
  const { id, f } = await order();
  await world.tell(f, { type: 'accepted' });
  expect(await cancelOrder(world.store.writer, uuid(id), 'buyer', 'key:test')).toBe('asked');
  await advance(world, id);
  expect([await world.status(id), await world.refunds(id), asked(f.waybillNo!)]).toEqual(['cancelled', [['cancellation', 2800]], 0]);
  expect(await world.events(id)).not.toContain('order.cancel_refused');
  await tend();
  expect([await waybill(f), asked(f.waybillNo!)]).toEqual([{ no: f.waybillNo, ...ended }, 1]);
});

test.each(['refused', 'unreachable'])('a refund before goods issue, the location %s: the number goes back all the same', async (how) => {
  const { id, f } = await order();
  await world.tell(f, { type: 'packed', parcels: [] });
  world.partners.answer = (r) => (r.url.includes(`/fulfillment-orders/${f.id}/cancel`) ? how === 'refused' ? { status: 200, body: { outcome: 'refused', reason: 'packed' } } : { status: 418, body: {} } : defaultAnswer(r));
  await refund(id);
  await advance(world, id);
  expect([await world.status(id), (await waybill(f)).state]).toEqual(['cancelled', 'void']);
  await tend();
  await tend();
  expect([(await waybill(f)).state, asked(f.waybillNo!)]).toEqual(['cancelled', 1]);
});

test('killed between question and answer, then cancelled: nothing stays asked for', async () => {
  const { id, f } = await order('ship');
  world.partners.answer = (r) => { if (r.url.endsWith('/v1/waybills')) throw new Error('killed'); return defaultAnswer(r); };
  await expect(world.activities(null).ship({ orderId: id, fulfillmentOrderId: f.id })).rejects.toThrow('killed');
  expect(await waybill(f)).toEqual({ state: 'asked', no: null, error: null });
  await refund(id);
  expect((await waybill(f)).state).toBe('void');
  // The try after the crash finds nothing to do.
  world.partners.answer = defaultAnswer;
  await world.activities(null).ship({ orderId: id, fulfillmentOrderId: f.id });
  expect([(await waybill(f)).state, world.partners.to('/v1/waybills').filter((r) => (r.body as { requestId?: string }).requestId === f.id).length]).toEqual(['void', 1]);
});

test.each(['cancelled', 'cancelled and tended'])('%s while the carrier is giving the number: it is taken back by that number', async (when) => {
  const { id, f } = await order('ship');
  world.partners.answer = async (r) => {
    if (r.url.endsWith('/v1/waybills')) {
      await refund(id);
      if (when !== 'cancelled') {
        await tend();
        expect((await waybill(f)).state).toBe('kept'); // by its number only, and none was known
      }
    }
    return defaultAnswer(r);
  };
  await world.activities(null).ship({ orderId: id, fulfillmentOrderId: f.id });
  expect(await waybill(f)).toMatchObject({ state: 'void', no: `W-${f.id}` });
  await tend();
  expect([(await waybill(f)).state, asked(`W-${f.id}`)]).toEqual(['cancelled', 1]);
});

test('a number that comes between being looked at and being worked on stays due, and is taken back by itself', async () => {
  await tend();
  const { id, f } = await order('ship');
  const { pool, writer } = world.store;
  const key = { account: 'sim', requestId: f.id, carrier: 'sim' };
  await askWaybill(pool, key, uuid(id), world.now);
  await abandonWaybill(pool, key, world.now);
  const [looked, ...others] = await takeDueWaybills(pool, world.now, 20);
  expect([looked, others]).toMatchObject([{ ...key, state: 'void', waybillNo: null }, []]);
  await writer.change((tx) => waybillIssued(tx, key, `W-${f.id}`, 'none'));
  await waybillEnded(pool, looked!, 'kept', 'none was received', world.now);
  expect([await waybill(f), asked(`W-${f.id}`)]).toEqual([{ state: 'void', no: `W-${f.id}`, error: null }, 0]);
  expect([await tend(), await waybill(f), asked(`W-${f.id}`)]).toEqual([1, { state: 'cancelled', no: `W-${f.id}`, error: null }, 1]);
});

test('asked for only after it was cancelled, by a try that had begun before: the same', async () => {
  const { id, f } = await order('ship');
  const { pool } = world.store;
  world.partners.answer = async (r) => {
    if (r.url.endsWith('/v1/waybills')) {
      const { rows: [row] } = await pool.query('delete from waybills where request_id = $1 returning *', [f.id]);
      await refund(id);
      await pool.query('insert into waybills select * from jsonb_populate_record(null::waybills, $1)', [JSON.stringify(row)]);
    }
    return defaultAnswer(r);
  };
  await world.activities(null).ship({ orderId: id, fulfillmentOrderId: f.id });
  expect(await waybill(f)).toMatchObject({ state: 'void', no: `W-${f.id}` });
});

test('a process of the version before, which knows a number by account and id, asks and is asked after on the same row', async () => {
  const { id, f } = await order('ship');
  const { pool, writer } = world.store;
  const before = async (): Promise<number | null> => (await pool.query(
    `insert into waybills as w (account, request_id, carrier, order_id, state, asked_at, due_at) values ($1, $2, $3, $4, 'asked', $5, $5)
      on conflict (account, request_id) do update set state = case when w.state = 'void' then 'asked' else w.state end returning draft`, ['one', f.id, 'a', uuid(id), world.now])).rowCount;
  expect([await before(), await askWaybill(pool, { account: 'one', requestId: f.id, carrier: 'a' }, uuid(id), world.now)]).toEqual([1, { draft: null, askedAs: f.id }]);
  expect(await askWaybill(pool, { account: 'one', requestId: f.id, carrier: 'b' }, uuid(id), world.now)).toEqual({ draft: null, askedAs: `${f.id}-2` });
  expect(await before()).toBe(1);
  await writer.change((tx) => voidWaybills(tx, f.id));
  const { rows } = await pool.query(`select request_id, made_for, carrier, state from waybills where account = 'one' order by carrier`);
  expect(rows).toEqual([{ request_id: f.id, made_for: null, carrier: 'a', state: 'void' }, { request_id: `${f.id}-2`, made_for: f.id, carrier: 'b', state: 'void' }]);
});

test('it leaves with a number of the location\'s own: the planned one is void; with the planned one: it stays', async () => {
  const own = await order();
  await world.issue({ ...own.f, waybillNo: `own-${own.f.id}` });
  expect((await waybill(own.f)).state).toBe('void');
  const planned = await order();
  await world.tell(planned.f, { type: 'goods_issue', parcels: [
    { parcelNo: 1, carrier: 'sim', waybillNo: `own-${planned.f.id}`, lines: [{ lineNo: 1, quantity: 1 }] }, { parcelNo: 2, carrier: 'sim', waybillNo: planned.f.waybillNo, lines: [{ lineNo: 2, quantity: 2 }] }] });
  expect((await waybill(planned.f)).state).toBe('issued');
  await tend();
  expect([asked(own.f.waybillNo!), asked(planned.f.waybillNo!)]).toEqual([1, 0]);
});

test('a late answer of a carrier that was given up is nobody else\'s number', async () => {
  const { id, f } = await order('ship');
  const ful = decodeId('ful', f.id) as string;
  const { carrier } = await world.one<{ carrier: string }>('select carrier from fulfillment_orders where id = $1', ful);
  await world.store.pool.query(`update fulfillment_orders set carrier = 'later' where id = $1`, [ful]);
  await expect(recordWaybill(world.store.writer, ful, carrier, 'OLD-1')).rejects.toThrow('another carrier than');
  expect((await world.fulfillments(id))[0]?.waybillNo ?? null).toBeNull();
  expect([await recordWaybill(world.store.writer, ful, 'later', 'NEW-1'), await recordWaybill(world.store.writer, ful, 'later', 'NEW-2')]).toEqual(['NEW-1', 'NEW-1']);
});

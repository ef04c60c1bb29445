import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { reportLost } from '../../../db/claims/lose-parcel.ts';
import { applyDue } from '../../../db/fulfillment/due.ts';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { recordIntercept, requestRefund, type RefundRequestAnswer } from '../../../db/orders/refund-request.ts';
import { inspectReturn, receiveReturn, requestReturn } from '../../../db/returns/returns.ts';
import { decodeId, encodeId } from '../../../domain/ids.ts';
import { DAY, TestApi } from '../../support/api.ts';

let api: TestApi;
let skus = 0;
beforeAll(async () => { api = await TestApi.open({ skus: 100, stock: 0 }); });
afterAll(async () => { await api.close(); });
afterEach(async () => {
  expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  expect((await runAudit(api.world.store.pool, { now: api.world.now })).violations).toEqual([]);
});

const uuid = (id: string): string => decodeId('ord', id) as string;
const rows = async (text: string, id: string): Promise<unknown[][]> => (await api.world.store.pool.query<Record<string, unknown>>(text, [uuid(id)])).rows.map((r) => Object.values(r));
const claims = (id: string) => rows('select kind, carrier, amount, status from claims where order_id = $1 order by id', id);
const requests = (id: string) => rows('select status, closed_at is not null from refund_requests where order_id = $1 order by id', id);
const fulfillments = async (id: string) => (await api.world.fulfillments(id)).map((f) => f.status);
const units = (id: string) => rows('select issued_quantity, returned_quantity, refunded_quantity from order_lines where order_id = $1 order by line_no', id);
const refund = (id: string): Promise<RefundRequestAnswer> => requestRefund(api.world.store.writer, uuid(id), 'where is it', 'key:test');
const parcels = async (id: string) => (await api.world.store.pool.query<{ id: string; waybill: string }>('select id, waybill_no waybill from parcels where order_id = $1 order by parcel_no', [uuid(id)])).rows;
const lose = (parcel: { id: string }) => reportLost(api.world.store.writer, parcel.id, 'depot burnt down', 'key:test');
const returnsOf = async (id: string) => (await api.world.store.pool.query<{ id: string; status: string; late: boolean }>('select id, status, late from returns where order_id = $1 order by id', [uuid(id)])).rows.map((r) => ({ ...r, rma: encodeId('rma', r.id) }));

/** One line of 3 × 1000 with a freight of 800, of which the units bear 267, 267 and 266; gone in parcels of so many units. */
async function sent(packing: number[], changes: object = {}): Promise<{ id: string; sku: string; parcels: { id: string; waybill: string }[] }> {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, { 'L-1': 10 });
  const id = await api.order({ lines: [{ sku, quantity: 3, unitPrice: 1000 }], freight: 800, ...changes });
  const [f] = await api.world.fulfillments(id);
  await api.world.tell(f!, { type: 'goods_issue', parcels: packing.map((quantity, i) => ({ parcelNo: i + 1, carrier: 'sim', waybillNo: `W-${sku}-${i + 1}`, lines: [{ lineNo: 1, quantity }] })) });
  expect(await api.world.status(id)).toBe('shipped');
  return { id, sku, parcels: await parcels(id) };
}
/** What came back is received and inspected, all of it accepted unless said otherwise, and the return closes. */
async function takeIn(id: string, rma: string, quantity: number, accepted = quantity): Promise<void> {
  await receiveReturn(api.world.store.writer, rma, [{ line: 1, quantity }], null, 'key:test');
  await inspectReturn(api.world.store.writer, rma, [{ line: 1, disposition: 'restock', accepted }], null, 'key:test');
  if ((await returnsOf(id)).some((r) => r.rma === rma && r.late)) await api.world.activities(null).handleReturn({ rma });
  else await api.advance(id);
}
async function closes(id: string): Promise<void> {
  const start = api.world.now;
  api.world.now = new Date(start.getTime() + DAY);
  await applyDue(api.world.store.writer, api.world.store.network, uuid(id));
  api.world.now = start;
  expect(await api.world.status(id)).toBe('closed');
}
async function unchanged(run: () => Promise<unknown>, problem: object): Promise<void> {
  const before = await api.fingerprint();
  await expect(run()).rejects.toMatchObject(problem);
  expect(await api.fingerprint()).toBe(before);
}

test('the carrier loses a parcel: a claim, and the order waits; a refund request is due at once, and the order closes', async () => {
  const { id, parcels: [parcel] } = await sent([3]);
  await api.world.carrier(parcel!.waybill, 'lost');
  expect([await api.world.status(id), await fulfillments(id), await claims(id)]).toEqual(['shipped', ['issued'], [['lost', 'sim', 3000, 'open']]]);
  expect((await api.world.events(id)).slice(-3)).toEqual(['parcel.lost', 'claim.opened', 'parcel.exception_raised']);
  expect(await api.world.refunds(id)).toEqual([]);
  expect(await refund(id)).toMatchObject({ status: 'refunded', cancelledUnits: 0 });
  expect(await api.world.refunds(id)).toEqual([['loss', 3800]]);
  expect([await api.world.status(id), await fulfillments(id), await requests(id), await units(id)]).toEqual(['delivered', ['lost'], [['refunded', true]], [[3, 0, 3]]]);
  expect((await api.world.events(id)).slice(-3)).toEqual(['refund.requested', 'refund.due', 'order.delivered']);
  await unchanged(() => refund(id), { code: 'conflict', message: 'everything of the order was lost and has been refunded' });
  await closes(id);
});

test('a request that waits for an interception is due when the parcel is lost', async () => {
  const { id, parcels: [parcel] } = await sent([3]);
  expect((await refund(id)).status).toBe('intercepting');
  await recordIntercept(api.world.store.writer, parcel!.id, 'refused', 'out_for_delivery');
  expect(await requests(id)).toEqual([['awaiting_return', false]]);
  await api.world.carrier(parcel!.waybill, 'lost');
  expect([await requests(id), await api.world.refunds(id), await api.world.status(id)]).toEqual([[['refunded', true]], [['loss', 3800]], 'delivered']);
  await closes(id);
});

test('two parcels of a line: values and refunds add up to the minor unit; the request waits for the other one', async () => {
  const { id, parcels: [one, two] } = await sent([1, 2], { lines: [{ sku: `SKU-${skus + 1}`, quantity: 3, unitPrice: 1000, discounts: [{ bearer: 'shop', code: 'D', amount: 100 }] }] });
  await refund(id);
  await api.world.carrier(two!.waybill, 'lost');
  // The discount's shares are 34, 33, 33, so the units are worth 966, 967, 967; the second parcel holds the last two.
  expect(await claims(id)).toEqual([['lost', 'sim', 1934, 'open']]);
  expect([await requests(id), await fulfillments(id), await api.world.status(id)]).toEqual([[['intercepting', false]], ['issued'], 'shipped']);
  await api.world.carrier(one!.waybill, 'lost');
  const all = await claims(id);
  expect(all.reduce((sum, c) => sum + (c[2] as number), 0)).toBe(2900);
  expect((await api.world.refunds(id)).map(([cause]) => cause)).toEqual(['loss', 'loss']);
  expect((await api.world.refunds(id)).reduce((sum, [, amount]) => sum + amount, 0)).toBe(3700);
  expect([await requests(id), await fulfillments(id), await api.world.status(id), await units(id)]).toEqual([[['refunded', true]], ['lost'], 'delivered', [[3, 0, 3]]]);
  // The first of them, which has seen two refunds pass, comes back.
  await api.world.carrier(two!.waybill, 'returned');
  await takeIn(id, (await returnsOf(id))[0]!.rma, 2);
  expect([(await api.world.refunds(id)).map(([cause]) => cause), await units(id)]).toEqual([['loss', 'loss'], [[3, 2, 3]]]);
});

test('one lost, one delivered: the lost one is refunded, the other must come back', async () => {
  const { id, parcels: [one, two] } = await sent([1, 2]);
  await api.world.carrier(one!.waybill, 'lost');
  await api.world.carrier(two!.waybill, 'delivered');
  expect([await fulfillments(id), await api.world.status(id)]).toEqual([['issued'], 'shipped']);
  expect((await refund(id)).status).toBe('awaiting_return');
  expect([await fulfillments(id), await api.world.status(id), await api.world.refunds(id)]).toEqual([['delivered'], 'delivered', [['loss', 1267]]]);
  const ask = (quantity: number) => requestReturn(api.world.store.writer, uuid(id), { kind: 'refund', reason: 'too small', method: 'drop_off', lines: [{ line: 1, quantity }] }, api.world.locationId('L-1'), 'key:test');
  await unchanged(() => ask(3), { code: 'unprocessable', field: '/lines/0/quantity', message: '2 units of line 1 can be returned, not 3' });
  const rma = await ask(2);
  await api.advance(id);
  await takeIn(id, rma, 2);
  expect([await api.world.refunds(id), await requests(id), await units(id)]).toEqual([[['loss', 1267], ['return', 2533]], [['refunded', true]], [[3, 2, 3]]]);
});

test('turned round and lost: the first comes back as a return, the second is refunded without', async () => {
  const { id, parcels: [one, two] } = await sent([1, 2]);
  await refund(id);
  for (const p of [one!, two!]) await recordIntercept(api.world.store.writer, p.id, 'accepted', null);
  await api.world.carrier(one!.waybill, 'returned');
  await takeIn(id, (await returnsOf(id))[0]!.rma, 1);
  // The other one is still on its way: the request is not done.
  expect([await api.world.refunds(id), await requests(id)]).toEqual([[['return', 1267]], [['intercepted', false]]]);
  await api.world.carrier(two!.waybill, 'lost');
  expect([await api.world.refunds(id), await requests(id), await fulfillments(id), await api.world.status(id)]).toEqual([[['return', 1267], ['loss', 2533]], [['refunded', true]], ['returned'], 'delivered']);
  await closes(id);
});

test('a refunded parcel is found and delivered, then sent back: not refunded again', async () => {
  const { id, sku, parcels: [parcel] } = await sent([3]);
  await api.world.carrier(parcel!.waybill, 'lost');
  await refund(id);
  await api.world.carrier(parcel!.waybill, 'delivered');
  expect([await fulfillments(id), await api.world.status(id)]).toEqual([['delivered'], 'delivered']);
  for (const quantity of [2, 1]) {
    const rma = await requestReturn(api.world.store.writer, uuid(id), { kind: 'refund', reason: 'late', method: 'drop_off', lines: [{ line: 1, quantity }] }, api.world.locationId('L-1'), 'key:test');
    await api.advance(id);
    await takeIn(id, rma, quantity);
  }
  expect([await api.world.refunds(id), await units(id), await claims(id)]).toEqual([[['loss', 3800]], [[3, 3, 3]], [['lost', 'sim', 3000, 'open']]]);
  expect(await api.world.stock(sku)).toMatchObject({ 'L-1': [10, 0] });
});

test('a refunded parcel comes back after the order has closed: taken in by a return of its own, not refunded again', async () => {
  const { id, sku, parcels: [parcel] } = await sent([3]);
  await lose(parcel!);
  await refund(id);
  await closes(id);
  const later = new Date(api.world.now.getTime() + 60_000);
  await api.world.carrier(parcel!.waybill, 'returning', later);
  await api.world.carrier(parcel!.waybill, 'returned', later);
  const [back] = await returnsOf(id);
  expect(back).toMatchObject({ status: 'authorised', late: true });
  expect(await api.world.one('select topic from outbox where return_id = $1', back!.id)).toEqual({ topic: 'start_return' });
  await takeIn(id, back!.rma, 3);
  expect([(await returnsOf(id))[0]!.status, await api.world.refunds(id), await units(id), await api.world.status(id)]).toEqual(['closed', [['loss', 3800]], [[3, 3, 3]], 'closed']);
  expect(await api.world.stock(sku)).toMatchObject({ 'L-1': [10, 0] });
});

test('found goods are set off once: a refusal of theirs takes nothing from the others', async () => {
  const { id, parcels: [one, two] } = await sent([1, 2]);
  await lose(one!);
  await api.world.carrier(two!.waybill, 'delivered');
  await refund(id);
  expect(await api.world.refunds(id)).toEqual([['loss', 1267]]);
  await api.world.carrier(one!.waybill, 'returned');
  const [back] = await returnsOf(id);
  await takeIn(id, back!.rma, 1, 0);
  const rma = await requestReturn(api.world.store.writer, uuid(id), { kind: 'refund', reason: 'late', method: 'drop_off', lines: [{ line: 1, quantity: 2 }] }, api.world.locationId('L-1'), 'key:test');
  await api.advance(id);
  await takeIn(id, rma, 2);
  expect([await api.world.refunds(id), await units(id)]).toEqual([[['loss', 1267], ['return', 2533]], [[3, 3, 3]]]);
});

test('refunded, found on its way back and lost again: one claim, one refund; after a rejected claim another is opened', async () => {
  const { id, parcels: [parcel] } = await sent([3]);
  await lose(parcel!);
  await refund(id);
  const again = async (minutes: number) => {
    await api.world.carrier(parcel!.waybill, 'returning', new Date(api.world.now.getTime() + minutes * 60_000));
    await api.world.carrier(parcel!.waybill, 'lost', new Date(api.world.now.getTime() + (minutes + 1) * 60_000));
  };
  await again(1);
  expect([await claims(id), await api.world.refunds(id)]).toEqual([[['lost', 'sim', 3000, 'open']], [['loss', 3800]]]);
  await api.world.store.pool.query(`update claims set status = 'rejected', closed_at = now() where order_id = $1`, [uuid(id)]);
  await again(3);
  expect([await claims(id), await api.world.refunds(id), await units(id)]).toEqual([[['lost', 'sim', 3000, 'rejected'], ['lost', 'sim', 3000, 'open']], [['loss', 3800]], [[3, 0, 3]]]);
});

test('lost and found before anybody asked: nothing is refunded, the order goes on', async () => {
  const { id, parcels: [parcel] } = await sent([3]);
  await api.world.carrier(parcel!.waybill, 'lost');
  await api.world.carrier(parcel!.waybill, 'delivered');
  expect([await api.world.status(id), await fulfillments(id), await api.world.refunds(id), await claims(id)]).toEqual(['delivered', ['delivered'], [], [['lost', 'sim', 3000, 'open']]]);
});

test('what was never paid is not paid back, but done', async () => {
  const { id, parcels: [parcel] } = await sent([3], { payment: { status: 'cash_on_delivery' } });
  await lose(parcel!);
  expect((await refund(id)).status).toBe('refunded');
  expect([await api.world.refunds(id), await units(id), await api.world.status(id), await claims(id)]).toEqual([[], [[3, 0, 3]], 'delivered', [['lost', 'sim', 3000, 'open']]]);
  expect(await api.world.one('select payment_status p from orders where id = $1', uuid(id))).toEqual({ p: 'cash_on_delivery' });
  await closes(id);
});

test('two operators, the carrier and the buyer at once: one claim, one refund', async () => {
  for (let round = 0; round < 10; round++) {
    const { id, parcels: [parcel] } = await sent([3]);
    await Promise.all([lose(parcel!), refund(id), api.world.carrier(parcel!.waybill, 'lost'), lose(parcel!)]);
    expect([await claims(id), await api.world.refunds(id), await requests(id), await fulfillments(id), await units(id)])
      .toEqual([[['lost', 'sim', 3000, 'open']], [['loss', 3800]], [['refunded', true]], ['lost'], [[3, 0, 3]]]);
    expect((await api.world.events(id)).filter((e) => ['parcel.lost', 'claim.opened', 'refund.due'].includes(e)).toSorted()).toEqual(['claim.opened', 'parcel.lost', 'refund.due']);
  }
});

test.each(['delivered', 'returned'] as const)('a parcel that is %s cannot be lost', async (milestone) => {
  const { parcels: [parcel] } = await sent([3]);
  await api.world.carrier(parcel!.waybill, milestone);
  await unchanged(() => lose(parcel!), { code: 'conflict', message: `the parcel is ${milestone}: it cannot be lost` });
  await api.world.carrier(parcel!.waybill, 'lost');
  expect(await api.world.one('select milestone, (select count(*)::int from claims where parcel_id = $1) claims from parcels where id = $1', parcel!.id)).toEqual({ milestone, claims: 0 });
});

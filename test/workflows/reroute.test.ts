import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Problem } from '../../domain/problem.ts';
import { PartnerUnavailable } from '../../domain/http-port.ts';
import { MINUTE, Scene } from '../support/scene.ts';
import { defaultAnswer } from '../support/world.ts';

let s: Scene;
beforeAll(async () => { s = await Scene.open(); });
afterAll(async () => { await s.close(); });
afterEach(async () => {
  await s.world.store.pool.query('delete from location_pauses');
  s.world.partners.answer = defaultAnswer;
  expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});

const at = async (id: string): Promise<string[]> => (await s.world.fulfillments(id)).map((f) => `${f.location} ${f.status}${f.reason ? ` ${f.reason}` : ''}`);

test.each([
  ['not_found', [8, 0], {}, {}, [['', 8, 10, -2]], null],
  ['mismatch', [8, 0], {}, { 'L-1': [2, 0] }, [['', 8, 10, -2]], null],
  ['damaged', [8, 0], { 'L-1': [2, 0] }, {}, [], null],
  ['no_capacity', [10, 0], {}, {}, [], 60],
  ['closed', [10, 0], {}, {}, [], 240],
] as const)('a location rejects as %s: its stock is corrected, the order ships from elsewhere', async (reason, atFirst, damaged, quarantine, recounts, pausedMinutes) => {
  const lines = s.lines();
  const id = await s.order({ lines });
  await s.tell(id, await s.living(id), { type: 'rejected', reason });
  expect(await at(id)).toEqual([`L-1 rejected ${reason}`, 'L-2 released']);
  expect(await s.world.stock(lines[1]!.sku)).toEqual({ 'L-1': atFirst, 'L-2': [10, 2], 'L-3': [10, 0] });
  expect(await s.world.stock(lines[1]!.sku, 'damaged')).toEqual(damaged);
  expect(await s.world.stock(lines[1]!.sku, 'quarantine')).toEqual(quarantine);
  const { rows } = await s.world.store.pool.query<{ lot_code: string; counted: number; expected: number; variance: number }>(
    `select lot_code, counted, expected, variance from recounts where sku_id = (select id from skus where code = $1) and status = 'open'`, [lines[1]!.sku]);
  expect(rows.map((r) => [r.lot_code, r.counted, r.expected, r.variance])).toEqual(recounts);
  const paused = await s.world.store.pool.query<{ code: string; minutes: number }>(`select code, extract(epoch from until - since)::int / 60 minutes from location_pauses join locations on id = location_id`);
  expect(paused.rows).toEqual(pausedMinutes === null ? [] : [{ code: 'L-1', minutes: pausedMinutes }]);
  await s.issue(id);
  await s.carrier(id, 'delivered');
  expect(await s.world.status(id)).toBe('delivered');
  expect(await s.world.refunds(id)).toEqual([]);
  expect((await s.world.events(id)).filter((e) => e === 'fulfillment.rejected')).toHaveLength(1);
});

test('rejected everywhere: it waits for stock at a place that has not given it back, and ships when some comes', async () => {
  const lines = s.lines();
  for (const { sku } of lines) await s.world.setStock(sku, { 'L-3': 0 });
  const id = await s.order({ lines });
  await s.tell(id, await s.living(id), { type: 'rejected', reason: 'no_capacity' });
  await s.tell(id, await s.living(id), { type: 'rejected', reason: 'closed' });
  expect(await s.world.status(id)).toBe('backordered');
  // More at a location that rejected it changes nothing.
  await s.run(id, () => s.world.setStock(lines[0]!.sku, { 'L-1': 50 }));
  expect(await s.world.status(id)).toBe('backordered');
  await s.run(id, () => s.world.setStock(lines[0]!.sku, { 'L-3': 1 }));
  expect(await s.world.status(id)).toBe('backordered'); // a whole order is routed together
  await s.run(id, () => s.world.setStock(lines[1]!.sku, { 'L-3': 2 }));
  expect(await at(id)).toEqual(['L-1 rejected no_capacity', 'L-2 rejected closed', 'L-3 released']);
  await s.issue(id);
  expect(await s.world.status(id)).toBe('shipped');
  expect(await s.world.stock(lines[0]!.sku)).toEqual({ 'L-1': [50, 0], 'L-2': [10, 0], 'L-3': [0, 0] });
});

test('the only place is closed: asked again by itself when its pause ends', async () => {
  const lines = s.lines();
  for (const { sku } of lines) await s.world.setStock(sku, { 'L-2': 0, 'L-3': 0 });
  const id = await s.order({ lines });
  await s.tell(id, await s.living(id), { type: 'rejected', reason: 'closed' });
  await s.skip(239 * MINUTE, id);
  expect([await at(id), await s.world.status(id)]).toEqual([['L-1 rejected closed'], 'backordered']);
  await s.skip(2 * MINUTE, id);
  expect(await at(id)).toEqual(['L-1 rejected closed', 'L-1 released']);
});

test('rejected everywhere and nothing comes for a week: cancelled and refunded', async () => {
  const lines = s.lines();
  for (const { sku, quantity } of lines) await s.world.setStock(sku, { 'L-1': quantity, 'L-2': 0, 'L-3': 0 });
  const id = await s.order({ lines });
  await s.tell(id, await s.living(id), { type: 'rejected', reason: 'not_found' });
  await s.skip(7 * 24 * 60 * MINUTE - MINUTE, id);
  expect(await s.world.status(id)).toBe('backordered');
  await s.skip(2 * MINUTE, id);
  expect(await s.world.status(id)).toBe('cancelled');
  expect(await s.world.refunds(id)).toEqual([['shortage', 1400], ['shortage', 1400]]);
  expect(await s.world.stock(lines[1]!.sku)).toEqual({ 'L-1': [0, 0], 'L-2': [0, 0], 'L-3': [0, 0] });
});

test('a silent location: reminded after its time, given up after as long again; its late goods issue is refused', async () => {
  const lines = s.lines();
  const id = await s.order({ lines });
  const silent = await s.living(id);
  await s.skip(9 * MINUTE, id);
  expect(await s.world.events(id)).not.toContain('fulfillment.reminded');
  await s.skip(1.5 * MINUTE, id);
  expect((await s.world.events(id)).at(-1)).toBe('fulfillment.reminded');
  expect(await at(id)).toEqual(['L-1 released']);
  await s.skip(9 * MINUTE, id);
  expect(await at(id)).toEqual(['L-1 released']);
  await s.skip(2 * MINUTE, id);
  expect(await at(id)).toEqual(['L-1 rejected silent', 'L-2 released']);
  expect(s.world.partners.to(`/fulfillment-orders/${silent.id}/cancel`)).toHaveLength(1);
  await s.takeBackWaybills();
  expect(s.world.partners.to(`/waybills/${silent.waybillNo ?? ''}/cancel`)).toHaveLength(1);
  await expect(s.world.issue(silent)).rejects.toMatchObject({ code: 'handover_blocked', status: 409 });
  await expect(s.world.tell(silent, { type: 'accepted' })).rejects.toBeInstanceOf(Problem);
  expect(await s.world.stock(lines[1]!.sku)).toEqual({ 'L-1': [10, 0], 'L-2': [10, 2], 'L-3': [10, 0] });
  await s.issue(id);
  expect(await s.world.status(id)).toBe('shipped');
});

test('a reminded location that accepts after all keeps the order', async () => {
  const id = await s.order();
  await s.skip(11 * MINUTE, id);
  await s.tell(id, await s.living(id), { type: 'accepted' });
  await s.skip(60 * MINUTE, id);
  expect(await at(id)).toEqual(['L-1 accepted']);
});

test('a location that cannot be reached: tried again, postponed, due for a reminder, re-routed', async () => {
  const id = await s.capture();
  s.world.partners.answer = (request) => {
    if ((request.body as { locationCode?: string }).locationCode === 'L-1') throw new PartnerUnavailable('connection refused');
    return defaultAnswer(request);
  };
  const tries = () => s.world.partners.requests.filter((r) => (r.body as { orderId?: string; locationCode?: string }).orderId === id && (r.body as { locationCode?: string }).locationCode === 'L-1');
  await s.until(id, async () => (await s.world.events(id)).includes('fulfillment.unreachable'));
  expect(tries()).toHaveLength(6);
  expect(new Set(tries().map((r) => r.messageId)).size).toBe(1);
  expect(await at(id)).toEqual(['L-1 releasing']);
  await s.until(id, async () => (await s.world.events(id)).includes('fulfillment.reminded'));
  expect(tries().length % 6).toBe(0);
  await s.until(id, async () => (await s.world.fulfillments(id)).some((f) => f.location === 'L-2' && f.status === 'released'));
  expect(await at(id)).toEqual(['L-1 rejected unreachable', 'L-2 released']);
  // One waybill each: the first was taken back with the order.
  const [first] = await s.world.fulfillments(id);
  expect(s.world.partners.requests.filter((r) => r.url.endsWith('/v1/waybills') && (r.body as { requestId: string }).requestId === first!.id)).toHaveLength(1);
  await s.takeBackWaybills();
  expect(s.world.partners.to(`/waybills/W-${first!.id}/cancel`)).toHaveLength(1);
});

test('a carrier that is down for longer than a location has to accept: the order waits where it is, and the location has all its time then', async () => {
  const id = await s.capture();
  let down = true;
  s.world.partners.answer = (request) => {
    if (down && request.url.endsWith('/v1/waybills')) throw new PartnerUnavailable('503');
    return defaultAnswer(request);
  };
  await s.until(id, async () => (await s.world.events(id)).includes('fulfillment.unreachable'));
  const from = s.world.now.getTime();
  await s.until(id, () => s.world.now.getTime() - from > 30 * MINUTE);
  expect([await at(id), (await s.world.events(id)).filter((e) => e === 'fulfillment.reminded' || e === 'fulfillment.rejected')]).toEqual([['L-1 releasing'], []]);
  down = false;
  await s.until(id, async () => (await at(id)).includes('L-1 released'));
  await s.skip(8 * MINUTE, id);
  expect((await s.world.events(id)).filter((e) => e === 'fulfillment.reminded')).toEqual([]);
});

test('a location that is back before its time is up gets the order by the next try', async () => {
  const id = await s.capture();
  let down = true;
  s.world.partners.answer = (request) => {
    if (down && request.url.endsWith('/v1/fulfillment-orders')) throw new PartnerUnavailable('503');
    return defaultAnswer(request);
  };
  await s.until(id, async () => (await s.world.events(id)).includes('fulfillment.unreachable'));
  down = false;
  await s.skip(2 * MINUTE, id);
  expect(await at(id)).toEqual(['L-1 released']);
  expect((await s.world.events(id)).filter((e) => e === 'fulfillment.released')).toHaveLength(1);
});

test('a carrier that refuses the parcel: the order goes to a location it serves', async () => {
  const id = await s.capture();
  s.world.partners.answer = (request) => request.url.endsWith('/v1/waybills') && (request.body as { from: { city: string } }).from.city === 'Shanghai'
    ? { status: 422, body: { code: 'not_served' } } : defaultAnswer(request);
  await s.settle(id);
  expect(await at(id)).toEqual(['L-1 rejected refused', 'L-2 released']);
  expect(await s.world.events(id)).toContain('fulfillment.refused');
  expect(s.world.partners.requests.filter((r) => r.url.endsWith('/v1/fulfillment-orders') && (r.body as { orderId: string }).orderId === id)).toHaveLength(1);
});

test('a location that answers 4xx: refused for good, re-routed, its waybill taken back', async () => {
  const id = await s.capture();
  s.world.partners.answer = (request) => request.url.endsWith('/v1/fulfillment-orders') && (request.body as { locationCode: string }).locationCode === 'L-1'
    ? { status: 422, body: { code: 'unknown_sku' } } : request.url.includes('/v1/fulfillment-orders/') ? { status: 404, body: {} } : defaultAnswer(request);
  await s.settle(id);
  expect(await at(id)).toEqual(['L-1 rejected refused', 'L-2 released']);
  const [first] = await s.world.fulfillments(id);
  await s.takeBackWaybills();
  expect(s.world.partners.to(`/waybills/W-${first!.id}/cancel`)).toHaveLength(1);
});

test('a repeated event gets the first answer, another one under its id is refused', async () => {
  const id = await s.order();
  const f = await s.living(id);
  const event = { type: 'rejected' as const, reason: 'closed', eventId: `e-${id}`, occurredAt: s.world.now.toISOString() };
  expect(await s.tell(id, f, event)).toEqual({ ok: true });
  expect(await s.tell(id, f, event)).toEqual({ ok: true });
  expect(await at(id)).toEqual(['L-1 rejected closed', 'L-2 released']);
  await expect(s.world.tell(f, { ...event, reason: 'damaged' })).rejects.toMatchObject({ code: 'duplicate_with_other_body' });
});

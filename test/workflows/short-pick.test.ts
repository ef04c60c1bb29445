import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { DAY, Scene } from '../support/scene.ts';

let s: Scene;
beforeAll(async () => { s = await Scene.open(); });
afterAll(async () => { await s.close(); });
afterEach(async () => { expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });

const at = async (id: string): Promise<string[]> =>
  (await s.world.fulfillments(id)).map((f) => `${f.location} ${f.status} ${f.lines.map((l) => `${l.lineNo}:${l.quantity}`).join(' ')}`);

test('one unit is not found: it comes from elsewhere, the rest ships at once', async () => {
  const lines = s.lines();
  const id = await s.order({ lines });
  const first = await s.living(id);
  await s.tell(id, first, { type: 'short_picked', lines: [{ lineNo: 2, quantity: 1 }] });
  // Not from the location that did not find it, though its books say it has eight more.
  expect(await at(id)).toEqual(['L-1 released 1:1 2:1', 'L-2 released 2:1']);
  expect(await s.world.stock(lines[1]!.sku)).toEqual({ 'L-1': [9, 1], 'L-2': [10, 1], 'L-3': [10, 0] });
  // What its books say is to be looked at.
  expect(await s.world.one(`select l.code, counted, expected, variance from recounts join locations l on l.id = location_id where sku_id = (select id from skus where code = $1) and status = 'open'`, lines[1]!.sku))
    .toEqual({ code: 'L-1', counted: 9, expected: 10, variance: -1 });
  const [a, b] = await s.world.fulfillments(id);
  await s.issue(id, a);
  expect(await s.world.status(id)).toBe('partially_shipped');
  await s.carrier(id, 'delivered', a);
  expect(await s.world.status(id)).toBe('partially_shipped');
  await s.issue(id, b);
  expect(await s.world.status(id)).toBe('shipped');
  await s.carrier(id, 'delivered', b);
  expect(await s.world.status(id)).toBe('delivered');
  expect(await s.world.refunds(id)).toEqual([]);
  await s.closes(id);
  expect(await s.world.status(id)).toBe('closed');
});

test('units that come nowhere in a week are cancelled and refunded; the order is delivered, its return window opens and ends', async () => {
  const lines = s.lines();
  await s.world.setStock(lines[1]!.sku, { 'L-1': 2, 'L-2': 0, 'L-3': 0 });
  const id = await s.order({ lines });
  const f = await s.living(id);
  await s.tell(id, f, { type: 'short_picked', lines: [{ lineNo: 2, quantity: 1 }] });
  await s.issue(id);
  await s.carrier(id, 'delivered');
  expect(await s.world.status(id)).toBe('partially_shipped');
  expect(await s.world.refunds(id)).toEqual([]);
  await s.skip(7 * DAY, id);
  expect(await s.world.status(id)).toBe('delivered');
  // Line 2 nets 1400 over two units.
  expect(await s.world.refunds(id)).toEqual([['shortage', 700]]);
  expect(await s.world.stock(lines[1]!.sku)).toEqual({ 'L-1': [0, 0], 'L-2': [0, 0], 'L-3': [0, 0] });
  await s.closes(id);
  expect(await s.world.status(id)).toBe('closed');
});

test('units that come within the week ship after the first parcel', async () => {
  const lines = s.lines();
  await s.world.setStock(lines[1]!.sku, { 'L-1': 2, 'L-2': 0, 'L-3': 0 });
  const id = await s.order({ lines });
  const first = await s.living(id);
  await s.tell(id, first, { type: 'short_picked', lines: [{ lineNo: 2, quantity: 2 }] });
  await s.issue(id, await s.living(id));
  expect(await s.world.status(id)).toBe('partially_shipped');
  // Part of the order is on its way already, so the rest need not be complete.
  await s.run(id, () => s.world.setStock(lines[1]!.sku, { 'L-3': 1 }));
  expect(await at(id)).toEqual(['L-1 issued 1:1 2:0', 'L-3 released 2:1']);
  await s.tell(id, (await s.world.fulfillments(id))[1]!, { type: 'accepted' });
  await s.skip(8 * DAY, id);
  expect(await s.world.refunds(id)).toEqual([['shortage', 700]]);
  expect(await s.world.status(id)).toBe('partially_shipped');
});

test('a goods issue with less than the order had counts as a short pick', async () => {
  const lines = s.lines();
  const id = await s.order({ lines });
  const f = await s.living(id);
  await s.tell(id, f, { type: 'goods_issue', parcels: [{ parcelNo: 1, carrier: 'sim', waybillNo: f.waybillNo, lines: [{ lineNo: 1, quantity: 1 }, { lineNo: 2, quantity: 1 }] }] });
  expect(await at(id)).toEqual(['L-1 issued 1:1 2:1', 'L-2 released 2:1']);
  expect(await s.world.stock(lines[1]!.sku)).toEqual({ 'L-1': [8, 0], 'L-2': [10, 1], 'L-3': [10, 0] });
});

test('nothing found at all is a rejection', async () => {
  const lines = s.lines();
  const id = await s.order({ lines });
  await s.tell(id, await s.living(id), { type: 'short_picked', lines: [{ lineNo: 1, quantity: 1 }, { lineNo: 2, quantity: 2 }] });
  expect(await at(id)).toEqual(['L-1 rejected 1:1 2:2', 'L-2 released 1:1 2:2']);
  expect(await s.world.stock(lines[0]!.sku)).toEqual({ 'L-1': [9, 0], 'L-2': [10, 1], 'L-3': [10, 0] });
});

test('more than the order has there is refused, and so is a goods issue of nothing', async () => {
  const id = await s.order();
  const f = await s.living(id);
  await expect(s.world.tell(f, { type: 'short_picked', lines: [{ lineNo: 2, quantity: 3 }] })).rejects.toMatchObject({ code: 'unprocessable', field: '/lines/0/quantity' });
  await expect(s.world.tell(f, { type: 'goods_issue', parcels: [] })).rejects.toMatchObject({ code: 'unprocessable' });
  await expect(s.world.tell(f, { type: 'goods_issue', parcels: [{ parcelNo: 1, carrier: 'sim', waybillNo: 'X', lines: [{ lineNo: 1, quantity: 2 }] }] }))
    .rejects.toMatchObject({ code: 'unprocessable' });
  expect(await at(id)).toEqual(['L-1 released 1:1 2:2']);
});

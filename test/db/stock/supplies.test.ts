import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { cancelOrder } from '../../../db/orders/cancel-order.ts';
import { reserveOrder } from '../../../db/orders/reserve-order.ts';
import { validateOrder } from '../../../db/orders/validate-order.ts';
import { recallLot } from '../../../db/lots/recall-lot.ts';
import { receiveStock, type StockLine } from '../../../db/stock/receipts.ts';
import { announceSupply, type SupplyRequest } from '../../../db/stock/supplies/announce.ts';
import { cancelSupply } from '../../../db/stock/supplies/cancel.ts';
import { changeSupplyDate, tendLateSupplies } from '../../../db/stock/supplies/change-date.ts';
import { readSupply } from '../../../db/stock/supplies/read.ts';
import { receiveSupply, type SupplyReceipt } from '../../../db/stock/supplies/receive.ts';
import { Problem } from '../../../domain/problem.ts';
import { decodeId } from '../../../domain/ids.ts';
import type { OrderIntake } from '../../../domain/order/intake.ts';
import { World } from '../../support/world.ts';

const NOW = new Date('2026-11-23T02:00:00Z');
const SOON = '2026-11-27T02:00:00.000Z';
const BETWEEN = '2026-11-29T02:00:00.000Z';
const LATER = '2026-12-05T02:00:00.000Z';
let world: World;
let skus = 0;
let references = 0;
beforeAll(async () => {
  world = await World.create({ skus: 80, stock: 0 });
  await world.store.pool.query('update channels set supply_horizon_s = 1209600');
  await world.store.network.reload();
});
afterEach(async () => {
  world.now = NOW;
  expect((await runAudit(world.store.pool)).violations).toEqual([]);
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});
afterAll(async () => { await world.close(); });

const freshSku = (): string => `SKU-${++skus}`;
const uuid = (id: string): string => decodeId('ord', id) as string;

async function lotSku(): Promise<string> {
  const code = freshSku();
  await world.store.pool.query('update skus set lot_tracked = true where code = $1', [code]);
  await world.store.network.reload();
  return code;
}
async function announce(lines: SupplyRequest['lines'], changes: Partial<SupplyRequest> = {}): Promise<string> {
  const reference = `S-${++references}`;
  await announceSupply(world.store.writer, world.store.network, { reference, kind: 'purchase_order', location: 'L-1', expectedAt: SOON, lines, ...changes }, 'key:test');
  return reference;
}
const receive = (supply: string, lines: SupplyReceipt['lines'], changes: Partial<SupplyReceipt> = {}) =>
  receiveSupply(world.store.writer, world.store.network, supply, { reference: `R-${++references}`, lines, ...changes }, { actor: 'key:test', onlyLocation: null });
const redate = (supply: string, expectedAt: string, version?: number) =>
  changeSupplyDate(world.store.writer, world.store.network, supply, { expectedAt, ...(version === undefined ? {} : { version }) }, 'key:test');
const cancel = (supply: string) => cancelSupply(world.store.writer, world.store.network, supply, 'key:test');
const stockIn = (sku: string, quantity: number, location: string, lot?: NonNullable<StockLine['lot']>) =>
  receiveStock(world.store.writer, world.store.network, world.locationId(location), { reference: `IN-${++references}`, location, lines: [{ sku, quantity, ...(lot ? { lot } : {}) }] });

/** A paid order, validated and as far reserved as it can be. */
async function order(sku: string, quantity: number, changes: Partial<OrderIntake> = {}): Promise<string> {
  const { store } = world;
  await store.projection.refresh();
  const { id } = await world.capture({ channel: 'douyin', lines: [{ sku, quantity, unitPrice: 1000 }], ...changes });
  await validateOrder(store.writer, store.network, store.vault, uuid(id));
  await reserveOrder(store.writer, store.network, uuid(id));
  return id;
}
/** [units that are there, units still to come, units missing] */
async function state(id: string): Promise<[number, number, number]> {
  const row = await world.one<{ there: number; coming: number; missing: number }>(
    `select (select coalesce(sum(r.quantity), 0)::int from reservations r join stock_levels v on v.id = r.level_id and v.supply_id = 0 where r.order_id = $1 and r.status in ('held', 'confirmed')) there,
       (select coalesce(sum(r.quantity), 0)::int from reservations r join stock_levels v on v.id = r.level_id and v.supply_id <> 0 where r.order_id = $1 and r.status in ('held', 'confirmed')) coming,
       (select coalesce(sum(quantity), 0)::int from shortages where order_id = $1 and status = 'open') missing`, uuid(id));
  return [row.there, row.coming, row.missing];
}
const told = async (id: string): Promise<number> => (await world.events(id)).filter((e) => e === 'supply.late').length;
const levels = async (sku: string): Promise<string[]> => (await world.store.pool.query<{ at: string }>(
  `select l.code || ' ' || v.condition || case when v.supply_id = 0 then '' else ' coming' end || case when v.lot_id = 0 then '' else ' ' || o.code end || ' ' || v.on_hand || '/' || v.reserved as at
   from stock_levels v join locations l on l.id = v.location_id join skus s on s.id = v.sku_id join lots o on o.id = v.lot_id where s.code = $1 and v.on_hand > 0 order by 1`, [sku])).rows.map((r) => r.at);
const everything = () => world.one<Record<string, unknown>>(
  `select (select md5(string_agg(s::text, '|' order by id)) from supplies s) supplies, (select count(*) from stock_movements) movements, (select md5(string_agg(v::text, '|' order by id)) from stock_levels v) levels,
     (select count(*) from supply_receipts) receipts, (select count(*) from supply_variances) variances, (select count(*) from partner_events) known, (select count(*) from order_events) events, (select count(*) from outbox) outbox`);
async function refused(run: () => Promise<unknown>): Promise<string> {
  const before = await everything();
  const problem = await run().then(() => null, (error: unknown) => error);
  expect(await everything()).toEqual(before);
  if (!(problem instanceof Problem)) throw problem instanceof Error ? problem : new Error('it was not refused');
  return `${problem.code} ${problem.field ?? ''}`.trim();
}

describe('who comes first', () => {
  test('an order that has units on the supply and waits for more is not overtaken by one promised later', async () => {
    const sku = freshSku();
    const early = await order(sku, 3, { shipBy: '2026-11-28T00:00:00Z' });
    const late = await order(sku, 2, { shipBy: '2026-11-30T00:00:00Z' });
    const supply = await announce([{ sku, quantity: 1 }]);
    expect([await state(early), await state(late)]).toEqual([[0, 1, 2], [0, 0, 2]]);
    expect(await receive(supply, [{ sku, quantity: 3 }])).toMatchObject({ served: 1, free: 2, variances: [{ kind: 'surplus', units: 2 }] });
    expect([await state(early), await state(late)]).toEqual([[3, 0, 0], [0, 0, 2]]);
  });

  test('an order without a promise stands where its wait ends, when units are announced and when they come', async () => {
    const sku = freshSku();
    const open = await order(sku, 2); // the channel waits two days: to 25 November
    const [before, after] = [await order(sku, 1, { shipBy: '2026-11-24T00:00:00Z' }), await order(sku, 1, { shipBy: '2026-11-26T00:00:00Z' })];
    const supply = await announce([{ sku, quantity: 4 }], { expectedAt: '2026-11-24T02:00:00.000Z' });
    expect((await readSupply(world.store.pool, supply, null)).orders).toEqual([{ order: before, line: 1, units: 1 }, { order: open, line: 1, units: 2 }, { order: after, line: 1, units: 1 }]);
    expect(await receive(supply, [{ sku, quantity: 2 }])).toMatchObject({ served: 2, free: 0 });
    expect([await state(before), await state(open), await state(after)]).toEqual([[1, 0, 0], [1, 1, 0], [0, 1, 0]]);
    expect(await receive(supply, [{ sku, quantity: 2 }])).toMatchObject({ status: 'received', served: 2 });
  });

  test('a location reads of the orders on a supply those that are its own', async () => {
    const sku = freshSku();
    const supply = await announce([{ sku, quantity: 2 }], { location: 'L-3' });
    const [theirs, own] = [await order(sku, 1), await order(sku, 1, { location: 'L-3' })];
    const seen = async (at: number | null) => (await readSupply(world.store.pool, supply, at)).orders.map((o) => o.order).toSorted();
    expect(await seen(null)).toEqual([theirs, own].toSorted());
    expect(await seen(world.locationId('L-3'))).toEqual([own]);
  });

  test('units of a cancelled transfer go back to the order that had them, before one promised later', async () => {
    const sku = freshSku();
    await stockIn(sku, 2, 'L-2');
    const supply = await announce([{ sku, quantity: 2 }], { kind: 'transfer', from: 'L-2' });
    const early = await order(sku, 2, { shipBy: '2026-11-28T00:00:00Z' });
    const late = await order(sku, 2, { shipBy: '2026-11-30T00:00:00Z' });
    expect(await cancel(supply)).toMatchObject({ returned: 2 });
    expect([await state(early), await state(late)]).toEqual([[2, 0, 0], [0, 0, 2]]);
  });

  test('units that a later date gives back are the first promised one’s among those that wait', async () => {
    const sku = freshSku();
    const supply = await announce([{ sku, quantity: 2 }]);
    const holder = await order(sku, 4, { shipBy: '2026-11-28T00:00:00Z' });
    const waits = await order(sku, 1, { shipBy: '2026-12-06T00:00:00Z' });
    expect([await state(holder), await state(waits)]).toEqual([[0, 2, 2], [0, 0, 1]]);
    await stockIn(sku, 5, 'L-2');
    expect([await state(holder), await state(waits)]).toEqual([[2, 2, 0], [1, 0, 0]]);
    expect(await redate(supply, LATER)).toMatchObject({ repegged: 2, warned: 0 });
    expect(await state(holder)).toEqual([4, 0, 0]);
  });
});

describe('another date', () => {
  test('another supply that still meets the promise is taken, though it comes after the old date', async () => {
    const sku = freshSku();
    const supply = await announce([{ sku, quantity: 2 }]);
    const id = await order(sku, 2, { shipBy: '2026-11-30T00:00:00Z' });
    await announce([{ sku, quantity: 2 }], { expectedAt: BETWEEN, location: 'L-2' });
    expect(await redate(supply, LATER)).toMatchObject({ repegged: 2, warned: 0 });
    expect([await told(id), await levels(sku)]).toEqual([0, ['L-1 sellable coming 2/0', 'L-2 sellable coming 2/2']]);
  });

  test('another supply that misses the promise as well is left to others: the order is told', async () => {
    const sku = freshSku();
    const supply = await announce([{ sku, quantity: 2 }]);
    const id = await order(sku, 2, { shipBy: '2026-11-28T00:00:00Z' });
    await announce([{ sku, quantity: 2 }], { expectedAt: BETWEEN, location: 'L-2' });
    expect(await redate(supply, LATER)).toMatchObject({ repegged: 0, warned: 1 });
    expect([await told(id), await levels(sku)]).toEqual([1, ['L-1 sellable coming 2/2', 'L-2 sellable coming 2/0']]);
  });

  test('a date beyond the horizon of the channel concerns its orders too, though their promise is later still', async () => {
    const sku = freshSku();
    const supply = await announce([{ sku, quantity: 2 }]);
    const id = await order(sku, 1, { shipBy: '2027-02-01T00:00:00Z' });
    const other = await order(sku, 1, { shipBy: '2027-02-02T00:00:00Z' });
    await stockIn(sku, 1, 'L-3');
    expect(await redate(supply, '2027-01-10T00:00:00.000Z')).toMatchObject({ repegged: 1, warned: 1 });
    expect([await state(id), await state(other), await told(id), await told(other)]).toEqual([[1, 0, 0], [0, 1, 0], 0, 1]);
  });

  test('the same change ten times at once is one; a stale version changes nothing', async () => {
    const sku = freshSku();
    const supply = await announce([{ sku, quantity: 2 }]);
    const id = await order(sku, 2);
    const answers = await Promise.allSettled(Array.from({ length: 10 }, () => redate(supply, LATER, 1)));
    expect(answers.filter((a) => a.status === 'fulfilled')).toHaveLength(1);
    expect(await told(id)).toBe(1);
    expect(await refused(() => redate(supply, SOON, 1))).toBe('conflict /version');
    expect(await refused(() => redate(supply, '2026-11-23T02:00:00Z'))).toBe('unprocessable /expectedAt');
    expect(await refused(() => redate('NO-SUCH', SOON))).toBe('not_found');
  });

  test('a supply that cannot be looked at keeps no other from being looked at', async () => {
    const [one, two] = [freshSku(), freshSku()];
    const broken = await announce([{ sku: one, quantity: 1 }], { expectedAt: '2026-11-24T02:00:00.000Z' });
    const fine = await announce([{ sku: two, quantity: 1 }], { expectedAt: '2026-11-25T02:00:00.000Z' });
    const [first, second] = [await order(one, 1), await order(two, 1)];
    const { pool, writer, network } = world.store;
    await pool.query(`create function refuse_one() returns trigger language plpgsql as $$ begin if new.order_id = '${uuid(first)}' and new.type = 'supply.late' then raise exception 'no'; end if; return new; end $$`);
    await pool.query('create trigger refuse_one before insert on order_events for each row execute function refuse_one()');
    const warnings: string[] = [];
    const listen = (w: Error): void => { warnings.push(w.message); };
    process.on('warning', listen);
    world.now = new Date('2026-11-26T00:00:00Z');
    expect(await tendLateSupplies(writer, network)).toBe(1);
    await pool.query('drop trigger refuse_one on order_events');
    await pool.query('drop function refuse_one');
    expect([await told(first), await told(second)]).toEqual([0, 1]);
    expect(await tendLateSupplies(writer, network)).toBe(1);
    process.off('warning', listen);
    expect([await told(first), (await readSupply(pool, broken, null)).overdue, (await readSupply(pool, fine, null)).lateWarnings]).toEqual([1, true, 1]);
    expect(warnings).toEqual([`supply ${broken} could not be looked at: no`]);
  });
});

describe('lots', () => {
  const A = { code: 'A', expiresOn: '2027-06-01' };
  const B = { code: 'B', expiresOn: '2027-09-01' };

  test('of a transfer of two lots the one that came is booked off; what is cancelled then is the other', async () => {
    const sku = await lotSku();
    await stockIn(sku, 3, 'L-2', A);
    await stockIn(sku, 3, 'L-2', B);
    const supply = await announce([{ sku, quantity: 6 }], { kind: 'transfer', from: 'L-2' });
    expect(await levels(sku)).toEqual(['L-1 sellable coming A 3/0', 'L-1 sellable coming B 3/0']);
    const first = await order(sku, 2, { shipBy: '2026-11-28T00:00:00Z' });
    const second = await order(sku, 2, { shipBy: '2026-11-29T00:00:00Z' });
    expect(await receive(supply, [{ sku, quantity: 3, lot: B }])).toMatchObject({ served: 3, free: 0, variances: [] });
    expect(await levels(sku)).toEqual(['L-1 sellable B 3/3', 'L-1 sellable coming A 3/1']);
    expect([await state(first), await state(second)]).toEqual([[2, 0, 0], [1, 1, 0]]);
    await cancel(supply);
    expect(await levels(sku)).toEqual(['L-1 sellable B 3/3', 'L-2 sellable A 3/1']);
    expect(await state(second)).toEqual([2, 0, 0]);
  });

  test.each(['recalled', 'expired'])('units of a %s lot serve nobody', async (why) => {
    const sku = await lotSku();
    const lot = { code: 'X', expiresOn: '2026-11-26' };
    await stockIn(sku, 1, 'L-3', lot);
    if (why === 'recalled') await recallLot(world.store.writer, sku, 'X', 'glass', 'key:test');
    const supply = await announce([{ sku, quantity: 2 }]);
    world.now = new Date('2026-11-25T02:00:00Z');
    if (why === 'expired') world.now = new Date('2026-11-27T01:00:00Z');
    const id = await order(sku, 2);
    expect(await receive(supply, [{ sku, quantity: 2, lot }])).toMatchObject({ status: 'received', served: 0, free: 0, variances: [{ kind: 'condition', units: 2, shortened: 2 }] });
    expect(await state(id)).toEqual([0, 0, 2]);
    expect(await levels(sku)).toEqual(['L-1 quarantine X 2/0', 'L-3 sellable X 1/0']);
  });
});

describe('denied, nothing changed', () => {
  test('receipts', async () => {
    const sku = freshSku();
    const supply = await announce([{ sku, quantity: 2 }]);
    await order(sku, 1);
    expect(await refused(() => receive(supply, [{ sku, quantity: 1 }, { sku: 'NO-SUCH', quantity: 1 }]))).toBe('unknown_sku /lines/1/sku');
    expect(await refused(() => receive(supply, [{ sku, quantity: 1, lot: { code: 'A' } }]))).toBe('unprocessable /lines/0/lot');
    expect(await refused(() => receive('NO-SUCH', [{ sku, quantity: 1 }]))).toBe('not_found');
    await cancel(supply);
    expect(await refused(() => receive(supply, [{ sku, quantity: 1 }]))).toBe('conflict');
    expect(await refused(() => redate(supply, LATER))).toBe('conflict');
    const done = await announce([{ sku, quantity: 1 }]);
    await receive(done, [{ sku, quantity: 1 }]);
    expect(await refused(() => cancel(done))).toBe('conflict');
  });
});

test('announced, re-dated, received, cancelled and sold all at once: nothing is lost, nothing is there twice', async () => {
  for (let round = 0; round < 6; round++) {
    const sku = freshSku();
    const [a, b] = [await announce([{ sku, quantity: 10 }]), await announce([{ sku, quantity: 10 }], { location: 'L-2', expectedAt: BETWEEN })];
    const first = await Promise.all(Array.from({ length: 6 }, (_, i) => order(sku, 2, { shipBy: new Date(Date.parse(SOON) + i * 86_400_000).toISOString() })));
    const done = await Promise.allSettled([
      receive(a, [{ sku, quantity: 4 }]), redate(a, LATER), redate(b, SOON), receive(b, [{ sku, quantity: 3 }], { final: round % 2 === 0 }), round % 3 === 0 ? cancel(a) : receive(a, [{ sku, quantity: 3 }]),
      ...first.slice(0, 2).map((id) => cancelOrder(world.store.writer, uuid(id), 'changed my mind', 'key:test')), order(sku, 1), stockIn(sku, 2, 'L-3'),
    ]);
    for (const d of done) if (d.status === 'rejected') expect(d.reason).toMatchObject({ code: 'conflict' });
    const { there, came } = await world.one<{ there: number; came: number }>(
      `select (select coalesce(sum(on_hand), 0)::int from stock_levels v join skus s on s.id = v.sku_id where s.code = $1 and v.supply_id = 0) there,
         (select coalesce(sum(r.quantity), 0)::int from supply_receipts r join skus s on s.id = r.sku_id where s.code = $1) came`, sku);
    expect(there).toBe(came + 2);
    expect((await runAudit(world.store.pool)).violations).toEqual([]);
  }
});

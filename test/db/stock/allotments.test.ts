import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { ensureLevels } from '../../../db/ledger.ts';
import { cancelOrder } from '../../../db/orders/cancel-order.ts';
import { closeAllotment } from '../../../db/stock/allotments/close.ts';
import { readAllotment, type Figures } from '../../../db/stock/allotments/figures.ts';
import { moveByHand, type MoveLine } from '../../../db/stock/allotments/move-by-hand.ts';
import { putAllotment, type AllotmentInput } from '../../../db/stock/allotments/put-allotment.ts';
import { reallocateAllotment } from '../../../db/stock/allotments/reallocate.ts';
import { putTargets, type TargetInput } from '../../../db/stock/allotments/targets.ts';
import { tendAllotments } from '../../../db/stock/allotments/tend.ts';
import { decodeId } from '../../../domain/ids.ts';
import type { Problem } from '../../../domain/problem.ts';
import { World } from '../../support/world.ts';

let world: World;
let skus = 0;
let references = 0;
beforeAll(async () => { world = await World.create({ skus: 60, stock: 0 }); });
afterAll(async () => {
  expect((await runAudit(world.store.pool, { now: world.now })).violations).toEqual([]);
  await world.close();
});

async function freshSku(stock: Record<string, number> = {}): Promise<string> {
  const sku = `SKU-${++skus}`;
  for (const [location, units] of Object.entries(stock)) await receive(sku, location, units);
  return sku;
}
async function receive(sku: string, location: string, units: number, lot: { code: string; expires: string } | null = null): Promise<void> {
  const { writer } = world.store;
  const { id: skuId } = await world.one<{ id: number }>(`select id from skus where code = '${sku}'`);
  await writer.change(async (tx) => {
    const row = lot && (await tx.one<{ id: number }>('insert into lots (sku_id, code, expires_on) values ($1, $2, $3) returning id', [skuId, lot.code, lot.expires]));
    const [id] = await ensureLevels(tx.client, [{ locationId: world.locationId(location), skuId, condition: 'sellable', lotId: row?.id ?? 0 }]);
    await tx.post('receipt', null, [{ levelId: id!, onHand: units, reserved: 0 }]);
  });
}
async function allotment(code: string, changes: Partial<AllotmentInput> = {}): Promise<void> {
  await putAllotment(world.store.writer, code, { name: code, kind: 'campaign', overflow: 'parent', ...changes });
  await world.store.network.reload();
}
const targets = (code: string, rows: TargetInput[]) => putTargets(world.store.writer, world.store.network, code, rows);
const reallocate = (code: string, reference = `R-${++references}`) => reallocateAllotment(world.store.writer, code, reference);
const move = (code: string, lines: MoveLine[], reference = `M-${++references}`) => moveByHand(world.store.writer, world.store.network, code, { reference, lines });
const close = async (code: string) => { const answer = await closeAllotment(world.store.writer, code); await world.store.network.reload(); return answer; };
const refusal = (of: Promise<unknown>): Promise<Problem> => of.then(() => { throw new Error('it was not refused'); }, (e: unknown) => e as Problem);
const problem = async (of: Promise<unknown>) => { const { code, field } = await refusal(of); return [code, field]; };
/** `[on hand, reserved]` by `allotment@location`. */
async function held(sku: string): Promise<Record<string, [number, number]>> {
  const { rows } = await world.store.pool.query<{ key: string; on_hand: number; reserved: number }>(
    `select a.code || '@' || l.code as key, sum(v.on_hand)::int on_hand, sum(v.reserved)::int reserved from stock_levels v join allotments a on a.id = v.allotment_id join locations l on l.id = v.location_id
     join skus s on s.id = v.sku_id where s.code = $1 and (v.on_hand > 0) group by 1 order by 1`, [sku]);
  return Object.fromEntries(rows.map((r) => [r.key, [r.on_hand, r.reserved]]));
}
const figures = async (code: string): Promise<Figures[]> => (await readAllotment(world.store.pool, code, { locationId: null, after: '', limit: 100 }))!.skus;
async function order(sku: string, quantity: number, session: string): Promise<string> {
  await world.store.projection.refresh();
  return (await world.capture({ session, lines: [{ sku, quantity, unitPrice: 1000 }] })).id;
}
const cancel = (id: string) => cancelOrder(world.store.writer, decodeId('ord', id) as string, 'changed my mind', 'key:test');

describe('hierarchy', () => {
  test('circles, closed parents, a second open one for a channel and wrong kinds are refused', async () => {
    await allotment('g1', { kind: 'group' });
    await allotment('g2', { kind: 'group', parent: 'g1' });
    await allotment('c1', { kind: 'channel', channel: 'own', parent: 'g2' });
    await allotment('k1', { parent: 'c1' });
    await allotment('k2', { parent: 'k1' });
    const before = await world.one('select md5(string_agg(a::text, chr(10) order by id)) from allotments a');
    expect(await problem(allotment('g1', { kind: 'group', parent: 'g2' }))).toEqual(['conflict', '/parent']);
    expect(await problem(allotment('k1', { parent: 'k2' }))).toEqual(['conflict', '/parent']);
    expect((await refusal(allotment('k1', { parent: 'k2' }))).message).toBe('allotment "k1" would stand under itself: k1 → k2 → k1');
    expect(await problem(allotment('k3', { parent: 'k3' }))).toEqual(['conflict', '/parent']);
    expect(await problem(allotment('k3', { parent: 'nobody' }))).toEqual(['unprocessable', '/parent']);
    expect(await problem(allotment('c2', { kind: 'channel', channel: 'own' }))).toEqual(['conflict', '/channel']);
    expect(await problem(allotment('c2', { kind: 'channel' }))).toEqual(['unprocessable', '/channel']);
    expect(await problem(allotment('c2', { kind: 'channel', channel: 'nobody' }))).toEqual(['unknown_channel', '/channel']);
    expect(await problem(allotment('c2', { kind: 'channel', channel: 'douyin', parent: 'k1' }))).toEqual(['unprocessable', '/parent']);
    expect(await problem(allotment('k1', { kind: 'group', parent: 'g1' }))).toEqual(['conflict', '/kind']);
    expect(await problem(allotment('k3', { overflow: 'borrow' }))).toEqual(['unprocessable', '/borrowLimit']);
    expect(await problem(allotment('k3', { startsAt: '2026-12-01T00:00:00Z', endsAt: '2026-12-01T00:00:00Z' }))).toEqual(['unprocessable', '/endsAt']);
    expect(await world.one('select md5(string_agg(a::text, chr(10) order by id)) from allotments a')).toEqual(before);
    await close('k2');
    expect(await problem(allotment('k3', { parent: 'k2' }))).toEqual(['conflict', '/parent']);
    expect(await problem(allotment('k2', {}))).toEqual(['conflict', null]);
    await close('c1');
    await allotment('c2', { kind: 'channel', channel: 'own' });
    await close('c2');
  });

  test('two that would make a circle together: one is refused', async () => {
    await allotment('x1');
    await allotment('x2');
    const outcomes = await Promise.allSettled([allotment('x1', { parent: 'x2' }), allotment('x2', { parent: 'x1' })]);
    expect(outcomes.map((o) => o.status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('moves by hand', () => {
  test('all lines or none; the line for which there is not enough is named', async () => {
    const sku = await freshSku({ 'L-1': 10, 'L-2': 4 });
    await allotment('hand');
    expect(await move('hand', [{ sku, location: 'L-1', units: 6 }, { sku, location: 'L-2', units: 4 }])).toMatchObject({ into: 10, back: 0 });
    const before = await held(sku);
    expect(before).toEqual({ '@L-1': [4, 0], 'hand@L-1': [6, 0], 'hand@L-2': [4, 0] });
    for (const [lines, field] of [
      [[{ sku, location: 'L-2', units: -1 }, { sku, location: 'L-1', units: 5 }], '/lines/1/units'], [[{ sku, location: 'L-1', units: 3 }, { sku, location: 'L-1', units: 2 }], '/lines/1/units'],
      [[{ sku, location: 'L-1', units: -7 }], '/lines/0/units'], [[{ sku, location: 'L-3', units: 1 }], '/lines/0/units'],
    ] as const) expect(await problem(move('hand', [...lines]))).toEqual(['insufficient_stock', field]);
    expect((await refusal(move('hand', [{ sku, location: 'L-1', units: 5 }]))).message).toBe(`the shared stock has 4 free units of "${sku}" at "L-1", 5 were to be moved; nothing was moved`);
    expect(await problem(move('hand', [{ sku, location: 'L-1', units: 0 }]))).toEqual(['invalid', '/lines/0/units']);
    expect(await problem(move('hand', [{ sku, location: 'L-9', units: 1 }]))).toEqual(['unknown_location', '/lines/0/location']);
    expect(await problem(move('hand', [{ sku: 'NONE', location: 'L-1', units: 1 }]))).toEqual(['unknown_sku', '/lines/0/sku']);
    expect(await held(sku)).toEqual(before);
    expect(await move('hand', [{ sku, location: 'L-1', units: -6 }, { sku, location: 'L-2', units: -1 }])).toMatchObject({ into: 0, back: 7 });
    expect(await held(sku)).toEqual({ '@L-1': [10, 0], '@L-2': [1, 0], 'hand@L-2': [3, 0] });
  });

  test('once per reference, however often it is sent at once', async () => {
    const sku = await freshSku({ 'L-1': 10 });
    await allotment('once');
    const answers = await Promise.all(Array.from({ length: 6 }, () => move('once', [{ sku, location: 'L-1', units: 2 }], 'SAME')));
    expect(answers).toEqual(Array(6).fill({ reference: 'SAME', into: 2, back: 0 }));
    expect(await held(sku)).toEqual({ '@L-1': [8, 0], 'once@L-1': [2, 0] });
    expect(await problem(move('once', [{ sku, location: 'L-1', units: 3 }], 'SAME'))).toEqual(['duplicate_with_other_body', '/reference']);
  });

  test('buffers, expired and recalled lots stay; the lot that expires first goes', async () => {
    const sku = await freshSku({ 'L-1': 5 });
    await world.store.pool.query(`update stock_levels set buffer = 3 where sku_id = (select id from skus where code = $1)`, [sku]);
    const lots = await freshSku();
    for (const [lot, expires] of [['LATE', '2027-05-01'], ['GONE', '2026-11-22'], ['SOON', '2026-12-24'], ['BAD', '2026-12-01']] as const) await receive(lots, 'L-1', 5, { code: lot, expires });
    await world.store.pool.query(`update lots set recalled_at = '2026-11-22' where code = 'BAD'`);
    await allotment('lots');
    expect(await problem(move('lots', [{ sku, location: 'L-1', units: 3 }]))).toEqual(['insufficient_stock', '/lines/0/units']);
    expect(await problem(move('lots', [{ sku: lots, location: 'L-1', units: 11 }]))).toEqual(['insufficient_stock', '/lines/0/units']);
    await move('lots', [{ sku, location: 'L-1', units: 2 }, { sku: lots, location: 'L-1', units: 6 }]);
    const { rows } = await world.store.pool.query(
      `select o.code, v.on_hand from stock_levels v join lots o on o.id = v.lot_id where v.allotment_id = (select id from allotments where code = 'lots') and v.lot_id <> 0 order by v.lot_id`);
    expect(rows).toEqual([{ code: 'LATE', on_hand: 1 }, { code: 'SOON', on_hand: 5 }]);
  });

  test('racing with orders: no unit is sold or moved twice', async () => {
    const sku = await freshSku({ 'L-1': 20 });
    await allotment('race', { overflow: 'never' });
    await move('race', [{ sku, location: 'L-1', units: 10 }]);
    await world.store.projection.refresh();
    const orders = Array.from({ length: 10 }, () => world.capture({ session: 'race', lines: [{ sku, quantity: 1, unitPrice: 1000 }] }));
    const moves = Array.from({ length: 10 }, () => move('race', [{ sku, location: 'L-1', units: -1 }]));
    const outcomes = await Promise.allSettled([...orders, ...moves]);
    const done = outcomes.map((o) => o.status === 'fulfilled');
    const sold = done.slice(0, 10).filter(Boolean).length;
    const back = done.slice(10).filter(Boolean).length;
    expect(sold + back).toBe(10);
    expect(outcomes.flatMap((o) => (o.status === 'rejected' ? [(o.reason as Problem).code] : []))).toEqual(Array(10).fill('insufficient_stock'));
    expect(await figures('race')).toEqual([{ sku, onHand: sold, reserved: sold, free: 0, incoming: 0, borrowed: 0 }]);
    expect((await held(sku))['@L-1']).toEqual([10 + back, 0]);
  });
});

describe('targets', () => {
  test('percent and units as far as free units go; reserved ones and buffers stay', async () => {
    const sku = await freshSku({ 'L-1': 10, 'L-2': 10, 'L-3': 5 });
    const few = await freshSku({ 'L-1': 3 });
    await world.store.pool.query(`update stock_levels set buffer = 2 where sku_id = (select id from skus where code = $1)`, [few]);
    await allotment('share');
    await targets('share', [{ sku, mode: 'percent', value: 30 }, { sku: few, location: 'L-1', mode: 'units', value: 4 }]);
    expect(await reallocate('share', 'FIRST')).toEqual({ reference: 'FIRST', skus: [{ sku, wanted: 7, moved: 7, short: 0 }, { sku: few, wanted: 4, moved: 1, short: 3 }] });
    expect(await held(sku)).toEqual({ '@L-1': [7, 0], '@L-2': [7, 0], '@L-3': [4, 0], 'share@L-1': [3, 0], 'share@L-2': [3, 0], 'share@L-3': [1, 0] });
    expect(await reallocate('share', 'FIRST')).toEqual({ reference: 'FIRST', skus: [{ sku, wanted: 7, moved: 7, short: 0 }, { sku: few, wanted: 4, moved: 1, short: 3 }] });
    await order(sku, 3, 'share');
    await targets('share', [{ sku, mode: 'units', value: 0 }]);
    expect((await reallocate('share')).skus).toEqual([{ sku, wanted: 0, moved: -4, short: 0 }]);
    expect(await figures('share')).toEqual([{ sku, onHand: 3, reserved: 3, free: 0, incoming: 0, borrowed: 0 }, { sku: few, onHand: 1, reserved: 0, free: 1, incoming: 0, borrowed: 0 }]);
  });

  test('two reallocations at once move as much as one; the same one twice moves once', async () => {
    const sku = await freshSku({ 'L-1': 100 });
    await allotment('twice');
    await targets('twice', [{ sku, mode: 'percent', value: 40 }]);
    const moved = (await Promise.all([reallocate('twice'), reallocate('twice'), reallocate('twice', 'T'), reallocate('twice', 'T')])).map((a) => a.skus[0]!.moved);
    expect(moved[2]).toBe(moved[3]);
    expect(moved[0]! + moved[1]! + moved[2]!).toBe(40);
    expect(await held(sku)).toEqual({ '@L-1': [60, 0], 'twice@L-1': [40, 0] });
  });

  test('shares of several do not depend on who is first, and may not exceed 100 %', async () => {
    const sku = await freshSku({ 'L-1': 100 });
    await allotment('half');
    await allotment('third');
    await targets('half', [{ sku, mode: 'percent', value: 50 }]);
    expect(await problem(targets('third', [{ sku, mode: 'percent', value: 51 }]))).toEqual(['conflict', '/targets/0/value']);
    await targets('third', [{ sku, mode: 'percent', value: 30 }]);
    await Promise.all([reallocate('third'), reallocate('half')]);
    expect(await held(sku)).toEqual({ '@L-1': [20, 0], 'half@L-1': [50, 0], 'third@L-1': [30, 0] });
    expect((await reallocate('half')).skus[0]!.moved).toBe(0);
    expect(await problem(targets('half', [{ sku, mode: 'percent', value: 101 }]))).toEqual(['unprocessable', '/targets/0/value']);
    expect(await problem(targets('half', [{ sku, mode: 'percent', value: 1 }, { sku, mode: 'units', value: 1 }]))).toEqual(['unprocessable', '/targets/1']);
    expect((await readAllotment(world.store.pool, 'half', { locationId: null, after: '', limit: 1 }))?.targets).toEqual([{ sku, location: null, mode: 'percent', value: 50 }]);
  });

  test('of every SKU, from the nearest open parent', async () => {
    const sku = await freshSku({ 'L-1': 10 });
    await allotment('outer');
    await allotment('middle', { parent: 'outer' });
    await allotment('inner', { parent: 'middle' });
    await move('outer', [{ sku, location: 'L-1', units: 8 }]);
    await close('middle');
    await targets('inner', [{ location: 'L-1', mode: 'percent', value: 50 }]);
    expect((await reallocate('inner')).skus).toEqual([{ sku, wanted: 4, moved: 4, short: 0 }]);
    expect(await held(sku)).toEqual({ '@L-1': [2, 0], 'inner@L-1': [4, 0], 'outer@L-1': [4, 0] });
  });

  test('by schedule: several workers at once have one effect, missed runs are not made up for', async () => {
    const sku = await freshSku({ 'L-1': 10 });
    await allotment('daily', { reallocateEveryS: 3600 });
    await targets('daily', [{ sku, mode: 'units', value: 4 }]);
    expect((await tendAllotments(world.store.writer)).reallocated).toBe(0);
    world.now = new Date(world.now.getTime() + 3 * 3_600_000 + 5_000);
    const runs = await Promise.all([1, 2, 3].map(() => tendAllotments(world.store.writer)));
    expect(runs.reduce((sum, r) => sum + r.reallocated, 0)).toBe(1);
    expect(await held(sku)).toEqual({ '@L-1': [6, 0], 'daily@L-1': [4, 0] });
    const view = await readAllotment(world.store.pool, 'daily', { locationId: null, after: '', limit: 1 });
    expect((view?.nextReallocateAt?.getTime() ?? 0) - world.now.getTime()).toBe(3_595_000);
    expect(await world.one(`select count(*)::int n from stock_movements where cause = 'reallocate' and level_id in
      (select v.id from stock_levels v join skus s on s.id = v.sku_id where s.code = '${sku}')`)).toEqual({ n: 2 });
  });
});

describe('closing', () => {
  test('free units go home at once, reserved ones when they come free', async () => {
    const sku = await freshSku({ 'L-1': 10 });
    await allotment('over');
    await allotment('ends', { parent: 'over', reallocateEveryS: 60 });
    await move('over', [{ sku, location: 'L-1', units: 7 }]);
    await move('ends', [{ sku, location: 'L-1', units: 5 }]);
    const id = await order(sku, 2, 'ends');
    expect(await Promise.all([close('ends'), close('ends')]).then((a) => [a[0].home + a[1].home, a[0].reserved, a[1].reserved])).toEqual([3, 2, 2]);
    expect(await held(sku)).toEqual({ '@L-1': [3, 0], 'ends@L-1': [2, 2], 'over@L-1': [5, 0] });
    expect(await problem(move('ends', [{ sku, location: 'L-1', units: 1 }]))).toEqual(['conflict', null]);
    expect(await problem(reallocate('ends'))).toEqual(['conflict', null]);
    expect(await problem(targets('ends', []))).toEqual(['conflict', null]);
    await cancel(id);
    expect(await held(sku)).toEqual({ '@L-1': [3, 0], 'ends@L-1': [2, 0], 'over@L-1': [5, 0] });
    await Promise.all([tendAllotments(world.store.writer), tendAllotments(world.store.writer)]);
    expect(await held(sku)).toEqual({ '@L-1': [3, 0], 'over@L-1': [7, 0] });
    expect(await world.one('select count(*)::int n from allotment_closings')).toEqual({ n: 0 });
    expect(await tendAllotments(world.store.writer)).toEqual({ reallocated: 0, closed: 0, emptied: 0 });
  });

  test('a campaign that has ended is closed by itself', async () => {
    const sku = await freshSku({ 'L-1': 3 });
    await allotment('sale', { endsAt: new Date(world.now.getTime() + 60_000).toISOString() });
    await move('sale', [{ sku, location: 'L-1', units: 3 }]);
    expect((await tendAllotments(world.store.writer)).closed).toBe(0);
    world.now = new Date(world.now.getTime() + 60_000);
    expect((await tendAllotments(world.store.writer)).closed).toBe(1);
    await world.store.network.reload();
    expect(await held(sku)).toEqual({ '@L-1': [3, 0] });
  });
});

describe('the way back', () => {
  test('cancelled units go back to the allotment; what was borrowed is paid back, and by moves home', async () => {
    const sku = await freshSku({ 'L-1': 10 });
    await allotment('lender');
    await allotment('debtor', { parent: 'lender', overflow: 'borrow', borrowLimit: 4 });
    await allotment('below', { parent: 'debtor' });
    await move('lender', [{ sku, location: 'L-1', units: 10 }]);
    await move('debtor', [{ sku, location: 'L-1', units: 2 }]);
    const first = await order(sku, 3, 'below');
    const second = await order(sku, 2, 'debtor');
    expect(await figures('debtor')).toEqual([{ sku, onHand: 2, reserved: 2, free: 0, incoming: 0, borrowed: 3 }]);
    expect(await problem(order(sku, 2, 'debtor'))).toEqual(['insufficient_stock', expect.anything()]);
    await cancel(first);
    expect(await figures('debtor')).toEqual([{ sku, onHand: 2, reserved: 0, free: 2, incoming: 0, borrowed: 2 }]);
    await move('debtor', [{ sku, location: 'L-1', units: -1 }]);
    expect((await figures('debtor'))[0]).toMatchObject({ free: 1, borrowed: 1 });
    await cancel(second);
    expect((await figures('debtor'))[0]).toMatchObject({ free: 1, borrowed: 0 });
    expect(await held(sku)).toEqual({ 'debtor@L-1': [1, 0], 'lender@L-1': [9, 0] });
  });
});

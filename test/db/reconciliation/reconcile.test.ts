import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { ensureLevels } from '../../../db/ledger.ts';
import { readAccuracy } from '../../../db/reconciliation/read.ts';
import { nextSnapshot, reconcileLocation, reconcileSnapshot } from '../../../db/reconciliation/reconcile.ts';
import { confirmRecount } from '../../../db/reconciliation/recounts.ts';
import { putUnit } from '../../../db/reconciliation/rules.ts';
import { decodeId } from '../../../domain/ids.ts';
import { TestApi } from '../../support/api.ts';
import { Counts } from '../../support/counts.ts';

let api: TestApi;
let c: Counts;
let skus = 0;
beforeAll(async () => {
  api = await TestApi.open({ skus: 400, stock: 0 });
  c = new Counts(api.world);
});
afterAll(async () => { await api.close(); });
beforeEach(async () => {
  api.world.now = new Date();
  await api.world.store.pool.query('truncate recounts, stock_counts, snapshot_flows, snapshot_lines, location_accuracy, snapshots restart identity cascade');
  await c.rule();
});
afterEach(async () => { expect((await runAudit(api.world.store.pool, { now: api.world.now })).violations).toEqual([]); });

async function stocked(at: Record<string, number>): Promise<string> {
  const sku = `SKU-${++skus}`;
  await c.stock(sku, at);
  return sku;
}
/** `[on hand, reserved]` by location, where there is any. */
async function stock(sku: string, condition?: string): Promise<Record<string, [number, number]>> {
  return Object.fromEntries(Object.entries(await api.world.stock(sku, condition)).filter(([, [onHand]]) => onHand > 0));
}
const one = (sku: string, quantity: number) => ({ lines: [{ sku, quantity, unitPrice: 100 }] });
const writer = () => api.world.store.writer;
const shortages = async (id: string): Promise<unknown[]> =>
  (await api.world.store.pool.query<{ row: string }>(`select format('%s %s %s', quantity, cause, status) "row" from shortages where order_id = $1 order by id`, [decodeId('ord', id)])).rows.map((r) => r.row);
const skuId = async (code: string): Promise<number> => (await api.world.one<{ id: number }>('select id from skus where code = $1', code)).id;

test('match, loss and gain inside the tolerance are booked; an unknown SKU is only told', async () => {
  const [same, less, more] = [await stocked({ 'L-1': 10 }), await stocked({ 'L-1': 10 }), await stocked({ 'L-1': 10, 'L-2': 5 })];
  expect(await c.count([{ sku: same, quantity: 10 }, { sku: less, quantity: 8 }, { sku: more, quantity: 11 }, { sku: 'NOBODY', quantity: 4 }])).toEqual([
    [same, 10, 10, 0, 'match', 'none'], [less, 8, 10, -2, 'loss', 'adjust'], [more, 11, 10, 1, 'gain', 'adjust'], ['NOBODY', 4, null, null, 'unknown_sku', 'none'],
  ]);
  expect([await stock(less), await stock(more)]).toEqual([{ 'L-1': [8, 0] }, { 'L-1': [11, 0], 'L-2': [5, 0] }]);
  expect(await api.world.one('select status, counts from snapshots')).toEqual({
    status: 'done',
    counts: { classes: { gain: { lines: 1, units: 1 }, loss: { lines: 1, units: -2 }, match: { lines: 1, units: 0 }, unknown_sku: { lines: 1, units: 0 } }, adjusted: 2, recounts: 0, shortened: 0 },
  });
  expect(await readAccuracy(api.world.store.pool, api.world.locationId('L-1'))).toMatchObject({ accuracy: 1 / 3, countedLines: 3, matchedLines: 1 });
});

test('what moved after the count is not a variance, and what was booked late is timing', async () => {
  const [sold, late] = [await stocked({ 'L-1': 10 }), await stocked({ 'L-1': 10 })];
  await api.world.setStock(sold, { 'L-1': 7 });
  await api.world.setStock(late, { 'L-1': 6 });
  await c.moved(sold, 30);
  await c.moved(late, 30);
  expect(await c.count([{ sku: sold, quantity: 10 }, { sku: late, quantity: 6 }], { takenAt: c.ago(120) })).toEqual([[sold, 10, 10, 0, 'match', 'none'], [late, 6, 10, -4, 'timing', 'none']]);
  expect([await stock(sold), await stock(late)]).toEqual([{ 'L-1': [7, 0] }, { 'L-1': [6, 0] }]);
});

test('units received just before the count, and packed ones, are in flight', async () => {
  const [received, packed] = [await stocked({ 'L-1': 10 }), await stocked({ 'L-1': 10 })];
  await api.world.setStock(received, { 'L-1': 14 });
  await c.moved(received, 5);
  const id = await api.order(one(packed, 3));
  const [f] = await api.world.fulfillments(id);
  await api.world.tell(f!, { type: 'packed', parcels: [{ parcelNo: 1, lines: f!.lines }] });
  expect(await c.count([{ sku: received, quantity: 11 }, { sku: packed, quantity: 7 }])).toEqual([[received, 11, 14, -3, 'in_flight', 'none'], [packed, 7, 10, -3, 'in_flight', 'none']]);
  expect(await stock(packed)).toEqual({ 'L-1': [10, 3] });
});

test('a count in boxes is known as such, and one that names the unit is right', async () => {
  const [boxes, named] = [await stocked({ 'L-1': 24 }), await stocked({ 'L-1': 26 })];
  for (const sku of [boxes, named]) await putUnit(api.world.store.pool, await skuId(sku), 'box', 12);
  expect(await c.count([{ sku: boxes, quantity: 2 }, { sku: named, quantity: 2, unit: 'box' }, { sku: named, quantity: 2 }])).toEqual([
    [boxes, 2, 24, -22, 'unit_of_measure', 'none'], [named, 26, 26, 0, 'match', 'none'],
  ]);
  await expect(c.stage([{ sku: boxes, quantity: 1, unit: 'pallet' }])).rejects.toMatchObject({ code: 'unprocessable', field: '/lines/0', message: `unit "pallet" of SKU "${boxes}" is not known` });
});

test('a full count takes what it does not tell of for 0, in the conditions it tells of; a delta does not', async () => {
  const [told, untold] = [await stocked({ 'L-3': 10 }), await stocked({ 'L-3': 2, 'L-1': 2 })];
  await c.rule({}, 'L-3');
  await writer().change(async (tx) => {
    const [level] = await ensureLevels(tx.client, [{ locationId: api.world.locationId('L-3'), skuId: await skuId(untold), condition: 'damaged', lotId: 0 }]);
    await tx.post('receipt', null, [{ levelId: level as number, onHand: 2, reserved: 0 }]);
  });
  await c.moved(untold, 1440);
  expect(await c.count([{ sku: told, quantity: 10 }], { location: 'L-3' })).toEqual([[told, 10, 10, 0, 'match', 'none']]);
  expect(await c.count([{ sku: told, quantity: 10 }], { location: 'L-3', kind: 'full' })).toEqual([[told, 10, 10, 0, 'match', 'none'], [untold, 0, 2, -2, 'loss', 'adjust']]);
  expect([await stock(untold), await stock(untold, 'damaged')]).toEqual([{ 'L-1': [2, 0] }, { 'L-3': [2, 0] }]);
});

test('outside the tolerance it is to be counted again: confirmed by a newer count, or by hand', async () => {
  const [again, hand, fine] = [await stocked({ 'L-1': 30 }), await stocked({ 'L-1': 30 }), await stocked({ 'L-1': 30 })];
  expect(await c.count([again, hand, fine].map((sku) => ({ sku, quantity: 20 })), { takenAt: c.ago(60) })).toEqual([again, hand, fine].map((sku) => [sku, 20, 30, -10, 'loss', 'recount']));
  expect(await stock(again)).toEqual({ 'L-1': [30, 0] });
  expect((await c.recounts()).map((r) => r.slice(1))).toEqual([again, hand, fine].map((sku) => [sku, 20, 30, -10]));
  expect(await c.count([{ sku: again, quantity: 21 }, { sku: hand, quantity: 5 }, { sku: fine, quantity: 30 }])).toEqual([
    [again, 21, 30, -9, 'loss', 'adjust'], [hand, 5, 30, -25, 'loss', 'recount'], [fine, 30, 30, 0, 'match', 'none']]);
  const open = await c.recounts();
  expect([open.map((r) => r.slice(1)), await stock(again)]).toEqual([[[hand, 5, 30, -25]], { 'L-1': [21, 0] }]);
  const id = open[0]![0];
  api.world.now = new Date(api.world.now.getTime() + 1000);
  const answers = await Promise.all([1, 2, 3].map(() => confirmRecount(writer(), id, null, { counted: 6 }, 'key:test')));
  expect(answers).toEqual(Array(3).fill({ id, counted: 6, countedAt: api.world.now.toISOString(), expected: 30, variance: -24, shortened: 0 }));
  expect([await stock(hand), await c.recounts()]).toEqual([{ 'L-1': [6, 0] }, []]);
  await expect(confirmRecount(writer(), id, null, { counted: 7 }, 'key:test')).rejects.toMatchObject({ code: 'conflict' });
  await expect(confirmRecount(writer(), id, api.world.locationId('L-2'), { counted: 6 }, 'key:test')).rejects.toMatchObject({ code: 'not_found' });
});

test('reserved units that are gone: free ones first, then the youngest order is short and served from elsewhere', async () => {
  await c.rule({ toleranceUnits: 10 });
  const sku = await stocked({ 'L-1': 7 });
  const old = await api.order(one(sku, 3), 'ship');
  const young = await api.order(one(sku, 3), 'ship');
  await c.moved(sku, 1440);
  await c.stock(sku, { 'L-2': 5 });
  expect(await c.count([{ sku, quantity: 4 }])).toEqual([[sku, 4, 7, -3, 'loss', 'adjust']]);
  expect([await shortages(old), await shortages(young), await stock(sku)]).toEqual([[], ['2 stock_loss open'], { 'L-1': [4, 4], 'L-2': [5, 0] }]);
  expect(await api.world.one('select counts -> \'shortened\' shortened from snapshots')).toEqual({ shortened: 2 });
  await api.advance(young);
  expect([await shortages(young), await stock(sku)]).toEqual([['2 stock_loss served'], { 'L-1': [4, 4], 'L-2': [5, 2] }]);
});

test('losses are taken from the shared stock before what is set apart', async () => {
  const sku = await stocked({ 'L-1': 3 });
  const { id } = await api.world.one<{ id: number }>(`insert into allotments (kind, name, code, parent_id) values ('group', 'set apart', $1, 0) returning id`, `G-${sku}`);
  await writer().change(async (tx) => {
    const [level] = await ensureLevels(tx.client, [{ locationId: api.world.locationId('L-1'), skuId: await skuId(sku), condition: 'sellable', lotId: 0, allotmentId: id }]);
    await tx.post('receipt', null, [{ levelId: level as number, onHand: 4, reserved: 0 }]);
  });
  await c.moved(sku, 1440);
  await c.rule({ toleranceUnits: 5 });
  expect(await c.count([{ sku, quantity: 2 }])).toEqual([[sku, 2, 7, -5, 'loss', 'adjust']]);
  const { rows } = await api.world.store.pool.query<{ allotment_id: number; on_hand: number }>('select allotment_id, on_hand from stock_levels where sku_id = $1 and location_id = $2 order by 1', [await skuId(sku), api.world.locationId('L-1')]);
  expect(rows.map((r) => [r.allotment_id === 0 ? 'shared' : 'apart', r.on_hand])).toEqual([['shared', 0], ['apart', 2]]);
});

test('lots: counted one by one, or all together', async () => {
  const code = `SKU-${++skus}`;
  await api.world.store.pool.query('update skus set lot_tracked = true where code = $1', [code]);
  await api.world.store.network.reload();
  const id = await skuId(code);
  await writer().change(async (tx) => {
    const lots = await tx.query<{ id: number }>(`insert into lots (sku_id, code, expires_on) values ($1, 'A', '2030-01-01'), ($1, 'B', '2031-01-01') returning id`, [id]);
    const levels = await ensureLevels(tx.client, lots.map((lot) => ({ locationId: api.world.locationId('L-1'), skuId: id, condition: 'sellable', lotId: lot.id })));
    await tx.post('receipt', null, levels.map((levelId) => ({ levelId, onHand: 5, reserved: 0 })));
  });
  await c.moved(code, 1440);
  expect(await c.count([{ sku: code, quantity: 5, lot: 'A' }, { sku: code, quantity: 4, lot: 'B' }, { sku: code, quantity: 1, lot: 'C' }])).toEqual([
    [code, 5, 5, 0, 'match', 'none'], [code, 4, 5, -1, 'loss', 'adjust'], [code, 1, 0, 1, 'gain', 'adjust']]);
  expect(await c.count([{ sku: code, quantity: 11 }])).toEqual([[code, 11, 10, 1, 'gain', 'adjust']]);
  const { rows } = await api.world.store.pool.query<{ code: string; on_hand: number }>('select o.code, v.on_hand from stock_levels v join lots o on o.id = v.lot_id where v.sku_id = $1 and v.on_hand > 0 order by 1', [id]);
  expect(rows.map((r) => [r.code, r.on_hand])).toEqual([['A', 5], ['B', 4], ['C', 2]]);
  await expect(c.stage([{ sku: code, quantity: 5, lot: 'A' }, { sku: code, quantity: 4 }])).rejects.toMatchObject({ code: 'unprocessable', field: '/lines/1' });
});

test('counts of the same day are booked once: an earlier one that comes later says nothing', async () => {
  const sku = await stocked({ 'L-1': 10 });
  expect(await c.count([{ sku, quantity: 8 }], { takenAt: c.ago(60) })).toEqual([[sku, 8, 10, -2, 'loss', 'adjust']]);
  expect(await c.count([{ sku, quantity: 7 }], { takenAt: c.ago(30) })).toEqual([[sku, 7, 8, -1, 'loss', 'adjust']]);
  expect(await c.count([{ sku, quantity: 9 }], { takenAt: c.ago(45) })).toEqual([[sku, 9, 7, 2, 'superseded', 'none']]);
  expect(await stock(sku)).toEqual({ 'L-1': [7, 0] });
});

test('late ones, those to come and empty ones are refused, and nothing changes', async () => {
  const sku = await stocked({ 'L-1': 10 });
  await c.stage([{ sku, quantity: 10 }], { id: 'early', kind: 'delta', takenAt: c.ago(50) });
  await c.stage([{ sku, quantity: 10 }], { id: 'FULL', kind: 'full', takenAt: c.ago(30) });
  await c.stage([{ sku, quantity: 3 }], { id: 'waits', kind: 'delta', takenAt: c.ago(40) });
  const waits = await api.world.one<{ id: number }>(`select id from snapshots where external_id = 'waits'`);
  const full = await api.world.one<{ id: number }>(`select id from snapshots where external_id = 'FULL'`);
  expect((await nextSnapshot(api.world.store.pool, api.world.locationId('L-1')))?.externalId).toBe('early');
  await reconcileSnapshot(writer(), full.id);
  const before = await api.fingerprint();
  const snapshots = () => api.world.one<{ n: number }>('select count(*)::int n from snapshots');
  await expect(c.stage([{ sku, quantity: 3 }], { kind: 'full', takenAt: c.ago(31) })).rejects.toMatchObject({ code: 'conflict', field: '/takenAt' });
  await expect(c.stage([{ sku, quantity: 3 }], { takenAt: c.ago(-6) })).rejects.toMatchObject({ code: 'unprocessable', field: '/takenAt' });
  await expect(c.stage([])).rejects.toMatchObject({ code: 'unprocessable', message: 'there is no line in the snapshot' });
  expect(await snapshots()).toEqual({ n: 3 });
  expect(await reconcileSnapshot(writer(), waits.id)).toBe('refused');
  expect(await api.world.one('select status, reason from snapshots where id = $1', waits.id)).toEqual({ status: 'refused', reason: `the full snapshot of ${c.ago(30).toISOString()} has been processed` });
  expect([await api.fingerprint(), await stock(sku)]).toEqual([before, { 'L-1': [10, 0] }]);
});

test('the same snapshot sent many times at once is one; processed by two at once, it is booked once', async () => {
  const sku = await stocked({ 'L-1': 10 });
  const head = { id: 'ONCE', takenAt: c.ago(1) };
  const answers = await Promise.all(Array.from({ length: 6 }, () => c.stage([{ sku, quantity: 9 }], head)));
  expect(new Set(answers.map((a) => JSON.stringify(a))).size).toBe(1);
  await expect(c.stage([{ sku, quantity: 8 }], head)).rejects.toMatchObject({ code: 'duplicate_with_other_body', field: '/id' });
  await expect(c.stage([{ sku, quantity: 9 }], { ...head, kind: 'full' })).rejects.toMatchObject({ code: 'duplicate_with_other_body' });
  await Promise.all([1, 2, 3].map(() => reconcileLocation(writer(), api.world.locationId('L-1'))));
  expect([await stock(sku), await c.stage([{ sku, quantity: 9 }], head)]).toEqual([{ 'L-1': [9, 0] }, answers[0]]);
});

test('killed between and inside chunks: it goes on where it was, and nothing is done twice', async () => {
  const lines = [];
  for (let i = 0; i < 7; i++) lines.push({ sku: await stocked({ 'L-1': 10 }), quantity: 9 });
  await c.stage(lines, { id: 'KILLED' });
  const { id } = await api.world.one<{ id: number }>(`select id from snapshots where external_id = 'KILLED'`);
  let chunks = 0;
  const dies = (at: number, how: 'before' | 'onChunk') => ({ size: 2, [how]: () => { if (++chunks === at) throw new Error('killed'); } });
  await expect(reconcileSnapshot(writer(), id, dies(2, 'before'))).rejects.toThrow('killed'); // inside the second transaction: rolled back
  expect(await api.world.one('select last_line, status from snapshots where id = $1', id)).toEqual({ last_line: 2, status: 'comparing' });
  chunks = 0;
  await expect(reconcileSnapshot(writer(), id, dies(2, 'onChunk'))).rejects.toThrow('killed'); // between two transactions
  expect(await api.world.one('select last_line, status from snapshots where id = $1', id)).toEqual({ last_line: 6, status: 'comparing' });
  expect(await reconcileSnapshot(writer(), id, { size: 2 })).toBe('done');
  expect(await reconcileSnapshot(writer(), id, { size: 2 })).toBe('done');
  for (const { sku } of lines) expect(await stock(sku)).toEqual({ 'L-1': [9, 0] });
  expect(await api.world.one(`select count(*)::int n, sum(d_on_hand)::int units from stock_movements m join stock_levels v on v.id = m.level_id join skus k on k.id = v.sku_id
    where cause = 'reconciliation' and k.code = any($1)`, lines.map((l) => l.sku))).toEqual({ n: 7, units: -7 });
  expect(await api.world.one('select counted_lines, matched_lines from location_accuracy')).toEqual({ counted_lines: 7, matched_lines: 0 });
});

test('counts, sales and cancellations at once: nothing is sold twice, nothing hangs', async () => {
  await c.rule({ toleranceUnits: 100 });
  const sku = await stocked({ 'L-1': 40 });
  const early = await Promise.all(Array.from({ length: 10 }, () => api.world.capture(one(sku, 2))));
  await c.moved(sku, 1440);
  const key = await api.key('cancels', ['orders:write']);
  await c.stage([{ sku, quantity: 12 }], { id: 'RACE' });
  await Promise.all([
    reconcileLocation(writer(), api.world.locationId('L-1')), reconcileLocation(writer(), api.world.locationId('L-1')),
    ...Array.from({ length: 8 }, () => api.world.capture({ channel: 'douyin', ...one(sku, 2) })),
    ...early.slice(0, 4).map(({ id }) => api.call(key, 'POST', `/v1/orders/${id}/cancel`, { reason: 'race' })),
  ]);
  const { 'L-1': level } = await stock(sku) as { 'L-1': [number, number] };
  expect(level[0]).toBe(12);
  const { units } = await api.world.one<{ units: number }>(`select coalesce(sum(quantity), 0)::int units from shortages where sku_id = $1 and status = 'open'`, await skuId(sku));
  expect(level[1] + units).toBe(28);
});

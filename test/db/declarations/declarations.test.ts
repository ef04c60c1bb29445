import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { advanceDeclaration } from '../../../db/declarations/advance.ts';
import { readDeclaration } from '../../../db/declarations/burn-down.ts';
import { giveBack, topUp } from '../../../db/declarations/change-units.ts';
import { declare, type Contract, type DeclareRequest } from '../../../db/declarations/declare.ts';
import { cancelDeclaration, endEarly } from '../../../db/declarations/end.ts';
import { setPolicy } from '../../../db/declarations/policy.ts';
import { tendDeclarations } from '../../../db/declarations/tend.ts';
import { cancelOrder } from '../../../db/orders/cancel-order.ts';
import { expireDue } from '../../../db/orders/expiry.ts';
import { decodeId, encodeId } from '../../../domain/ids.ts';
import type { CaptureAnswer, OrderIntake } from '../../../domain/order/intake.ts';
import { DECLARATION_WORKFLOW, declarationWorkflowId } from '../../../workflows/contract/ids.ts';
import { World } from '../../support/world.ts';

const HOUR = 3_600_000;
const START = new Date('2026-11-23T02:00:00Z');
let world: World;
let next = 0;
let sku: string;
let code: string;
beforeAll(async () => { world = await World.create({ skus: 200 }); });
beforeEach(() => {
  next++;
  sku = `SKU-${next}`;
  code = `LIVE-${next}`;
  world.now = new Date(START.getTime() + next * 48 * HOUR);
});
afterEach(async () => { expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });
afterAll(async () => { await world.close(); });

const store = () => world.store;
const at = (hours: number): string => new Date(world.now.getTime() + hours * HOUR).toISOString();
const request = (changes: Partial<DeclareRequest> = {}): DeclareRequest => ({
  code, kind: 'live_stream', partner: 'P-1', channel: 'own', startsAt: at(-1), endsAt: at(4), lines: [{ sku, sources: [{ location: 'L-1', units: 10 }, { location: 'L-2', units: 5 }] }], ...changes,
});
const declared = (changes: Partial<DeclareRequest> = {}): Promise<Contract> => declare(store().writer, store().network, request(changes), 'key:test');
const view = () => readDeclaration(store().pool, code, world.now);
const line = async () => (await view()).lines[0]!;
const id = async (): Promise<string> => (await world.one<{ id: string }>('select id from declarations where code = $1', code)).id;
const advance = async () => advanceDeclaration(store().writer, await id());
const buy = (quantity: number, changes: Partial<OrderIntake> = {}): Promise<CaptureAnswer> => world.capture({ session: code, lines: [{ sku, quantity, unitPrice: 100 }], ...changes });
/** Units by location: `[shared free, shared reserved, session free, session reserved]`. */
async function where(): Promise<Record<string, number[]>> {
  const { rows } = await store().pool.query<{ code: string; n: number[] }>(
    `select l.code, array[sum(v.on_hand - v.reserved) filter (where v.allotment_id = 0), sum(v.reserved) filter (where v.allotment_id = 0),
       coalesce(sum(v.on_hand - v.reserved) filter (where v.allotment_id <> 0), 0), coalesce(sum(v.reserved) filter (where v.allotment_id <> 0), 0)]::int[] n
     from stock_levels v join locations l on l.id = v.location_id join skus k on k.id = v.sku_id where k.code = $1 group by 1 order by 1`, [sku]);
  return Object.fromEntries(rows.map((r) => [r.code, r.n]));
}
const FULL = { 'L-1': [10, 0, 0, 0], 'L-2': [10, 0, 0, 0], 'L-3': [10, 0, 0, 0] };
const fingerprint = async (): Promise<unknown> => world.one(
  `select md5(string_agg(x, '|')) print from (select 'v' || stock_levels::text x from stock_levels where on_hand + reserved > 0 union all select 'm' || command_id || leg from stock_movements union all select 'd' || declarations::text from declarations
     union all select 'a' || allotments::text from allotments union all select 'p' || source || event_id from partner_events union all select 'l' || declaration_lines::text from declaration_lines order by 1) t`);
/** A supply of 6 units at L-3, due in `hours`. */
async function supply(hours: number | null, status = 'open'): Promise<string> {
  const reference = `PO-${next}`;
  await store().network.loadSkus([sku]);
  await store().writer.change(async (tx) => {
    const s = await tx.one<{ id: number }>(`insert into supplies (kind, reference, expected_at, status) values ('purchase_order', $1, $2, $3) returning id`, [reference, hours === null ? null : at(hours), status]);
    const v = await tx.one<{ id: number }>('insert into stock_levels (sku_id, location_id, supply_id) values ($1, $2, $3) returning id', [store().network.knownSku(sku)!.id, world.locationId('L-3'), s!.id]);
    await tx.post('supply', null, [{ levelId: v!.id, onHand: 6, reserved: 0 }]);
  });
  return reference;
}

describe('the contract', () => {
  test('firm units by location, with the confidence of its counts', async () => {
    await store().pool.query(`insert into location_accuracy values ($1, 200, 190, now())`, [world.locationId('L-2')]);
    const contract = await declared();
    const source = { supply: null, lot: null, lotExpiresOn: null, expectedAt: null, firm: true };
    expect(contract).toEqual({
      code, kind: 'live_stream', partner: 'P-1', channel: 'own', overflow: 'never', startsAt: at(-1), endsAt: at(4), expiresAt: at(4), settleBy: at(28), declaredAt: at(0), firm: 15, soft: 0,
      lines: [{ sku, firm: 15, soft: 0, confidence: 0.9167, sources: [{ ...source, location: 'L-1', units: 10, confidence: 0.9 }, { ...source, location: 'L-2', units: 5, confidence: 0.95 }] }],
    });
    expect(await where()).toEqual({ 'L-1': [0, 0, 10, 0], 'L-2': [5, 0, 5, 0], 'L-3': [10, 0, 0, 0] });
    await store().pool.query('delete from location_accuracy');
  });

  test('soft units from a supply that comes in time, by the factor of the policy', async () => {
    const reference = await supply(3);
    await setPolicy(store().writer, { uncountedConfidence: 0.8, supplyConfidence: 0.5, settleAfterS: 3600 });
    const contract = await declared({ lines: [{ sku, sources: [{ location: 'L-1', units: 2 }, { supply: reference, units: 6 }] }] });
    expect(contract).toMatchObject({ firm: 2, soft: 6, settleBy: at(5), lines: [{ firm: 2, soft: 6, confidence: 0.575, sources: [{ confidence: 0.8 }, { location: 'L-3', supply: reference, expectedAt: at(3), firm: false, confidence: 0.5 }] }] });
    expect(await line()).toMatchObject({ declared: 8, free: 8, firm: 2, soft: 6 });
    await setPolicy(store().writer, { uncountedConfidence: 0.9, supplyConfidence: 0.7, settleAfterS: 86_400 });
  });

  test('other units of measure count as base units', async () => {
    await store().network.loadSkus([sku]);
    await store().pool.query(`insert into sku_units values ($1, 'case', 4)`, [store().network.knownSku(sku)!.id]);
    expect(await declared({ lines: [{ sku, unit: 'case', sources: [{ location: 'L-1', units: 2 }] }] })).toMatchObject({ firm: 8 });
  });

  test('lots: first expired first, none that does not last until the end', async () => {
    await store().network.loadSkus([sku]);
    const skuId = store().network.knownSku(sku)!.id;
    const { rows } = await store().pool.query<{ id: number }>(
      `insert into lots (sku_id, code, expires_on) values ($1, 'gone', $2), ($1, 'soon', $3), ($1, 'late', $4), ($1, 'bad', $4) returning id`, [skuId, at(-24), at(72), at(2000)]);
    await store().pool.query('update lots set recalled_at = now() where id = $1', [rows[3]!.id]);
    await world.setStock(sku, { 'L-1': 0 });
    await store().writer.change(async (tx) => {
      for (const lot of rows) {
        const v = await tx.one<{ id: number }>('insert into stock_levels (sku_id, location_id, lot_id) values ($1, $2, $3) returning id', [skuId, world.locationId('L-1'), lot.id]);
        await tx.post('receipt', null, [{ levelId: v!.id, onHand: 5, reserved: 0 }]);
      }
    });
    await expect(declared({ lines: [{ sku, sources: [{ location: 'L-1', units: 11 }] }] })).rejects.toMatchObject({ code: 'insufficient_stock', extra: { available: 10 } });
    const contract = await declared({ lines: [{ sku, sources: [{ location: 'L-1', units: 7 }] }] });
    expect(contract.lines[0]!.sources.map((s) => [s.lot, s.units])).toEqual([['soon', 5], ['late', 2]]);
    await giveBack(store().writer, store().network, code, { reference: 'G', lines: [{ sku, sources: [{ location: 'L-1', units: 3 }] }] });
    const { rows: left } = await store().pool.query<{ code: string; on_hand: number }>(`select lots.code, on_hand from stock_levels v join lots on lots.id = v.lot_id where v.sku_id = $1 and allotment_id <> 0 order by 1`, [skuId]);
    expect(left.filter((l) => l.on_hand > 0)).toEqual([{ code: 'soon', on_hand: 4 }]);
  });

  test('again with the same body the same contract; with another one refused; two at once are one', async () => {
    const [a, b] = await Promise.all([declared(), declared()]);
    expect(a).toEqual(b);
    expect(await declared()).toEqual(a);
    await expect(declared({ partner: 'P-2' })).rejects.toMatchObject({ code: 'duplicate_with_other_body' });
    expect(await where()).toEqual({ 'L-1': [0, 0, 10, 0], 'L-2': [5, 0, 5, 0], 'L-3': [10, 0, 0, 0] });
    const [row] = (await store().pool.query<{ topic: string; workflow_type: string; workflow_id: string; input: unknown }>(`select topic, workflow_type, workflow_id, input from outbox where workflow_id is not null order by id desc limit 1`)).rows;
    const dec = encodeId('dec', await id());
    expect(row).toEqual({ topic: 'start_workflow', workflow_type: DECLARATION_WORKFLOW, workflow_id: declarationWorkflowId(dec), input: { v: 1, declaration: dec } });
  });

  test('two sessions want the same units at once: one gets them', async () => {
    const lines = [{ sku, sources: [{ location: 'L-1', units: 7 }] }];
    const results = await Promise.allSettled([declared({ lines }), declared({ code: `${code}-B`, lines })]);
    expect(results.map((r) => r.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(results.find((r) => r.status === 'rejected')).toMatchObject({ reason: { code: 'insufficient_stock', field: '/lines/0/sources/0/units', extra: { available: 3 } } });
    expect((await where())['L-1']).toEqual([3, 0, 7, 0]);
  });
});

describe('refused, and nothing has changed', () => {
  const cases: [string, Partial<DeclareRequest> | (() => Promise<Partial<DeclareRequest>>), string, string][] = [
    ['more than there is', { lines: [] }, 'insufficient_stock', '/lines/0/sources/1/units'],
    ['an unknown SKU', { lines: [{ sku: 'SKU-NONE', sources: [{ location: 'L-1', units: 1 }] }] }, 'unknown_sku', '/lines/0/sku'],
    ['an unknown location', () => Promise.resolve({ lines: [{ sku, sources: [{ location: 'L-1', units: 1 }, { location: 'L-9', units: 1 }] }] }), 'unknown_location', '/lines/0/sources/1/location'],
    ['an unknown unit', () => Promise.resolve({ lines: [{ sku, unit: 'pallet', sources: [{ location: 'L-1', units: 1 }] }] }), 'unprocessable', '/lines/0/unit'],
    ['an unknown supply', () => Promise.resolve({ lines: [{ sku, sources: [{ supply: 'PO-NONE', units: 1 }] }] }), 'unprocessable', '/lines/0/sources/0/supply'],
    ['an unknown channel', { channel: 'nobody' }, 'unknown_channel', '/channel'],
    ['one SKU twice', () => Promise.resolve({ lines: [{ sku, sources: [{ location: 'L-1', units: 1 }] }, { sku, sources: [{ location: 'L-2', units: 1 }] }] }), 'unprocessable', '/lines/1/sku'],
    ['neither location nor supply', () => Promise.resolve({ lines: [{ sku, sources: [{ units: 1 }] }] }), 'unprocessable', '/lines/0/sources/0'],
    ['an end before the begin', () => Promise.resolve({ endsAt: at(-2) }), 'unprocessable', '/endsAt'],
    ['an end in the past', () => Promise.resolve({ startsAt: at(-3), endsAt: at(-2) }), 'unprocessable', '/endsAt'],
    ['a supply that should have come', async () => ({ lines: [{ sku, sources: [{ supply: await supply(-1), units: 1 }] }] }), 'conflict', '/lines/0/sources/0/supply'],
    ['a supply without a date', async () => ({ lines: [{ sku, sources: [{ supply: await supply(null), units: 1 }] }] }), 'conflict', '/lines/0/sources/0/supply'],
    ['a supply that comes after the end', async () => ({ lines: [{ sku, sources: [{ supply: await supply(5), units: 1 }] }] }), 'conflict', '/lines/0/sources/0/supply'],
    ['a supply that was received', async () => ({ lines: [{ sku, sources: [{ supply: await supply(1, 'received'), units: 1 }] }] }), 'conflict', '/lines/0/sources/0/supply'],
    ['a supply that was cancelled', async () => ({ lines: [{ sku, sources: [{ supply: await supply(1, 'cancelled'), units: 1 }] }] }), 'conflict', '/lines/0/sources/0/supply'],
    ['more than a supply has', async () => ({ lines: [{ sku, sources: [{ supply: await supply(1), units: 7 }] }] }), 'insufficient_stock', '/lines/0/sources/0/units'],
    ['a code that another allotment has', { code: 'taken' }, 'conflict', '/code'],
  ];
  test.each(cases)('%s', async (name, made, problem, field) => {
    await store().pool.query(`insert into allotments (kind, name, code, parent_id) values ('campaign', 'x', 'taken', 0) on conflict do nothing`);
    const changes = typeof made === 'function' ? await made() : name === 'more than there is' ? { lines: [{ sku, sources: [{ location: 'L-1', units: 10 }, { location: 'L-2', units: 11 }] }] } : made;
    const before = await fingerprint();
    await expect(declared(changes)).rejects.toMatchObject({ code: problem, field });
    expect(await fingerprint()).toEqual(before);
  });

  test('buffers of the shared stock stay', async () => {
    await store().network.loadSkus([sku]);
    await store().pool.query('update stock_levels set buffer = 4 where sku_id = $1 and location_id = $2', [store().network.knownSku(sku)!.id, world.locationId('L-1')]);
    await expect(declared()).rejects.toMatchObject({ code: 'insufficient_stock', extra: { available: 6 } });
    expect(await where()).toEqual(FULL);
  });
});

describe('the show', () => {
  test('sales burn it down, cancellations give back to it', async () => {
    await declared();
    await advance();
    await buy(4);
    const second = await buy(3);
    expect(await line()).toEqual({ sku, declared: 15, toppedUp: 0, givenBack: 0, sold: 7, reserved: 7, issued: 0, beyond: 0, cancelled: 0, returned: 0, short: 0, free: 8, firm: 8, soft: 0, released: 0, oversold: 0 });
    await cancelOrder(store().writer, decodeId('ord', second.id) as string, 'changed my mind', 'key:test');
    expect(await view()).toMatchObject({ status: 'live', at: at(0), lines: [{ sold: 4, cancelled: 3, free: 11, oversold: 0 }] });
  });

  test('150 buyers want 100 units: exactly 100 get one, the others are refused, the shared stock is untouched', async () => {
    await world.setStock(sku, { 'L-1': 60, 'L-2': 60, 'L-3': 60 });
    await declared({ lines: [{ sku, sources: [{ location: 'L-1', units: 50 }, { location: 'L-2', units: 50 }] }] });
    const results = await Promise.allSettled(Array.from({ length: 150 }, () => buy(1)));
    expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(100);
    for (const r of results) if (r.status === 'rejected') expect(r.reason).toMatchObject({ code: 'insufficient_stock' });
    expect(await line()).toMatchObject({ sold: 100, free: 0, oversold: 0 });
    expect(await where()).toEqual({ 'L-1': [10, 0, 0, 50], 'L-2': [10, 0, 0, 50], 'L-3': [60, 0, 0, 0] });
  });

  test('top-up and give-back, once each by reference', async () => {
    await declared({ lines: [{ sku, sources: [{ location: 'L-1', units: 2 }] }] });
    const more = { reference: 'T-1', lines: [{ sku, sources: [{ location: 'L-1', units: 3 }, { location: 'L-3', units: 4 }] }] };
    const answers = await Promise.all([topUp(store().writer, store().network, code, more), topUp(store().writer, store().network, code, more)]);
    expect(answers[0]).toMatchObject({ reference: 'T-1', units: 7, lines: [{ firm: 7 }] });
    expect(answers[1]).toEqual(answers[0]);
    await buy(8);
    const left = Object.entries(await where()).find(([, [, , free]]) => free === 1);
    const back = { reference: 'B-1', lines: [{ sku, sources: [{ location: left![0], units: 1 }] }] };
    expect(await giveBack(store().writer, store().network, code, back)).toEqual({ reference: 'B-1', units: 1 });
    expect(await giveBack(store().writer, store().network, code, back)).toEqual({ reference: 'B-1', units: 1 });
    expect(await line()).toMatchObject({ declared: 2, toppedUp: 7, givenBack: 1, sold: 8, free: 0, oversold: 0 });
    await expect(giveBack(store().writer, store().network, code, { ...back, reference: 'B-2' })).rejects.toMatchObject({ code: 'insufficient_stock', extra: { available: 0 } });
    await expect(topUp(store().writer, store().network, code, { ...more, reference: 'T-2', lines: [{ sku, sources: [{ location: 'L-1', units: 7 }] }] })).rejects.toMatchObject({ code: 'insufficient_stock', field: '/lines/0/sources/0/units' });
  });

  test('a buyer and a give-back race for the last unit: one of them has it', async () => {
    await declared({ lines: [{ sku, sources: [{ location: 'L-1', units: 1 }] }] });
    const results = await Promise.allSettled([buy(1), giveBack(store().writer, store().network, code, { reference: 'B', lines: [{ sku, sources: [{ location: 'L-1', units: 1 }] }] })]);
    expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(1);
    const { sold, givenBack, free } = await line();
    expect([sold + givenBack, free]).toEqual([1, 0]);
  });
});

describe('the end', () => {
  test('before its start it can be cancelled: everything goes home, once', async () => {
    await declared({ startsAt: at(1) });
    await expect(endEarly(store().writer, code, 'why not')).rejects.toMatchObject({ code: 'conflict' });
    await cancelDeclaration(store().writer, code, 'partner is ill');
    await cancelDeclaration(store().writer, code, 'partner is ill');
    expect(await where()).toEqual(FULL);
    expect(await view()).toMatchObject({ status: 'cancelled', endReason: 'partner is ill', lines: [{ free: 0, released: 15 }] });
    expect(await advance()).toMatchObject({ step: { do: 'finish' } });
    await store().network.reload();
    await expect(buy(1)).rejects.toMatchObject({ field: '/session' });
  });

  test('once begun it can be ended early, not cancelled', async () => {
    await declared();
    await expect(cancelDeclaration(store().writer, code, 'no')).rejects.toMatchObject({ code: 'conflict' });
    await endEarly(store().writer, code, 'stream broke down');
    await endEarly(store().writer, code, 'again');
    expect(await view()).toMatchObject({ status: 'settling', endReason: 'stream broke down', endedAt: at(0), lines: [{ released: 15, free: 0 }] });
    expect(await where()).toEqual(FULL);
    await expect(topUp(store().writer, store().network, code, { reference: 'T', lines: request().lines })).rejects.toMatchObject({ code: 'conflict' });
    await expect(giveBack(store().writer, store().network, code, { reference: 'B', lines: request().lines })).rejects.toMatchObject({ code: 'conflict' });
  });

  test('unsold units go home at its time; the settlement waits for payments; what is cancelled later goes home too', async () => {
    await declared();
    expect(await advance()).toEqual({ status: 'live', step: { do: 'wait', until: at(4) } });
    world.now = new Date(world.now.getTime() + 4 * HOUR - 60_000);
    const paid = await buy(4);
    const unpaid = await buy(2, { payment: { status: 'unpaid' } });
    world.now = new Date(world.now.getTime() + 60_000);
    await expect(buy(1)).rejects.toMatchObject({ field: '/session' });
    const due = new Date(world.now.getTime() + 29 * 60_000 + 5_000).toISOString();
    expect(await advance()).toEqual({ status: 'settling', step: { do: 'wait', until: due } });
    expect(await view()).toMatchObject({ status: 'settling', report: null, lines: [{ sold: 6, released: 9, free: 0 }] });
    const standing = await where();
    expect(Object.values(standing).reduce((sum, [free]) => sum + free!, 0)).toBe(24);
    world.now = new Date(world.now.getTime() + 30 * 60_000);
    expect(await expireDue(store().writer)).toBeGreaterThan(0);
    expect(await world.status(unpaid.id)).toBe('expired');
    expect(await advance()).toMatchObject({ status: 'settled', step: { do: 'wait' } });
    const { report } = await view();
    expect(report).toMatchObject({ code, late: false, settledAt: world.now.toISOString(), totals: { declared: 15, sold: 4, cancelled: 2, released: 11, oversold: 0, free: 0 }, lines: [{ sku, sold: 4, cancelled: 2, released: 11, oversold: 0 }] });
    await cancelOrder(store().writer, decodeId('ord', paid.id) as string, 'changed my mind', 'key:test');
    expect(await advance()).toEqual({ status: 'settled', step: { do: 'finish' } });
    expect(await where()).toEqual(FULL);
    expect((await view()).report).toEqual(report);
  });

  test('the settlement waits for payments no longer than its deadline', async () => {
    await declared();
    await buy(3, { payment: { status: 'unpaid' } });
    await store().pool.query(`update orders set payment_due_at = payment_due_at + interval '9 days' where allotment_id = (select allotment_id from declarations where code = $1)`, [code]);
    world.now = new Date(world.now.getTime() + 4 * HOUR);
    expect(await advance()).toEqual({ status: 'settling', step: { do: 'wait', until: at(24) } });
    world.now = new Date(world.now.getTime() + 24 * HOUR);
    await advance();
    expect((await view()).report).toMatchObject({ late: true, totals: { sold: 3, released: 12, oversold: 0 } });
  });

  test('soft units go back to their supply while it is open', async () => {
    const reference = await supply(3);
    await declared({ lines: [{ sku, sources: [{ supply: reference, units: 6 }] }] });
    await endEarly(store().writer, code, 'over');
    expect(await world.one(`select v.allotment_id, v.on_hand from stock_levels v join supplies s on s.id = v.supply_id where s.reference = $1 and v.on_hand > 0`, reference)).toEqual({ allotment_id: 0, on_hand: 6 });
  });

  test('without a workflow: ended a little later by housekeeping, which also brings home what is freed afterwards', async () => {
    await declared();
    const paid = await buy(4);
    await tendDeclarations(store().writer);
    expect((await view()).status).toBe('declared');
    world.now = new Date(world.now.getTime() + 4 * HOUR + 10_000);
    await Promise.all([tendDeclarations(store().writer), tendDeclarations(store().writer)]);
    expect(await view()).toMatchObject({ status: 'settled', lines: [{ sold: 4, released: 11, free: 0 }] });
    await cancelOrder(store().writer, decodeId('ord', paid.id) as string, 'changed my mind', 'key:test');
    await tendDeclarations(store().writer);
    expect(await where()).toEqual(FULL);
    expect(await world.one('select emptied_at from declarations where code = $1', code)).toEqual({ emptied_at: world.now });
    expect((await world.one<{ n: number }>(`select count(*)::int n from declaration_releases where declaration_id = $1`, await id())).n).toBeGreaterThan(1);
  });

  test('two processes end it at once: once', async () => {
    await declared();
    await buy(5);
    world.now = new Date(world.now.getTime() + 5 * HOUR);
    await Promise.all([advance(), advance(), endEarly(store().writer, code, 'by hand')]);
    expect(await view()).toMatchObject({ status: 'settled', lines: [{ sold: 5, released: 10, free: 0, oversold: 0 }] });
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { CaptureOutcome } from '../../db/capture/outcome.ts';
import { prepareOrder } from '../../db/capture/prepare.ts';
import { openStore, type Store } from '../../db/store.ts';
import type { OrderIntake } from '../../domain/order/intake.ts';
import { VAULT_KEY, World } from '../support/world.ts';

const LOCATIONS = 10;
let world: World;
let skus = 0;
const others: Store[] = [];
beforeAll(async () => { world = await World.create({ locations: LOCATIONS, skus: 40, stock: 0 }); });
afterEach(async () => { for (const store of others.splice(0)) await store.close(); });
afterAll(async () => { await world.close(); });

/** Another process on the same database; what it does not change itself it hears of only every `refreshMs`. */
async function otherProcess(refreshMs = 3_600_000): Promise<Store> {
  const store = await openStore({ url: world.database.url, vaultKey: VAULT_KEY, clock: () => world.now, refreshMs });
  others.push(store);
  return store;
}

async function sku(stock: Record<string, number>): Promise<string> {
  const code = `SKU-${++skus}`;
  await world.setStock(code, stock);
  return code;
}

async function submit(store: Store, changes: Partial<OrderIntake>, key: string | null = null): Promise<CaptureOutcome> {
  const intake = world.intake(changes);
  await store.network.loadSkus(intake.lines.map((l) => l.sku));
  return store.capture.submit(prepareOrder(intake, store.network, store.vault, world.now, { apiKeyId: 1, idempotencyKey: key, actor: 'key:test', locationId: null }));
}

const buyer = (n: number): Partial<OrderIntake> => ({ externalId: `buyer-${skus}-${n}`, shipTo: { name: `Buyer ${n}`, phone: `555${skus}${n}`, country: 'CN', province: 'Shanghai', city: 'Shanghai', street: `${n} Road` } });

/** What every table holds of the orders of one SKU. */
const counts = (code: string) => world.one<Record<string, number>>(
  `with o as (select distinct order_id id from order_lines where sku_code = $1)
   select (select count(*)::int from o) lines, (select count(*)::int from orders where id in (select id from o)) orders, (select count(*)::int from order_events where order_id in (select id from o)) events,
     (select count(*)::int from outbox where order_id in (select id from o)) outbox, (select count(*)::int from reservations where order_id in (select id from o)) reservations,
     (select count(*)::int from vault_records v join orders r on r.contact_id = v.id where r.id in (select id from o)) contacts`, code);
const totals = () => world.one<Record<string, number>>(
  `select ${['orders', 'order_lines', 'order_events', 'vault_records', 'reservations', 'outbox', 'shortages', 'order_holds', 'idempotency_keys'].map((t) => `(select count(*)::int from ${t}) ${t}`).join(', ')}`);
const reserved = async (code: string): Promise<number> => Object.values(await world.stock(code)).reduce((sum, [, r]) => sum + r, 0);

/** 200 buyers, 100 units: who got one, and that nothing at all was written for the others. */
async function sale(stores: readonly Store[], code: string, units = 100): Promise<CaptureOutcome[]> {
  const before = await totals();
  const outcomes = await Promise.all(Array.from({ length: 200 }, (_, n) => submit(stores[n % stores.length]!, { ...buyer(n), lines: [{ sku: code, quantity: 1, unitPrice: 100 }] }, `sale-${code}-${n}`)));
  const captured = outcomes.filter((o) => 'answer' in o);
  const refused = outcomes.flatMap((o) => ('problem' in o ? [o.problem.code] : []));
  expect([captured.length, refused.length, new Set(refused)]).toEqual([units, 200 - units, new Set(['insufficient_stock'])]);
  expect(await reserved(code)).toBe(units);
  expect(await counts(code)).toEqual({ lines: units, orders: units, events: units, outbox: units, reservations: units, contacts: units });
  const after = await totals();
  expect(Object.fromEntries(Object.entries(after).map(([table, n]) => [table, n - before[table]!]))).toEqual(
    { orders: units, order_lines: units, order_events: units, vault_records: units, reservations: units, outbox: units, shortages: 0, order_holds: 0, idempotency_keys: 200 });
  const replies = await world.store.pool.query<{ status: number; n: number }>(`select status, count(*)::int n from idempotency_keys where key like $1 group by 1 order by 1`, [`sale-${code}-%`]);
  expect(replies.rows).toEqual([{ status: 201, n: units }, { status: 409, n: 200 - units }]);
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  return outcomes;
}

test('200 buyers at once, 100 in stock: exactly 100', async () => {
  await sale([world.store], await sku({ 'L-1': 100 }));
});

test('the same with the stock at ten locations', async () => {
  await sale([world.store], await sku(Object.fromEntries(Array.from({ length: LOCATIONS }, (_, i) => [`L-${i + 1}`, 10]))));
});

test('the same by two processes that do not hear of each other', async () => {
  const code = await sku({ 'L-1': 100 });
  await sale([world.store, await otherProcess()], code);
});

test('the same by two processes, one unit here, one there', async () => {
  const code = await sku(Object.fromEntries(Array.from({ length: LOCATIONS }, (_, i) => [`L-${i + 1}`, i < 5 ? 18 : 2])));
  await sale([world.store, await otherProcess()], code);
});

test('the same by two processes under another\'s sales of several SKUs: no deadlock comes through', async () => {
  const codes = await Promise.all([sku({ 'L-1': 30, 'L-2': 30 }), sku({ 'L-1': 30, 'L-2': 30 }), sku({ 'L-2': 30, 'L-1': 30 })]);
  const stores = [world.store, await otherProcess(), await otherProcess()];
  const outcomes = await Promise.all(Array.from({ length: 150 }, (_, n) => submit(stores[n % 3]!, {
    ...buyer(n), lines: codes.map((_c, i) => ({ sku: codes[(i + n) % 3]!, quantity: 1, unitPrice: 100 })),
  })));
  expect(outcomes.filter((o) => 'answer' in o)).toHaveLength(60);
  expect(await Promise.all(codes.map(reserved))).toEqual([60, 60, 60]);
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});

test('who ranks by old figures finds the last unit all the same, wherever it is', async () => {
  const code = await sku(Object.fromEntries(Array.from({ length: LOCATIONS }, (_, i) => [`L-${i + 1}`, 1])));
  const stale = await otherProcess();
  // Everything but the farthest location is sold out meanwhile.
  const sold = await Promise.all(Array.from({ length: LOCATIONS - 1 }, (_, n) => submit(world.store, { ...buyer(n), lines: [{ sku: code, quantity: 1, unitPrice: 100 }] })));
  expect(sold.filter((o) => 'answer' in o)).toHaveLength(LOCATIONS - 1);
  expect(await submit(stale, { lines: [{ sku: code, quantity: 1, unitPrice: 100 }] })).toMatchObject({ repeated: false, answer: { missing: [] } });
  expect(await submit(stale, { lines: [{ sku: code, quantity: 1, unitPrice: 100 }] })).toMatchObject({ problem: { code: 'insufficient_stock' } });
  expect(await reserved(code)).toBe(LOCATIONS);
});

test('a loser that is refused leaves the rest to the losers after it', async () => {
  const code = await sku({ 'L-1': 10, 'L-2': 3 });
  const stale = await otherProcess();
  expect(await submit(world.store, { lines: [{ sku: code, quantity: 10, unitPrice: 100 }] })).toMatchObject({ repeated: false });
  const [five, two] = await Promise.all([submit(stale, { lines: [{ sku: code, quantity: 5, unitPrice: 100 }] }), submit(stale, { lines: [{ sku: code, quantity: 2, unitPrice: 100 }] })]);
  expect(five).toMatchObject({ problem: { extra: { missing: [{ line: 1, sku: code, quantity: expect.any(Number) as number }] } } });
  expect(two).toMatchObject({ answer: { reserved: [{ line: 1, location: 'L-2', quantity: 2 }] } });
});

test('an order refused for another\'s sake is tried again when that one is refused too', async () => {
  const [scarce, gone] = [await sku({ 'L-1': 1 }), await sku({ 'L-1': 1 })];
  const stale = await otherProcess();
  expect(await submit(world.store, { lines: [{ sku: gone, quantity: 1, unitPrice: 100 }] })).toMatchObject({ repeated: false });
  const [both, one] = await Promise.all([
    submit(stale, { lines: [{ sku: scarce, quantity: 1, unitPrice: 100 }, { sku: gone, quantity: 1, unitPrice: 100 }] }, `both-${scarce}`),
    submit(stale, { lines: [{ sku: scarce, quantity: 1, unitPrice: 100 }] }, `one-${scarce}`),
  ]);
  expect(both).toMatchObject({ problem: { code: 'insufficient_stock' } });
  expect(one).toMatchObject({ repeated: false, answer: { reserved: [{ line: 1, location: 'L-1', quantity: 1 }] } });
  expect(await reserved(scarce)).toBe(1);
  const { rows } = await world.store.pool.query<{ key: string; status: number }>('select key, status from idempotency_keys where key like $1 order by 1', [`%-${scarce}`]);
  expect(rows).toEqual([{ key: `both-${scarce}`, status: 409 }, { key: `one-${scarce}`, status: 201 }]);
});

test('the same order at once to two processes, with keys and without: one order, one answer', async () => {
  const code = await sku({ 'L-1': 500 });
  const other = await otherProcess();
  for (let round = 0; round < 5; round++) {
    const body = { externalId: `both-${randomUUID()}`, lines: [{ sku: code, quantity: 2, unitPrice: 100 }] };
    const outcomes = await Promise.all(Array.from({ length: 40 }, (_, n) => submit(n % 2 ? other : world.store, body, n % 4 < 2 ? null : `both-${body.externalId}-${n % 3}`)));
    const [first] = outcomes;
    if (!first || !('answer' in first)) throw new Error('not captured');
    for (const outcome of outcomes) expect(outcome).toMatchObject({ answer: first.answer });
    expect(outcomes.filter((o) => 'answer' in o && !o.repeated)).toHaveLength(1);
  }
  expect((await counts(code)).orders).toBe(5);
  expect(await reserved(code)).toBe(10);
});

test('the same order at once with two bodies: one of them is captured, the others are refused', async () => {
  const code = await sku({ 'L-1': 500 });
  const other = await otherProcess();
  const externalId = `bodies-${randomUUID()}`;
  const outcomes = await Promise.all(Array.from({ length: 40 }, (_, n) => submit(n % 2 ? other : world.store, { externalId, lines: [{ sku: code, quantity: 1 + (n % 4 < 2 ? 0 : 1), unitPrice: 100 }] })));
  const captured = outcomes.flatMap((o) => ('answer' in o ? [o.answer] : []));
  expect(captured).toHaveLength(20);
  for (const answer of captured) expect(answer).toEqual(captured[0]);
  expect(new Set(outcomes.flatMap((o) => ('problem' in o ? [o.problem.code] : [])))).toEqual(new Set(['duplicate_with_other_body']));
  expect((await counts(code)).orders).toBe(1);
  expect(await reserved(code)).toBe(captured[0]!.reserved[0]!.quantity);
});

test('one new person in orders of two processes at once is one person', async () => {
  const code = await sku({ 'L-1': 500 });
  const other = await otherProcess();
  const { n } = await world.one<{ n: number }>('select count(*)::int n from persons');
  const shipTo = { name: 'Same Person', phone: `777${randomUUID()}`, country: 'CN', province: 'Shanghai', city: 'Shanghai', street: '1 Road' };
  const outcomes = await Promise.all(Array.from({ length: 60 }, (_, i) => submit(i % 2 ? other : world.store, { lines: [{ sku: code, quantity: 1, unitPrice: 100 }], shipTo })));
  expect(outcomes.filter((o) => 'answer' in o)).toHaveLength(60);
  expect(await world.one('select count(*)::int n from persons')).toEqual({ n: n + 1 });
  expect(await world.one(`select count(distinct person_id)::int persons, count(*)::int orders from orders where id in (select order_id from order_lines where sku_code = $1)`, code)).toEqual({ persons: 1, orders: 60 });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { closeAllotment } from '../../../db/stock/allotments/close.ts';
import { moveByHand } from '../../../db/stock/allotments/move-by-hand.ts';
import { putAllotment, type AllotmentInput } from '../../../db/stock/allotments/put-allotment.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let clerk: string;
let skus = 0;
beforeAll(async () => {
  api = await TestApi.open({ skus: 20, stock: 0 });
  clerk = await api.key('clerk', ['returns:write', 'orders:read']);
});
afterAll(async () => {
  expect((await runAudit(api.world.store.pool, { now: api.world.now })).violations).toEqual([]);
  await api.close();
});

async function allotment(code: string, units: number, sku: string, changes: Partial<AllotmentInput> = {}): Promise<void> {
  const { writer, network } = api.world.store;
  await putAllotment(writer, code, { name: code, kind: 'campaign', overflow: 'parent', ...changes });
  if (units > 0) await moveByHand(writer, network, code, { reference: 'M-1', lines: [{ sku, location: 'L-1', units }] });
  await network.reload();
  await api.world.store.projection.refresh();
}
async function stocked(): Promise<string> {
  const sku = `SKU-${++skus}`;
  await api.world.setStock(sku, { 'L-1': 10 });
  return sku;
}
async function delivered(sku: string, session: string, quantity: number): Promise<string> {
  const id = await api.order({ session, lines: [{ sku, quantity, unitPrice: 1000 }] });
  await api.deliver(id);
  return id;
}
async function giveBack(id: string, quantity: number, disposition: 'restock' | 'damaged' | 'dispose' = 'restock'): Promise<void> {
  const asked = await api.call(clerk, 'POST', `/v1/orders/${id}/returns`, { kind: 'refund', reason: 'too small', method: 'label', lines: [{ line: 1, quantity }] });
  const rma = asked.body['rma'] as string;
  await api.advance(id);
  await api.call(clerk, 'POST', `/v1/returns/${rma}/receive`, { lines: [{ line: 1, quantity }] });
  await api.call(clerk, 'POST', `/v1/returns/${rma}/inspect`, { lines: [{ line: 1, disposition, accepted: quantity }] });
  await api.advance(id);
  expect((await api.call(clerk, 'GET', `/v1/returns/${rma}`)).body['status']).toBe('closed');
}
/** Units on hand by `allotment` (shared: ''), `damaged` ones apart. */
async function held(sku: string): Promise<Record<string, number>> {
  const { rows } = await api.world.store.pool.query<{ key: string; units: number }>(
    `select a.code || case v.condition when 'sellable' then '' else ' ' || v.condition end as key, sum(v.on_hand)::int units from stock_levels v join allotments a on a.id = v.allotment_id
     join skus s on s.id = v.sku_id where s.code = $1 and v.on_hand > 0 group by 1 order by 1`, [sku]);
  return Object.fromEntries(rows.map((r) => [r.key, r.units]));
}
const borrowed = async (code: string): Promise<number> =>
  (await api.world.one<{ n: number }>(`select coalesce(sum(borrowed), 0)::int n from allotment_borrowings b join allotments a on a.id = b.allotment_id where a.code = '${code}'`)).n;

test('returned units go where they were issued from, in the order in which they were reserved; damaged ones to the shared stock', async () => {
  const sku = await stocked();
  await allotment('open', 2, sku);
  const id = await delivered(sku, 'open', 5);
  expect(await held(sku)).toEqual({ '': 5 });
  await giveBack(id, 1);
  expect(await held(sku)).toEqual({ '': 5, open: 1 });
  await giveBack(id, 1, 'damaged');
  await giveBack(id, 1);
  expect(await held(sku)).toEqual({ '': 6, ' damaged': 1, open: 1 });
  await giveBack(id, 1, 'dispose');
  await giveBack(id, 1);
  expect(await held(sku)).toEqual({ '': 7, ' damaged': 1, open: 1 });
});

test('a closed allotment is passed over for its nearest open parent', async () => {
  const sku = await stocked();
  await allotment('top', 5, sku);
  await allotment('middle', 3, sku, { parent: 'top' });
  await allotment('bottom', 2, sku, { parent: 'middle' });
  const id = await delivered(sku, 'bottom', 2);
  await closeAllotment(api.world.store.writer, 'bottom');
  await giveBack(id, 1);
  expect(await held(sku)).toEqual({ '': 5, middle: 2, top: 2 });
  await closeAllotment(api.world.store.writer, 'middle');
  await closeAllotment(api.world.store.writer, 'top');
  await giveBack(id, 1);
  expect(await held(sku)).toEqual({ '': 10 });
});

test('what was borrowed is paid back by a return', async () => {
  const sku = await stocked();
  await allotment('debtor', 1, sku, { overflow: 'borrow', borrowLimit: 3 });
  const id = await delivered(sku, 'debtor', 3);
  expect(await borrowed('debtor')).toBe(2);
  await giveBack(id, 2);
  expect([await borrowed('debtor'), await held(sku)]).toEqual([1, { '': 8, debtor: 1 }]);
});

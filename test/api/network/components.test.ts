import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { decodeId } from '../../../domain/ids.ts';
import { TestApi } from '../../support/api.ts';
import { refused, send, type Reply } from './requests.ts';

let api: TestApi;
let admin: string;
let skus = 0;
beforeAll(async () => {
  api = await TestApi.open({ skus: 120, stock: 0 });
  admin = await api.key('admin', SCOPES);
});
afterAll(async () => {
  expect((await runAudit(api.world.store.pool, { now: api.world.now })).violations).toEqual([]);
  await api.close();
});

type Component = { sku: string; quantity: number; priceShare?: number };
const put = (sku: string, components: Component[], key = admin): Promise<Reply> => send(api, key, 'PUT', `/v1/skus/${sku}/components`, { components });
const some = (n: number): string[] => Array.from({ length: n }, () => `SKU-${++skus}`);
const detail = async (id: string): Promise<Record<string, unknown>[]> => (await send(api, admin, 'GET', `/v1/orders/${id}`)).body['lines'] as Record<string, unknown>[];

describe('components', () => {
  test('are said, changed and taken away', async () => {
    const [set, a, b] = some(3) as [string, string, string];
    expect(await put(set, [{ sku: b, quantity: 2, priceShare: 0 }, { sku: a, quantity: 1, priceShare: 7 }])).toEqual({ status: 200, body: { sku: set, components: [{ sku: b, quantity: 2, priceShare: 0 }, { sku: a, quantity: 1, priceShare: 7 }] } });
    expect((await put(set, [{ sku: a, quantity: 3 }])).body).toEqual({ sku: set, components: [{ sku: a, quantity: 3, priceShare: null }] });
    expect((await send(api, admin, 'GET', `/v1/skus/${set}/components`)).body).toEqual({ sku: set, components: [{ sku: a, quantity: 3, priceShare: null }] });
    expect((await put(set, [])).body).toEqual({ sku: set, components: [] });
  });

  test('refused, and nothing changed', async () => {
    const [set, a, b, outer] = some(4) as [string, string, string, string];
    await put(set, [{ sku: a, quantity: 1 }]);
    await refused(api, () => put('NONE', [{ sku: a, quantity: 1 }]), 404, 'not_found');
    await refused(api, () => put(outer, [{ sku: 'NONE', quantity: 1 }]), 422, 'unknown_sku', '/components/0/sku');
    await refused(api, () => put(outer, [{ sku: a, quantity: 1 }, { sku: outer, quantity: 1 }]), 422, 'unprocessable', '/components/1/sku');
    await refused(api, () => put(outer, [{ sku: set, quantity: 1 }]), 422, 'unprocessable', '/components/0/sku');
    await refused(api, () => put(a, [{ sku: b, quantity: 1 }]), 409, 'conflict');
    await refused(api, () => put(outer, [{ sku: a, quantity: 1 }, { sku: a, quantity: 1 }]), 422, 'unprocessable', '/components/1/sku');
    await refused(api, () => put(outer, [{ sku: a, quantity: 1, priceShare: 1 }, { sku: b, quantity: 1 }]), 422, 'unprocessable', '/components');
    await refused(api, () => put(outer, [{ sku: a, quantity: 1, priceShare: 0 }]), 422, 'unprocessable', '/components');
    await refused(api, () => put(outer, Array.from({ length: 51 }, (_, i) => ({ sku: `SKU-${i + 1}`, quantity: 1 }))), 400, 'invalid', '/components');
    await refused(api, () => put(outer, [{ sku: a, quantity: 0 }]), 400, 'invalid', '/components/0/quantity');
    const shop = await api.key('shop', SCOPES, 'L-1');
    await refused(api, () => put(outer, [{ sku: a, quantity: 1 }], shop), 403, 'forbidden');
    await refused(api, () => send(api, admin, 'GET', '/v1/skus/NONE/components'), 404, 'not_found');
  });

  test('two bundles that name each other at once: one of them', async () => {
    for (let i = 0; i < 5; i++) {
      const [a, b] = some(2) as [string, string];
      const replies = await Promise.all([put(a, [{ sku: b, quantity: 1 }]), put(b, [{ sku: a, quantity: 1 }])]);
      expect(replies.filter((r) => r.status === 200)).toHaveLength(1);
    }
  });
});

describe('orders of bundles', () => {
  test('one line for each component; money to the minor unit; what the client calls line 2 is line 2', async () => {
    const [set, a, b, x] = some(4) as [string, string, string, string];
    for (const sku of [a, b, x]) await api.world.setStock(sku, { 'L-1': 20 });
    await put(set, [{ sku: a, quantity: 2, priceShare: 1 }, { sku: b, quantity: 1, priceShare: 2 }]);
    const reply = await send(api, admin, 'POST', '/v1/orders', api.world.intake({
      lines: [{ sku: set, quantity: 3, unitPrice: 1000, discounts: [{ bearer: 'shop', code: 'TEN', amount: 100 }], gift: true }, { sku: x, quantity: 1, unitPrice: 500 }], freight: 10, discounts: [{ bearer: 'platform', code: 'ALL', amount: 340 }],
    }));
    expect([reply.status, reply.body['total'], reply.body['reserved']]).toEqual([201, 3000 + 500 - 100 - 340 + 10,
      [{ line: 1, location: 'L-1', quantity: 6 }, { line: 2, location: 'L-1', quantity: 1 }, { line: 3, location: 'L-1', quantity: 3 }]]);
    const lines = await detail(reply.body['id'] as string);
    expect(lines.map((l) => [l['line'], l['sku'], l['quantity'], l['list'], l['unitPrice'], l['discount'], l['gift'], l['bundle']])).toEqual([
      [1, a, 6, 1000, 167, 33 + 97, true, { sku: set, line: 1 }], [2, x, 1, 500, 500, 50, false, null], [3, b, 3, 2000, 667, 67 + 193, true, { sku: set, line: 1 }],
    ]);
    expect(lines.reduce((sum, l) => sum + Number(l['net']), 0)).toBe(3070);
    expect(lines.reduce((sum, l) => sum + Number(l['discount']), 0)).toBe(440);
    expect(await api.world.stock(a)).toMatchObject({ 'L-1': [20, 6] });
  });

  test('a missing component refuses the bundle at its own line; on a channel of facts it is a shortage of the component', async () => {
    const [set, a, b, x] = some(4) as [string, string, string, string];
    for (const sku of [a, x]) await api.world.setStock(sku, { 'L-1': 20 });
    await put(set, [{ sku: a, quantity: 1 }, { sku: b, quantity: 1 }]);
    const lines = [{ sku: x, quantity: 1, unitPrice: 100 }, { sku: set, quantity: 2, unitPrice: 100 }];
    const reply = await send(api, admin, 'POST', '/v1/orders', api.world.intake({ lines }));
    expect([reply.status, reply.body['code'], reply.body['field'], reply.body['missing']]).toEqual([409, 'insufficient_stock', '/lines/1/quantity', [{ line: 3, sku: b, quantity: 2 }]]);
    expect(await api.world.stock(a)).toMatchObject({ 'L-1': [20, 0] });
    expect((await api.world.capture({ channel: 'douyin', lines })).missing).toEqual([{ line: 3, sku: b, quantity: 2, cause: 'no_stock' }]);
    await send(api, admin, 'PUT', `/v1/skus/${b}`, { name: 'gone', weightG: 1, active: false });
    await expect(api.world.capture({ lines })).rejects.toMatchObject({ code: 'unknown_sku', field: '/lines/1/sku' });
  });

  test('bundles and their components on one order are counted together, with many at once', async () => {
    const [set, a, b] = some(3) as [string, string, string];
    await api.world.setStock(a, { 'L-1': 30 });
    await api.world.setStock(b, { 'L-1': 30 });
    await put(set, [{ sku: a, quantity: 2 }, { sku: b, quantity: 1 }]);
    const lines = [{ sku: set, quantity: 1, unitPrice: 100 }, { sku: a, quantity: 1, unitPrice: 100 }];
    const outcomes = await Promise.allSettled(Array.from({ length: 30 }, () => api.world.capture({ lines })));
    expect(outcomes.filter((o) => o.status === 'fulfilled')).toHaveLength(10);
    expect([await api.world.stock(a), await api.world.stock(b)]).toMatchObject([{ 'L-1': [30, 30] }, { 'L-1': [30, 10] }]);
  });

  test('goes all the way, is refunded to the minor unit, and can be split and merged', async () => {
    const [set, a, b] = some(3) as [string, string, string];
    for (const sku of [a, b]) await api.world.setStock(sku, { 'L-1': 20 });
    await put(set, [{ sku: a, quantity: 3 }, { sku: b, quantity: 1 }]);
    const lines = [{ sku: set, quantity: 1, unitPrice: 1001 }];
    const shipped = await api.order({ lines, freight: 0 });
    await api.deliver(shipped);
    expect(await api.world.status(shipped)).toBe('delivered');
    const { id } = await api.world.capture({ lines, freight: 0 });
    expect((await send(api, admin, 'POST', `/v1/orders/${id}/cancel`, { reason: 'no' })).status).toBeLessThan(300);
    expect(await api.world.refunds(id)).toEqual([['cancellation', 1001]]);
    const { id: whole } = await api.world.capture({ lines, freight: 0 });
    const rows = async () => (await api.world.store.pool.query<{ row: string }>(
      `select format('%s x%s %s %s/%s', l.sku_code, l.quantity, l.list_amount, l.bundle_sku, l.bundle_line) "row" from order_lines l join orders o on o.id = l.order_id where $1 in (o.id, o.parent_id) order by o.id, l.line_no`, [decodeId('ord', whole)])).rows.map((r) => r.row);
    expect(await rows()).toEqual([`${a} x3 751 ${set}/1`, `${b} x1 250 ${set}/1`]);
    const { splitOrder } = await import('../../../db/orders/operate/split-order.ts');
    const { mergeOrders } = await import('../../../db/orders/operate/merge-orders.ts');
    const part = await api.world.store.writer.change((tx) => splitOrder(tx, decodeId('ord', whole)!, [{ line: 1, quantity: 2 }], 'test', 'key:test'));
    expect(await rows()).toEqual([`${a} x1 251 ${set}/1`, `${b} x1 250 ${set}/1`, `${a} x2 500 ${set}/1`]);
    await api.world.store.writer.change((tx) => mergeOrders(tx, api.world.store.network, [decodeId('ord', whole)!, part], 'test', 'key:test'));
    expect(await rows()).toEqual([`${a} x1 251 ${set}/1`, `${b} x1 250 ${set}/1`, `${a} x2 500 ${set}/3`]);
  });

  test('what is no bundle any more is sold as itself; an operator cannot put a bundle on a line', async () => {
    const [set, a, x] = some(3) as [string, string, string];
    for (const sku of [set, a, x]) await api.world.setStock(sku, { 'L-1': 5 });
    await put(set, [{ sku: a, quantity: 1 }]);
    const { id } = await api.world.capture({ lines: [{ sku: x, quantity: 1, unitPrice: 100 }] });
    const { addGift } = await import('../../../db/orders/operate/lines.ts');
    await expect(api.world.store.writer.change((tx) => addGift(tx, api.world.store.network, decodeId('ord', id)!, set, 1, 'test', 'key:test'))).rejects.toMatchObject({ code: 'unprocessable' });
    await put(set, []);
    const { id: plain } = await api.world.capture({ lines: [{ sku: set, quantity: 1, unitPrice: 100 }] });
    expect((await detail(plain)).map((l) => [l['sku'], l['bundle']])).toEqual([[set, null]]);
  });
});

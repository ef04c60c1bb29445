import { afterAll, beforeAll, expect, test } from 'vitest';
import { SCOPES } from '../../../db/api-keys.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let admin: string;
beforeAll(async () => {
  // Warehouses L-1 (Shanghai), L-2 (Beijing), L-3 (Guangzhou); shops L-4 (Shenzhen), L-5 (Chengdu), L-6 (Wuhan).
  api = await TestApi.open({ locations: 6, stock: 0, skus: 3 });
  admin = await api.key('admin', SCOPES);
});
afterAll(async () => { await api.close(); });

const beijing = { name: 'Test Person', phone: '10000000001', country: 'CN', province: 'Beijing', city: 'Beijing', street: '1 Example Road' };
async function share(locations: readonly string[], mode: 'none' | null): Promise<void> {
  for (const location of locations) {
    const { statusCode } = await api.app.inject({ method: 'PUT', url: `/v1/locations/${location}/sharing`, headers: { authorization: `Bearer ${admin}` }, payload: { rules: mode ? [{ channel: 'own', mode }] : [] } });
    expect(statusCode).toBe(200);
  }
}
/** Six customers of the northern region, one after the other; what is sold goes out. Returns sales and what sending cost, minor units, and who sent. */
async function day(sku: string): Promise<{ sales: number; cost: number; from: Record<string, number>; refused: number }> {
  const out = { sales: 0, cost: 0, from: {} as Record<string, number>, refused: 0 };
  for (let i = 0; i < 6; i++) {
    const captured = await api.world.capture({ shipTo: beijing, freight: 0, lines: [{ sku, quantity: 1, unitPrice: 20_000 }] }).catch((problem: { code: string }) => problem);
    if ('code' in captured) {
      expect(captured.code).toBe('insufficient_stock');
      out.refused++;
      continue;
    }
    await api.advance(captured.id);
    for (const f of await api.world.fulfillments(captured.id)) {
      await api.world.issue(f);
      out.from[f.location] = (out.from[f.location] ?? 0) + 1;
    }
    out.sales += 20_000;
    const { body } = await api.call(admin, 'GET', `/v1/orders/${captured.id}/routing`);
    out.cost += (body['decisions'] as { plan: { cost: number } }[])[0]?.plan.cost ?? 0;
  }
  return out;
}

test("one region's shops rescue another region's sold-out warehouse: the uplift, parcels taken off", async () => {
  const shops = ['L-4', 'L-5', 'L-6'];
  const stock = { 'L-2': 2, 'L-4': 9, 'L-6': 2 };
  // Every stock for itself: the northern customers have the northern warehouse only.
  await share([...shops, 'L-1', 'L-3'], 'none');
  await api.world.setStock('SKU-1', stock);
  const apart = await day('SKU-1');
  expect(apart.cost).toBeGreaterThan(0);
  expect([apart.sales, apart.from, apart.refused]).toEqual([40_000, { 'L-2': 2 }, 4]);
  // All of it one stock: the same customers, the same shelves.
  await share([...shops, 'L-1', 'L-3'], null);
  await api.world.setStock('SKU-2', stock);
  const pooled = await day('SKU-2');
  expect([pooled.sales, pooled.refused, Object.values(pooled.from).reduce((a, b) => a + b)]).toEqual([120_000, 0, 6]);
  expect(Object.keys(pooled.from).sort()).toEqual(['L-2', 'L-4', 'L-6']);
  const recovered = (pooled.sales - apart.sales - (pooled.cost - apart.cost)) / 120_000;
  expect(recovered).toBeGreaterThan(0.5);
  expect([await api.world.ledger(), (await api.world.stock('SKU-2'))['L-2']]).toEqual([{ drift: 0, reservedDrift: 0 }, [0, 0]]);
});

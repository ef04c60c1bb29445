import { afterAll, beforeAll, expect, test } from 'vitest';
import { requestRefund } from '../../../db/orders/refund-request.ts';
import { decodeId } from '../../../domain/ids.ts';
import { Problem } from '../../../domain/problem.ts';
import { World } from '../../support/world.ts';

const ORDERS = 500;
let world: World;
beforeAll(async () => { world = await World.create({ locations: 1, stock: 2000 }); });
afterAll(async () => { await world.close(); });

/** In parallel, as wide as the pool of connections bears. */
async function each<T>(items: readonly T[], wide: number, run: (item: T, index: number) => Promise<void>): Promise<void> {
  const rest = [...items.entries()];
  await Promise.all(Array.from({ length: wide }, async () => {
    for (let next = rest.shift(); next; next = rest.shift()) await run(next[1], next[0]);
  }));
}

test(`a refund racing with the hand-over, ${ORDERS} times: exactly one of them wins, never both`, async () => {
  const steps = world.activities(null);
  const captured = await Promise.all(Array.from({ length: ORDERS }, () => world.capture()));
  const ids = captured.map((c) => c.id);
  await each(ids, 8, async (orderId) => {
    await steps.validate({ orderId });
    await steps.reserve({ orderId });
    await steps.route({ orderId });
  });
  await world.store.pool.query(`update fulfillment_orders set status = 'packed', released_at = routed_at, accepted_at = routed_at, packed_at = routed_at`);
  await world.store.pool.query(`update orders set status = 'in_fulfillment'`);

  const outcomes = new Map<string, string>();
  await each(ids, 4, async (id, i) => {
    const [f] = await world.fulfillments(id);
    // The hand-over needs more round trips to reach the order's lock: some refunds start so much later that either may come first.
    const later = async (): Promise<void> => { for (let n = 0; n < i % 5; n++) await world.store.pool.query('select 1'); };
    const refund = () => later().then(() => requestRefund(world.store.writer, decodeId('ord', id) as string, 'race', 'key:test')).then((a) => a.status);
    const issue = () => world.issue({ ...f!, waybillNo: `W-${i}` }).then((a) => a.handOver ?? 'none', (error: unknown) => {
      if (error instanceof Problem) return error.code;
      throw error;
    });
    const [money, goods] = i % 2 === 0 ? await Promise.all([refund(), issue()]) : await Promise.all([issue(), refund()]).then(([g, m]) => [m, g] as const);
    outcomes.set(id, `${money}/${goods}`);
  });
  const won = { refund: 0, handOver: 0 };
  for (const id of ids) {
    const uuid = decodeId('ord', id);
    // Both lock the order, so the order of its events is the order of the commits.
    const events = (await world.events(id)).filter((e) => e === 'refund.requested' || e === 'fulfillment.issued');
    const [f] = await world.fulfillments(id);
    const { status, parcels } = await world.one<{ status: string; parcels: number }>(
      'select status, (select count(*)::int from parcels p where p.order_id = o.id and p.intercept_requested_at is not null) parcels from orders o where id = $1', uuid);
    if (outcomes.get(id) === 'refunded/handover_blocked') {
      won.refund++;
      expect([events, f!.status, status, parcels]).toEqual([['refund.requested'], 'cancelled', 'cancelled', 0]);
      expect(await world.refunds(id)).toEqual([['refund_request', 2800]]);
    } else {
      won.handOver++;
      expect(outcomes.get(id)).toBe('intercepting/allowed');
      expect([events, f!.status, status, parcels]).toEqual([['fulfillment.issued', 'refund.requested'], 'issued', 'shipped', 1]);
      expect(await world.refunds(id)).toEqual([]);
    }
  }
  expect(won.refund + won.handOver).toBe(ORDERS);
  expect(Math.min(won.refund, won.handOver), 'a race that one side always wins tests nothing').toBeGreaterThan(10);
  expect(await world.stock('SKU-1')).toEqual({ 'L-1': [2000 - won.handOver, 0] });
  expect(await world.stock('SKU-2')).toEqual({ 'L-1': [2000 - 2 * won.handOver, 0] });
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});

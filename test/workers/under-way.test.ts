import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Context } from '@temporalio/activity';
import { OrdersUnderWay } from '../../workers/under-way.ts';

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

/** An activity of an order as the worker runs it: `end` lets it return. */
function run(underWay: OrdersUnderWay, activityType: string, args: unknown[]): { end(): void; done: Promise<unknown> } {
  let end = (): void => undefined;
  const running = new Promise<void>((resolve) => { end = resolve; });
  const { inbound } = underWay.interceptor({ info: { activityType } } as unknown as Context);
  return { end: () => { end(); }, done: inbound!.execute!({ args, headers: {} }, () => running) };
}

test('an order counts from its start until it is handed over', async () => {
  const u = new OrdersUnderWay();
  expect(u.count).toBe(0);
  u.started('ord_1');
  u.started('ord_2');
  expect(u.count).toBe(2);
  const validate = run(u, 'validate', [{ orderId: 'ord_1' }]);
  vi.advanceTimersByTime(2_500);
  validate.end();
  await validate.done;
  const ship = run(u, 'ship', [{ orderId: 'ord_1' }]);
  vi.advanceTimersByTime(900);
  expect(u.count).toBe(1); // the other one showed no sign of life for 3 s
  ship.end();
  await ship.done;
  expect(u.count).toBe(0);
});

test('who waits for a slow partner, or for something else, makes room', async () => {
  const u = new OrdersUnderWay();
  u.started('ord_1');
  const slow = run(u, 'ship', [{ orderId: 'ord_1' }]);
  vi.advanceTimersByTime(3_000);
  expect(u.count).toBe(0);
  slow.end();
  await slow.done;
  u.started('ord_2');
  const reserve = run(u, 'reserve', [{ orderId: 'ord_2' }]);
  reserve.end();
  await reserve.done;
  expect(u.count).toBe(1);
  vi.advanceTimersByTime(1_000);
  expect(u.count).toBe(0);
});

test('later activities of an order that was handed over, and those of other workflows, do not count', async () => {
  const u = new OrdersUnderWay();
  for (const args of [[{ orderId: 'ord_9' }], [], [{ rma: 'rma_1' }]]) {
    const track = run(u, 'track', args);
    expect(u.count).toBe(0);
    track.end();
    await track.done;
  }
  expect(u.count).toBe(0);
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { runAudit } from '../../../db/audit/run-audit.ts';
import { mergeOrders } from '../../../db/orders/operate/merge-orders.ts';
import { splitOrder } from '../../../db/orders/operate/split-order.ts';
import { decodeId } from '../../../domain/ids.ts';
import { World } from '../../support/world.ts';

let world: World;
beforeAll(async () => { world = await World.create(); });
afterAll(async () => { await world.close(); });

const order = async (): Promise<string> => decodeId('ord', (await world.capture()).id) as string;
const violations = async () => (await runAudit(world.store.pool, { now: world.now })).violations;

test('split and merged orders keep every law', async () => {
  const id = await order();
  const part = await world.store.writer.change((tx) => splitOrder(tx, id, [{ line: 1, quantity: 1 }, { line: 2, quantity: 1 }], 'test', 'key:test'));
  expect(await violations()).toEqual([]);
  await world.store.writer.change((tx) => mergeOrders(tx, world.store.network, [id, part], 'test', 'key:test'));
  expect(await violations()).toEqual([]);
});

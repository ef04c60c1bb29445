import type { ChannelKind } from '../../../channels/channel.ts';
import { connectorOf } from './connector-of.ts';
import type { ShopScene } from './shop-scene.ts';

/**
 * Reads the list of `count` orders, page by page, while the orders at these places of it change and leave its window. `missed`: those that are in the window still and were not listed; `stayed`: those that should have
 * left and did not. Who left comes with the next window.
 */
export async function readShrinkingList(scene: ShopScene, kind: ChannelKind, count: number, leave: readonly number[]): Promise<{ missed: string[]; stayed: (string | undefined)[] }> {
  const { shop, faults } = scene.platform;
  for (const item of shop.items.values()) item.stock = 1000;
  faults.holdPushes = true;
  const orders = Array.from({ length: count }, () => shop.place({ lines: [{ sku: 'P-3', quantity: 1 }] })?.id ?? '');
  const connector = await connectorOf(scene, kind, scene.account, 10_000);
  const to = scene.world.now.getTime() + 30_000;
  // Some lists are behind: a window ends so far from now.
  scene.world.now = new Date(to + kind.backstop.lagS * 1000);
  const window = { from: to - 60_000, to };
  const stayed = leave.map((at) => orders[at]);
  faults.meanwhile = () => {
    const id = stayed.shift();
    if (id === undefined) return;
    scene.world.now = new Date(scene.world.now.getTime() + 60_000);
    shop.changeAddress(id, { street: '9 Elsewhere' }, false);
  };
  const found = new Set<string>();
  for (let page: string | null = null; ;) {
    const { orders: listed, next } = await connector.changedOrders(window, page);
    for (const o of listed) found.add(o.externalId);
    if (next === null) break;
    page = next;
  }
  faults.meanwhile = null;
  return { missed: orders.filter((id) => !found.has(id) && shop.order(id).updatedAt <= window.to), stayed };
}

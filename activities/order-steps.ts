import { applyDue } from '../db/fulfillment/due.ts';
import { sendToStore } from '../db/pickup/send-to-store.ts';
import { keepPromise } from '../db/promise/keep.ts';
import { reserveOrder } from '../db/orders/reserve-order.ts';
import { routeOrder } from '../db/orders/route-order.ts';
import { validateOrder } from '../db/orders/validate-order.ts';
import type { OrderFacts } from '../domain/order/flow.ts';
import { factsOf, uuidOf, type ActivityDeps } from './deps.ts';

type OrderRef = { orderId: string };

/** The steps that are one database transaction each; safe to run again at any time. */
export function createOrderSteps(deps: ActivityDeps) {
  const step = (run: (orderId: string) => Promise<void>) => async ({ orderId }: OrderRef): Promise<OrderFacts> => {
    const id = uuidOf('ord', orderId);
    await run(id);
    return factsOf(deps, id);
  };
  return {
    validate: step(async (id) => {
      const way = await validateOrder(deps.writer, deps.network, deps.vault, id);
      if (way === 'ship_to_store') await sendToStore(deps.writer, deps.network, id);
    }),
    // What it did not serve it could not: units that a location keeps from this channel, or gave to others, are no reason to ask again at once. News wakes the order.
    async reserve({ orderId }: OrderRef): Promise<OrderFacts> {
      const id = uuidOf('ord', orderId);
      if (await reserveOrder(deps.writer, deps.network, id) === 'ship_to_store') await sendToStore(deps.writer, deps.network, id);
      return { ...await factsOf(deps, id), toReserve: false };
    },
    route: step((id) => routeOrder(deps.writer, deps.network, id)),
    promise: step((id) => keepPromise(deps.writer, deps.network, id)),
    track: step((id) => applyDue(deps.writer, deps.network, id)),
  };
}

import { applyDue } from '../db/fulfillment/due.ts';
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
    validate: step((id) => validateOrder(deps.writer, deps.network, deps.vault, id)),
    reserve: step((id) => reserveOrder(deps.writer, deps.network, id)),
    route: step((id) => routeOrder(deps.writer, deps.network, id)),
    track: step((id) => applyDue(deps.writer, deps.network, id)),
  };
}

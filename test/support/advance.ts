import { readFacts } from '../../db/orders/facts.ts';
import { decodeId } from '../../domain/ids.ts';
import { nextStep, type Step } from '../../domain/order/flow.ts';
import type { World } from './world.ts';

/** Takes the steps that the order's workflow would take, until it waits or the next step is `before`. */
export async function advance(world: World, orderId: string, before?: Step['do']): Promise<void> {
  const activities = world.activities(null);
  for (let i = 0; i < 30; i++) {
    const facts = await readFacts(world.store.pool, world.store.network, decodeId('ord', orderId) as string, world.now);
    if (!facts) throw new Error(`no order ${orderId}`);
    const step = nextStep(facts, world.now.toISOString());
    if (step.do === before || step.do === 'wait' || step.do === 'finish') return;
    if (step.do === 'ship') {
      for (const fulfillmentOrderId of step.recall) await activities.recall({ orderId, fulfillmentOrderId });
      for (const fulfillmentOrderId of step.remind ?? []) await activities.remind({ orderId, fulfillmentOrderId });
      for (const parcelId of step.intercept) await activities.intercept({ orderId, parcelId });
      for (const fulfillmentOrderId of step.release) await activities.ship({ orderId, fulfillmentOrderId });
    } else await activities[step.do]({ orderId });
  }
  throw new Error(`${orderId} does not come to rest`);
}

import { Problem } from '../../problem.ts';
import { checkInstance } from '../check.ts';
import type { WaveInstance } from './model.ts';

/** What a schema does not see of a wave; each order as an instance of its own. Throws Problem with a JSON pointer into the wave. */
export function checkWave(wave: WaveInstance): void {
  const seen = new Set<string>();
  wave.orders.forEach(({ id, order }, i) => {
    if (seen.has(id)) throw new Problem('unprocessable', `order ${id} is there twice`, `/orders/${i}/id`);
    seen.add(id);
    try {
      checkInstance({ order, locations: wave.locations, rates: wave.rates, policy: wave.policy });
    } catch (error) {
      if (error instanceof Problem && error.field?.startsWith('/order/')) throw new Problem(error.code, error.message, `/orders/${i}${error.field}`);
      throw error;
    }
  });
}

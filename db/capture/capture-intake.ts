import type { OrderIntake } from '../../domain/order/intake.ts';
import { readPromotionFacts } from '../promotions/facts.ts';
import type { Store } from '../store.ts';
import type { CaptureOutcome } from './outcome.ts';
import { prepareOrder } from './prepare.ts';

const ATTEMPTS = 4;

/**
 * Prices and captures one order, whose SKUs are loaded. Where a promotion changed between its pricing and its capture it is priced anew. Throws Problem when it is refused before it reaches the database.
 * An order that no promotion concerns costs nothing more.
 */
export async function captureIntake(store: Pick<Store, 'pool' | 'network' | 'vault' | 'writer' | 'capture'>, intake: OrderIntake, by: Parameters<typeof prepareOrder>[4]): Promise<CaptureOutcome> {
  const { network, vault, writer, capture } = store;
  for (let attempt = 1; ; attempt++) {
    const now = writer.clock();
    const facts = await readPromotionFacts(store, intake, now);
    const outcome = await capture.submit(prepareOrder(intake, network, vault, now, by, facts));
    if (!('stale' in outcome) || outcome.stale !== true || attempt === ATTEMPTS) return outcome;
    await network.promotions.reload();
  }
}

import { Problem } from '../../domain/problem.ts';
import type { Network } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import { changeLevels, NotOnHand } from './change-levels.ts';
import { claimReference, levelsOf, storeAnswer, type StockLine } from './receipts.ts';

export type Adjustment = { reference: string; location: string; reason: string; lines: (StockLine & { delta: number })[] };
export type AdjustmentAnswer = { reference: string; shortened: number };

/**
 * Corrects stock after a count or loss. What is gone below the reserved units makes the youngest reservations that have not left `short`, in the same
 * transaction: their orders get a shortage, and are served first when stock comes. More than there is cannot be lost.
 */
export async function adjustStock(writer: StockWriter, network: Network, locationId: number, adjustment: Adjustment, actor: string): Promise<AdjustmentAnswer> {
  await network.loadSkus(adjustment.lines.map((l) => l.sku));
  return writer.change(async (tx) => {
    const source = `adjustment:${adjustment.location}`;
    const known = await claimReference<AdjustmentAnswer>(tx, source, adjustment.reference, adjustment);
    if (known) return known;
    const ids = await levelsOf(tx, network, locationId, adjustment.lines);
    const delta = new Map<number, number>();
    adjustment.lines.forEach((l, i) => delta.set(ids[i] as number, (delta.get(ids[i] as number) ?? 0) + l.delta));
    let shortened: number;
    try {
      shortened = await changeLevels(tx, 'adjustment', delta, actor);
    } catch (error) {
      if (!(error instanceof NotOnHand)) throw error;
      throw new Problem('conflict', `${error.onHand} units are on hand: ${-(delta.get(error.levelId) ?? 0)} cannot be lost`, `/lines/${ids.indexOf(error.levelId)}/delta`);
    }
    const answer = { reference: adjustment.reference, shortened };
    await storeAnswer(tx, source, adjustment.reference, answer);
    return answer;
  });
}

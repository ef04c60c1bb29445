import { ensureLevels, type Leg } from '../../ledger.ts';
import type { Network } from '../../network.ts';
import type { StockWriter } from '../../stock-writer.ts';
import { purchaseCancelledWithSupply } from '../../purchases/arrived.ts';
import { transferReturned } from '../../transfers/arrived.ts';
import { shortenReservations } from '../shorten.ts';
import { otherLevels, repegClaims } from './repeg.ts';
import { announceChange, findSupply, letBeServed, lockOpen, lockSupply } from './supply.ts';

/** `repegged`: reserved units that found others; `shortened`: that did not; `returned`: units of a transfer that are the sender's again. */
export type CancelAnswer = { reference: string; status: 'cancelled'; repegged: number; shortened: number; returned: number };

/**
 * A supply does not come. Its orders get units that are there or come in time, the first promised first; the others are short. What was announced is taken back; the
 * units of a transfer are the sending location's again (what was lost on the way is counted there). Safe to repeat. Throws Problem.
 */
export async function cancelSupply(writer: StockWriter, network: Network, reference: string, actor: string): Promise<CancelAnswer> {
  return writer.change(async (tx) => {
    const found = await findSupply(tx, reference, null);
    if (found.status === 'cancelled') return { reference, status: 'cancelled', repegged: 0, shortened: 0, returned: 0 };
    const home = new Map<number, number>();
    const { levels, claims } = await lockSupply(tx, found.id, async (some) => {
      if (found.sourceLocationId !== null) {
        const ids = await ensureLevels(tx.client, some.map((l) => ({ locationId: found.sourceLocationId as number, skuId: l.skuId, condition: l.condition, lotId: l.lotId })));
        some.forEach((l, i) => home.set(l.id, ids[i] as number));
      }
      return [...home.values(), ...await otherLevels(tx, found.id, some, true)];
    });
    const supply = await lockOpen(tx, found.id);
    await tx.query(`update supplies set status = 'cancelled', cancelled_at = $2, version = version + 1 where id = $1`, [supply.id, tx.now]);
    const repegged = await repegClaims(tx, network, supply, levels, claims, supply.expectedAt, actor);
    let shortened = 0;
    let returned = 0;
    const legs: Leg[] = [];
    for (const level of levels) {
      if (level.reserved > 0) shortened += await shortenReservations(tx, level.id, level.reserved, actor, 'supply_cancelled');
      if (level.onHand === 0) continue;
      legs.push({ levelId: level.id, onHand: -level.onHand, reserved: 0 });
      const to = home.get(level.id);
      if (to !== undefined) {
        legs.push({ levelId: to, onHand: level.onHand, reserved: 0 });
        returned += level.onHand;
      }
    }
    await tx.post('supply_cancelled', null, legs);
    await announceChange(tx, levels.map((l) => l.id));
    await transferReturned(tx, supply.id, returned, actor);
    await purchaseCancelledWithSupply(tx, supply.id, actor);
    letBeServed(tx, claims);
    return { reference, status: 'cancelled', repegged, shortened, returned };
  });
}

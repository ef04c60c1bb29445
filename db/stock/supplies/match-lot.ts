import { matchLot } from '../../../domain/stock/match-lot.ts';
import type { Tx } from '../../tx.ts';
import { moveClaims } from './move-claims.ts';
import type { Claim, SupplyLevel } from './supply.ts';

/**
 * A supply may owe a SKU in several lots, and orders do not ask for one. When a lot comes, the most urgent claims of each allotment are put on it, so that they are served
 * and the lot that came is the one booked off. Levels (`same`: of the SKU, in one condition) and orders are locked. True when reservations have moved.
 */
export async function putOnLot(tx: Tx, lotId: number, units: number, same: readonly SupplyLevel[], claims: readonly Claim[]): Promise<boolean> {
  const swaps = same.filter((l) => l.lotId === lotId).flatMap((lot) => {
    const group = same.filter((l) => l.allotmentId === lot.allotmentId);
    const own = claims.filter((c) => c.quantity > 0 && group.some((l) => l.id === c.levelId));
    return matchLot(group.indexOf(lot), units, group, own.map((c) => ({ holder: group.findIndex((l) => l.id === c.levelId), units: c.quantity })))
      .map((s) => ({ claim: own[s.claim] as Claim, units: s.units, from: group[s.from] as SupplyLevel, to: group[s.to] as SupplyLevel }));
  });
  if (swaps.length === 0) return false;
  await tx.post('repeg', null, swaps.flatMap(({ units: n, from, to }) => [{ levelId: from.id, onHand: 0, reserved: -n }, { levelId: to.id, onHand: 0, reserved: n }]));
  for (const { claim, units: n, from, to } of swaps) {
    await moveClaims(tx, [{ claim, units: n }], to.id);
    from.reserved -= n;
    to.reserved += n;
  }
  return true;
}

/** Units of one lot that a supply still owes, within one allotment. */
export type LotHolder = { onHand: number; reserved: number };
/** Who has units reserved on one of the holders, by its index. */
export type LotClaim = { holder: number; units: number };
/** `units` of a claim (by its index) change from one holder to another. */
export type LotSwap = { claim: number; units: number; from: number; to: number };

/**
 * So many units of the lot of holder `lot` have come. The most urgent claims (`claims` is their order) are put on it, as far as it reaches; claims that are in their way take
 * their places, the least urgent first. What each holder has reserved in all never exceeds what it has once every swap is made.
 */
export function matchLot(lot: number, units: number, holders: readonly LotHolder[], claims: readonly LotClaim[]): LotSwap[] {
  const own = holders[lot];
  if (!own) return [];
  let room = Math.min(units, own.onHand);
  const stays = claims.map((c) => {
    const take = Math.min(room, c.units);
    room -= take;
    return take;
  });
  const leaving = claims.flatMap((c, claim) => (c.holder === lot && c.units > (stays[claim] ?? 0) ? [{ claim, units: c.units - (stays[claim] ?? 0) }] : [])).reverse();
  const swaps: LotSwap[] = [];
  let free = own.onHand - own.reserved;
  claims.forEach(({ holder }, claim) => {
    const take = stays[claim] ?? 0;
    if (take === 0 || holder === lot) return;
    for (const other of leaving) {
      const out = Math.min(other.units, take - free);
      if (out <= 0) continue;
      swaps.push({ claim: other.claim, units: out, from: lot, to: holder });
      other.units -= out;
      free += out;
    }
    swaps.push({ claim, units: take, from: holder, to: lot });
    free -= take;
  });
  return swaps;
}

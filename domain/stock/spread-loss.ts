/** A level that may lose units. */
export type Loser = { levelId: number; onHand: number; reserved: number };
/** Reserved units of a level, those who give them up first at the front. */
export type Reserved = { levelId: number; units: number };

/**
 * Where lost units are taken from: what is free, level after level as given (the shared stock first), then what is reserved, the youngest reservation of all
 * levels first. So an order loses its units only when there are fewer than all orders together have reserved. Returns units a level; fewer in sum than `units`
 * only when there are not so many.
 */
export function spreadLoss(levels: readonly Loser[], reserved: readonly Reserved[], units: number): Map<number, number> {
  const taken = new Map<number, number>();
  let open = units;
  const take = (levelId: number, most: number): void => {
    const now = Math.min(open, most);
    if (now <= 0) return;
    taken.set(levelId, (taken.get(levelId) ?? 0) + now);
    open -= now;
  };
  for (const level of levels) take(level.levelId, level.onHand - level.reserved);
  for (const reservation of reserved) take(reservation.levelId, reservation.units);
  return taken;
}

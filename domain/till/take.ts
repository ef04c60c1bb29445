/** A holder of a SKU at a shop; `free`: on hand and not reserved. */
export type Shelf = { levelId: number; onHand: number; free: number };

/**
 * From which holders units left that a customer has already carried out: free ones in the order given (first to expire first), then reserved ones, whose orders get a shortage.
 * `unbacked`: units beyond everything on hand; our figure was too low, the sale stands.
 */
export function takeSold(quantity: number, shelves: readonly Shelf[]): { taken: { levelId: number; units: number }[]; unbacked: number } {
  const units = new Map<number, number>();
  let left = quantity;
  for (const of of [(s: Shelf) => Math.max(0, s.free), (s: Shelf) => s.onHand - (units.get(s.levelId) ?? 0)]) {
    for (const s of shelves) {
      const now = Math.min(left, of(s));
      if (now <= 0) continue;
      units.set(s.levelId, (units.get(s.levelId) ?? 0) + now);
      left -= now;
    }
  }
  return { taken: [...units].map(([levelId, n]) => ({ levelId, units: n })), unbacked: left };
}

/** Units of one level that a lease has. */
export type LeasedUnits = { levelId: number; skuId: number; quantity: number };
/** Units that an order wants of a SKU: an open shortage, or a reservation of its own (`incoming`: of units that are still to come). */
export type Lacking = { skuId: number; quantity: number };
export type Owned = Lacking & { incoming: boolean };
/** `to`: the index of the shortage or of the own reservation. */
export type Assigned = { to: number; levelId: number; units: number };
export type TransferPlan = { served: Assigned[]; replaced: Assigned[]; excess: { levelId: number; units: number }[] };

/** How many whole units (bundles, for a line with several parts) there is stock for: each part has `quantity` units less those missing, `perUnit` in one. */
export function wholeUnits(parts: readonly { perUnit: number; quantity: number; missing: number }[]): number {
  return Math.max(0, Math.min(...parts.map((p) => Math.floor((p.quantity - p.missing) / p.perUnit))));
}

/**
 * What the units of a lease become in the order that gets them: they serve its shortages first, then take the place of its own reservations of the SKU
 * (of units that are still to come before those that are there), which go back to stock. Each in the given order; the rest is excess.
 */
export function planTransfer(leased: readonly LeasedUnits[], lacking: readonly Lacking[], own: readonly Owned[]): TransferPlan {
  const left = leased.map((l) => l.quantity);
  const give = (skuId: number, quantity: number, to: number): Assigned[] => {
    const given: Assigned[] = [];
    let open = quantity;
    for (const [i, l] of leased.entries()) {
      const units = l.skuId === skuId ? Math.min(open, left[i] as number) : 0;
      if (units === 0) continue;
      left[i] = (left[i] as number) - units;
      open -= units;
      given.push({ to, levelId: l.levelId, units });
    }
    return given;
  };
  const served = lacking.flatMap((l, to) => give(l.skuId, l.quantity, to));
  const replaced = [true, false].flatMap((incoming) => own.flatMap((o, to) => (o.incoming === incoming ? give(o.skuId, o.quantity, to) : [])));
  return { served, replaced, excess: leased.flatMap((l, i) => ((left[i] as number) > 0 ? [{ levelId: l.levelId, units: left[i] as number }] : [])) };
}

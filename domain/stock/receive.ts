/** Units still to come of one holder of a supply, most urgent claims first; `allotted`: they were set apart. */
export type Due = { levelId: number; onHand: number; allotted: boolean; claims: readonly { units: number }[] };
/** `claims`: units for each claim of the level, in order; `free`: units for nobody yet. */
export type Arrival = { levelId: number; claims: number[]; free: number };

/**
 * Spreads units that came over what a supply still owes of one SKU: claims first, in the order given over all levels (by promise); then free units, those set apart before the
 * shared ones. `claimOrder` names each claim as [index of its level, index within it]. Returns what each level gets, and the units that nobody had announced.
 */
export function spreadArrival(units: number, due: readonly Due[], claimOrder: readonly (readonly [level: number, claim: number])[]): { arrivals: Arrival[]; surplus: number } {
  const arrivals = due.map((d): Arrival => ({ levelId: d.levelId, claims: d.claims.map(() => 0), free: 0 }));
  let rest = units;
  for (const [level, claim] of claimOrder) {
    const wanted = due[level]?.claims[claim]?.units ?? 0;
    const given = Math.min(rest, wanted);
    const arrival = arrivals[level];
    if (!arrival || given <= 0) continue;
    arrival.claims[claim] = given;
    rest -= given;
  }
  for (const allotted of [true, false]) {
    due.forEach((d, i) => {
      const arrival = arrivals[i];
      if (d.allotted !== allotted || !arrival) return;
      const reserved = d.claims.reduce((sum, c) => sum + c.units, 0);
      arrival.free = Math.min(rest, Math.max(0, d.onHand - reserved));
      rest -= arrival.free;
    });
  }
  return { arrivals, surplus: rest };
}

/** What a platform shows of a listing. `loose`: units that may be taken off, where others lie in a pool that is locked. */
type Figure = { sellable: number; loose?: number };

/** Units that may be taken off a figure. */
export const looseOf = (seen: Figure): number => seen.loose ?? seen.sellable;

/**
 * What to do about a decrease of `units` that a platform refused, by the figure that it shows now (undefined: none). `refused`: as much is there, so it was refused for something else, or what is there lies where it cannot be
 * taken (a campaign); `nothing`: none is left to take; else what is to be taken off instead. `all`: nothing is left on sale then.
 */
export function lowerInstead(units: number, seen: Figure | undefined): 'refused' | 'nothing' | { delta: number; target: number; all: boolean } {
  if (seen === undefined) return 'refused';
  const loose = looseOf(seen);
  if (loose >= units || (loose <= 0 && seen.sellable > 0)) return 'refused';
  return loose <= 0 ? 'nothing' : { delta: -loose, target: seen.sellable - loose, all: loose === seen.sellable };
}

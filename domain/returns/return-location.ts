export type ReturnPlace = { id: number; kind: string; shipped: boolean; rank: number; active: boolean };

/**
 * Where a return goes: back to the warehouse or third party that shipped it, else to the nearest active warehouse, else to whoever
 * shipped it. `rank` is the distance rank from the buyer, 0 the nearest. Null when no location is left.
 */
export function returnLocation(places: readonly ReturnPlace[]): number | null {
  const depot = (p: ReturnPlace): boolean => p.kind === 'warehouse' || p.kind === 'third_party';
  const active = places.filter((p) => p.active).sort((a, b) => a.rank - b.rank || a.id - b.id);
  return (active.find((p) => p.shipped && depot(p)) ?? active.find(depot) ?? active.find((p) => p.shipped))?.id ?? null;
}

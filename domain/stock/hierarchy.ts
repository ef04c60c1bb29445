import type { Allotment } from './overflow.ts';

type Kind = Allotment['kind'];

/** Brand (the shared stock) → group of channels → channel → campaign or declaration; a level may be left out, and groups and campaigns may be nested. */
const UNDER: Record<Kind, readonly Kind[]> = {
  shared: [], group: ['shared', 'group'], channel: ['shared', 'group'], campaign: ['shared', 'group', 'channel', 'campaign'], declaration: ['shared', 'group', 'channel', 'campaign'], transfer: [],
};

export function mayStandUnder(kind: Kind, parent: Kind): boolean { return UNDER[kind].includes(parent); }

/**
 * The way from an allotment's parent up to the top, when it would stand under itself; null when it would not. `parentOf`: of every allotment on the way.
 */
export function circle(id: number, parentId: number, parentOf: ReadonlyMap<number, number | null>): number[] | null {
  const way: number[] = [];
  for (let at: number | null | undefined = parentId; at !== null && at !== undefined && !way.includes(at); at = parentOf.get(at)) {
    way.push(at);
    if (at === id) return way;
  }
  return null;
}

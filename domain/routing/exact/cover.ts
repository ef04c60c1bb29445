import type { InstancePolicy } from '../model.ts';
import { countOf, type Loading } from './loading.ts';
import type { Item } from './items.ts';
import type { Site } from './sites.ts';

/** Items by site. `most`: it is certain that no choice of sites serves more. Null parts: none was found that serves more than is known. */
export type Cover = { parts: { site: number; own: number[] }[] | null; most: boolean };
type Candidate = { site: number; gives: Int32Array; all: number; limit: number; free: boolean };

/** Additions that the search may spend, some tens of ms; and choices of sites that it may load item by item. */
const MOST_STEPS = 20_000_000;
const MOST_PACKED = 300;

/**
 * At most `maxShipments` sites that together serve more than `known` (lines, and units of divided ones), as many as can be: branch and bound over sites, the site with the most of the rarest line taken or left out for
 * good. No choice serves more than it has by now and what the best of the remaining sites would add, each by itself. A site that can send all that it has at once makes needless those that have no more than some of it.
 */
export function cover(items: readonly Item[], sites: readonly Site[], can: readonly boolean[][], loading: Loading, policy: InstancePolicy, known: number): Cover {
  const lines = [...new Set(items.map(({ line }) => line))].map((line) => items.flatMap((item, i) => (item.line === line ? [i] : [])));
  const need = Int32Array.from(lines, (of) => of.reduce((sum, i) => sum + countOf(items[i] as Item), 0));
  const everything = items.map((_, i) => i);
  const candidates = withoutNeedless(sites.flatMap((site, s): Candidate[] => {
    const gives = Int32Array.from(lines, (of) => (of.some((i) => can[i]?.[s]) ? counted(items, loading.fill(s, of)) : 0));
    const all = gives.reduce((sum, n) => sum + n, 0);
    if (all === 0) return [];
    const free = counted(items, loading.fill(s, everything)) === all;
    return [{ site: s, gives, all, free, limit: free ? all : Math.min(all, byRoom(items, can, site, s)) }];
  }), lines.map((of) => items[of[0] as number]?.divided === true));
  const most = Math.min(policy.maxShipments, candidates.length);
  const total = need.reduce((sum, n, l) => sum + Math.min(n, candidates.reduce((have, { gives }) => have + (gives[l] as number), 0)), 0);
  const stepsOfNode = Math.max(1, candidates.length * lines.length);

  let best: Cover['parts'] = null;
  let bestCount = known;
  let [steps, packed, certain] = [0, 0, true];
  const left = need.slice();
  const chosen: Candidate[] = [];
  const out = new Uint8Array(candidates.length);
  const gain = new Int32Array(candidates.length);
  /** Looks at the sites chosen, then goes on. `served`: at most so much the chosen ones serve. */
  const search = (served: number): void => {
    if (Math.min(total, served) > bestCount) {
      if (packed++ >= MOST_PACKED) { certain = false; return; }
      const plan = pack(items, can, loading, policy, chosen);
      const count = plan === null ? 0 : plan.reduce((sum, { own }) => sum + counted(items, own), 0);
      if (plan !== null && count > bestCount) [best, bestCount] = [plan, count];
      // Loading is by rules of thumb: what they do not reach, another way might.
      if (count < Math.min(total, served)) certain = false;
    }
    if (chosen.length === most) return;
    const dropped: number[] = [];
    for (;;) {
      if ((steps += stepsOfNode) > MOST_STEPS) { certain = false; break; }
      const options = new Int32Array(lines.length);
      candidates.forEach(({ gives, limit }, c) => {
        gain[c] = 0;
        if (out[c] !== 0) return;
        for (let l = 0; l < gives.length; l++) {
          const more = Math.min(gives[l] as number, left[l] as number);
          if (more === 0) continue;
          gain[c] = (gain[c] as number) + more;
          options[l] = (options[l] as number) + 1;
        }
        gain[c] = Math.min(gain[c] as number, limit);
      });
      const bestGains = [...gain].sort((a, b) => b - a).slice(0, most - chosen.length);
      if (Math.min(total, served + bestGains.reduce((sum, n) => sum + n, 0)) <= bestCount) break;
      let rarest = -1;
      for (let l = 0; l < lines.length; l++) if ((options[l] as number) > 0 && (rarest < 0 || (options[l] as number) < (options[rarest] as number))) rarest = l;
      if (rarest < 0) break;
      let next = -1;
      candidates.forEach(({ gives }, c) => { if (out[c] === 0 && (gives[rarest] as number) > 0 && (next < 0 || (gain[c] as number) > (gain[next] as number))) next = c; });
      const taken = candidates[next] as Candidate;
      out[next] = 1;
      dropped.push(next);
      const given = taken.gives.map((n, l) => Math.min(n, left[l] as number));
      // What a site cannot send all at once stays wanted: another may have to send it.
      if (taken.free) given.forEach((n, l) => { left[l] = (left[l] as number) - n; });
      chosen.push(taken);
      search(served + (gain[next] as number));
      chosen.pop();
      if (taken.free) given.forEach((n, l) => { left[l] = (left[l] as number) + n; });
    }
    for (const c of dropped) out[c] = 0;
  };
  search(0);
  return { parts: best, most: certain };
}

function counted(items: readonly Item[], own: readonly number[]): number {
  let sum = 0;
  for (const i of own) sum += countOf(items[i] as Item);
  return sum;
}

/** At most so much fits in a site's capacity: the smallest first. */
function byRoom(items: readonly Item[], can: readonly boolean[][], { location }: Site, s: number): number {
  let [room, count] = [location.capacityUnits ?? Number.POSITIVE_INFINITY, 0];
  for (const item of items.filter((_, i) => can[i]?.[s]).sort((a, b) => a.quantity / countOf(a) - b.quantity / countOf(b))) {
    const each = item.quantity / countOf(item);
    const some = Math.min(countOf(item), Math.floor(room / each));
    count += some;
    room -= some * each;
  }
  return count;
}

/** Without the sites of which another that can send all at once has everything. Units of a divided line may be wanted from both. */
function withoutNeedless(candidates: readonly Candidate[], divided: readonly boolean[]): Candidate[] {
  const kept: Candidate[] = [];
  for (const c of [...candidates].sort((a, b) => b.all - a.all || Number(b.free) - Number(a.free) || a.site - b.site)) {
    if (!kept.some((k) => k.free && c.gives.every((n, l) => n === 0 || (!divided[l] && n <= (k.gives[l] as number))))) kept.push(c);
  }
  return kept;
}

/** Items loaded on chosen sites: those with the fewest ways first, one already loaded moved where that makes room; then parts that are worth too little filled up from the others. Null: some part stays worth too little. */
function pack(items: readonly Item[], can: readonly boolean[][], loading: Loading, policy: InstancePolicy, chosen: readonly Candidate[]): { site: number; own: number[] }[] | null {
  const parts = chosen.map(({ site, free }) => ({ site, free, own: [] as number[] }));
  type Part = (typeof parts)[number];
  const fits = ({ site, free }: Part, own: readonly number[], i: number): boolean => can[i]?.[site] === true && ((free && items[i]?.divided !== true) || loading.fill(site, [...own, i]).length > own.length);
  const without = (own: readonly number[], i: number): number[] => own.filter((x) => x !== i);
  const ways = items.map((_, i) => parts.filter(({ site }) => can[i]?.[site]).length);
  const order = items.map((_, i) => i).filter((i) => (ways[i] as number) > 0).sort((a, b) => (ways[a] as number) - (ways[b] as number) || a - b);
  const makeRoom = (i: number): boolean => {
    for (const part of parts) {
      if (!can[i]?.[part.site] || part.free) continue;
      for (const j of part.own) {
        const rest = without(part.own, j);
        const other = parts.find((p) => p !== part && fits(p, p.own, j));
        if (!other || !fits(part, rest, i)) continue;
        other.own.push(j);
        part.own = [...rest, i];
        return true;
      }
    }
    return false;
  };
  for (const i of order) {
    const part = parts.find((p) => fits(p, p.own, i));
    if (part) part.own.push(i);
    else makeRoom(i);
  }
  const used = parts.filter(({ own }) => own.length > 0);
  const worth = (own: readonly number[]): number => own.reduce((sum, i) => sum + (items[i] as Item).value, 0);
  if (used.length > 1) for (const part of used) for (const other of used) {
    if (other === part) continue;
    for (const j of [...other.own].sort((a, b) => (items[b] as Item).value - (items[a] as Item).value || a - b)) {
      if (worth(part.own) >= policy.minShipmentValue) break;
      if (worth(without(other.own, j)) < policy.minShipmentValue || !fits(part, part.own, j)) continue;
      other.own = without(other.own, j);
      part.own.push(j);
    }
  }
  return used.length > 1 && used.some(({ own }) => worth(own) < policy.minShipmentValue) ? null : used.map(({ site, own }) => ({ site, own }));
}

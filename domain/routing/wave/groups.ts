import { MOST_EXACT } from '../plan.ts';
import type { InstanceOrder } from '../model.ts';
import type { WaveOrder } from './model.ts';

/** One or several orders as the router sees them: lines numbered anew; `from` says whose each is. */
export type Group = { members: number[]; order: InstanceOrder; from: { member: number; line: number }[] };

export function single(orders: readonly WaveOrder[], member: number): Group {
  const { order } = orders[member] as WaveOrder;
  return { members: [member], order, from: order.lines.map((l) => ({ member, line: l.line })) };
}

/** Orders of one buyer are looked at so many at a time: every choice of them that may leave together is a group. */
const AT_A_TIME = 4;

/**
 * The groups that may leave in one parcel: two or more of the same key, and together no more lines than are routed exactly. The promise is the earliest of them; who is bound to a location, or has given one back, goes alone.
 * Groups of one cluster are choices among the same orders; no order is in two clusters.
 */
export function mergeable(orders: readonly WaveOrder[]): { groups: Group[]; members: number[] }[] {
  const byKey = new Map<string, number[]>();
  orders.forEach(({ mergeKey, order }, i) => {
    if (mergeKey === undefined || order.forcedLocation !== undefined || order.forcedCarrier !== undefined || (order.excluded?.length ?? 0) > 0) return;
    const key = `${mergeKey}\n${order.channel}`;
    byKey.set(key, [...byKey.get(key) ?? [], i]);
  });
  return [...byKey.values()].flatMap((all) => Array.from({ length: Math.ceil(all.length / AT_A_TIME) }, (_, i) => all.slice(i * AT_A_TIME, (i + 1) * AT_A_TIME))).flatMap((members) => {
    const groups: Group[] = [];
    for (let set = (1 << members.length) - 1; set > 0; set--) {
      const some = members.filter((_, i) => (set >> i) & 1);
      const group = some.length > 1 ? together(orders, some) : null;
      if (group) groups.push(group);
    }
    return groups.length > 0 ? [{ groups, members }] : [];
  });
}

function together(orders: readonly WaveOrder[], members: number[]): Group | null {
  const all = members.map((m) => (orders[m] as WaveOrder).order);
  const from = members.flatMap((member) => (orders[member] as WaveOrder).order.lines.map((l) => ({ member, line: l.line })));
  if (from.length > MOST_EXACT) return null;
  const first = all[0] as InstanceOrder;
  const promises = all.flatMap((o) => o.promisedBy ?? []).sort();
  const refused = all.flatMap((o) => o.refused ?? []);
  return {
    members, from,
    order: { channel: first.channel, destination: first.destination, promisedBy: promises[0] ?? null, lines: all.flatMap((o) => o.lines).map((l, i) => ({ ...l, line: i + 1 })), ...(refused.length > 0 ? { refused } : {}) },
  };
}

/** The least that the members of a cluster cost, each in one group or alone. `least`: of a group, by its members. */
export function leastOf(members: readonly number[], least: (some: readonly number[]) => number | undefined): number {
  const full = (1 << members.length) - 1;
  const best = new Array<number>(full + 1).fill(Number.POSITIVE_INFINITY);
  best[0] = 0;
  for (let set = 1; set <= full; set++) {
    const lowest = set & -set;
    for (let part = set; part > 0; part = (part - 1) & set) {
      if (!(part & lowest)) continue;
      const cost = least(members.filter((_, i) => (part >> i) & 1));
      if (cost !== undefined) best[set] = Math.min(best[set] as number, cost + (best[set ^ part] as number));
    }
  }
  return best[full] as number;
}

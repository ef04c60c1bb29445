import { MOST_EXACT } from '../plan.ts';
import type { InstanceOrder } from '../model.ts';
import type { WaveOrder } from './model.ts';

/** One or several orders as the router sees them: lines numbered anew; `from` says whose each is. */
export type Group = { members: number[]; order: InstanceOrder; from: { member: number; line: number }[] };

export function single(orders: readonly WaveOrder[], member: number): Group {
  const { order } = orders[member] as WaveOrder;
  return { members: [member], order, from: order.lines.map((l) => ({ member, line: l.line })) };
}

/**
 * The groups that may leave in one parcel: same key, and together no more lines than are routed exactly. The promise is the earliest of them; who is bound to a location, or has given one back, goes alone.
 */
export function mergeable(orders: readonly WaveOrder[]): Group[] {
  const byKey = new Map<string, number[]>();
  orders.forEach(({ mergeKey, order }, i) => {
    if (mergeKey === undefined || order.forcedLocation !== undefined || order.forcedCarrier !== undefined || (order.excluded?.length ?? 0) > 0) return;
    byKey.set(mergeKey, [...byKey.get(mergeKey) ?? [], i]);
  });
  return [...byKey.values()].flatMap((members): Group[] => {
    if (members.length < 2) return [];
    const all = members.map((m) => (orders[m] as WaveOrder).order);
    const first = all[0] as InstanceOrder;
    const from = members.flatMap((member) => (orders[member] as WaveOrder).order.lines.map((l) => ({ member, line: l.line })));
    if (from.length > MOST_EXACT || all.some((o) => o.channel !== first.channel)) return [];
    const promises = all.flatMap((o) => o.promisedBy ?? []).sort();
    const refused = all.flatMap((o) => o.refused ?? []);
    return [{
      members, from,
      order: { channel: first.channel, destination: first.destination, promisedBy: promises[0] ?? null, lines: all.flatMap((o) => o.lines).map((l, i) => ({ ...l, line: i + 1 })), ...(refused.length > 0 ? { refused } : {}) },
    }];
  });
}

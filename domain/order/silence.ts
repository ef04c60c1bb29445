import type { Milestone } from './milestone.ts';

/** When silence is an exception; hours, null: never. */
export type TrackingRule = { pickupHours: number | null; stuckHours: number | null; lostHours: number | null; returned: boolean };
export type SilentKind = 'not_picked_up' | 'stuck' | 'lost';

const HOUR_MS = 3_600_000;
const OVER: ReadonlySet<Milestone> = new Set(['delivered', 'returned', 'lost']);

/** What a parcel's silence means by its carrier's rule: null, as long as nobody need look at it. `heardAt`: its newest event, or when it left. */
export function silence(parcel: { milestone: Milestone; heardAt: Date }, rule: TrackingRule, now: Date): { kind: SilentKind; hours: number } | null {
  if (OVER.has(parcel.milestone)) return null;
  const hours = Math.floor((now.getTime() - parcel.heardAt.getTime()) / HOUR_MS);
  const longer = (limit: number | null): boolean => limit !== null && hours >= limit;
  if (longer(rule.lostHours)) return { kind: 'lost', hours };
  if (parcel.milestone === 'issued') return longer(rule.pickupHours) ? { kind: 'not_picked_up', hours } : null;
  return longer(rule.stuckHours) ? { kind: 'stuck', hours } : null;
}

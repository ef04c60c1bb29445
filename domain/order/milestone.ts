/** Milestones of a parcel, carrier-neutral; docs/carriers.md says what each carrier's words become. */
export const MILESTONES = [
  'issued', 'picked_up', 'in_transit', 'customs', 'out_for_delivery', 'ready_for_pickup', 'attempt_failed', 'exception', 'delivered', 'lost', 'returning', 'returned',
] as const;
export type Milestone = (typeof MILESTONES)[number];
/** What a piece of carrier news says; `note`: told and kept, and moves nothing. */
export type TrackingStatus = Milestone | 'note';

const RANK: Record<Milestone, number> = {
  issued: 0, picked_up: 1, in_transit: 2, customs: 2, out_for_delivery: 3, ready_for_pickup: 3, attempt_failed: 3, exception: 3, lost: 8, delivered: 9, returning: 5, returned: 10,
};
/** News of these wakes the order's workflow; the others are only recorded. */
export const WAKING: ReadonlySet<Milestone> = new Set(['attempt_failed', 'exception', 'delivered', 'lost', 'returned']);

/**
 * The milestone after a piece of carrier news, which may be late, repeated or out of order: a parcel only moves on, except that a
 * parcel out for delivery, failed or in trouble may change among those by time. A lost parcel may be found and delivered; a delivered one may be sent back, by later news only.
 */
export function advance(current: { milestone: Milestone; at: Date }, news: { milestone: Milestone; at: Date }): Milestone {
  const from = RANK[current.milestone];
  const to = RANK[news.milestone];
  const later = news.at > current.at;
  // It was delivered before it was sent back.
  if (current.milestone === 'returning' && news.milestone === 'delivered' && !later) return current.milestone;
  if (to > from) return news.milestone;
  if ((current.milestone === 'lost' || current.milestone === 'delivered') && news.milestone === 'returning' && later) return news.milestone;
  return to === from && later ? news.milestone : current.milestone;
}

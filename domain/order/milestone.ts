/** Milestones of a parcel, carrier-neutral. */
export const MILESTONES = ['issued', 'picked_up', 'in_transit', 'out_for_delivery', 'attempt_failed', 'exception', 'delivered', 'lost', 'returning', 'returned'] as const;
export type Milestone = (typeof MILESTONES)[number];

const RANK: Record<Milestone, number> = {
  issued: 0, picked_up: 1, in_transit: 2, out_for_delivery: 3, attempt_failed: 3, exception: 3, lost: 8, delivered: 9, returning: 5, returned: 10,
};
/** News of these wakes the order's workflow; the others are only recorded. */
export const WAKING: ReadonlySet<Milestone> = new Set(['attempt_failed', 'exception', 'delivered', 'lost', 'returned']);

/**
 * The milestone after a piece of carrier news, which may be late, repeated or out of order: a parcel only moves on, except that a
 * parcel out for delivery, failed or in trouble may change among those by time. A lost parcel may be found and delivered.
 */
export function advance(current: { milestone: Milestone; at: Date }, news: { milestone: Milestone; at: Date }): Milestone {
  const from = RANK[current.milestone];
  const to = RANK[news.milestone];
  if (to > from) return news.milestone;
  if (current.milestone === 'lost' && news.milestone === 'returning' && news.at > current.at) return news.milestone;
  return to === from && news.at > current.at ? news.milestone : current.milestone;
}
